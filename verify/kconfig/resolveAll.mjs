/**
 * Asks `resolve` for m of every tristate symbol of a tree, from its tinyconfig, and prints how that went.
 *
 *   node resolveAll.mjs --tree DIR --arch ARCH [--every N] [--offset K] [--cache DIR] [--witness FILE]… [--conf CONF] [--preload SO]
 *
 * A witness is a .config of that tree: what is m there must not be refused. allmodconfig is always one. With --conf
 * every answer is confirmed by that conf: the request holds, and there is no "unmet direct dependencies" warning that
 * the base had not.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { parseArgs } from 'node:util'

const dist = process.env.DIST ?? new URL('../../dist', import.meta.url).pathname
const {
  answerAll,
  answerRandomly,
  assignAll,
  createConfiguration,
  createRandom,
  openTree,
  parseProbability,
  readConfig,
  resolve,
  writeConfig,
} = await import(`${dist}/kconfig/index.js`)
const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    arch: { type: 'string', default: 'arm64' },
    every: { type: 'string', default: '1' },
    offset: { type: 'string', default: '0' },
    cache: { type: 'string' },
    witness: { type: 'string', multiple: true, default: [] },
    seeds: { type: 'string', default: '5' },
    conf: { type: 'string' },
    preload: { type: 'string' },
    show: { type: 'string', default: '5' },
  },
})
const tree = resolvePath(values.tree)
const work = mkdtempSync(join(tmpdir(), 'kconfig-resolve-'))
const cache = resolvePath(values.cache ?? work)
const opened = await openTree({
  srctree: tree,
  arch: values.arch,
  folder: work,
  probeCacheFile: join(cache, 'probes.json'),
})
if (!opened.ok) throw new Error(opened.error.message)
const model = opened.value
const read = (name) => readFileSync(name, 'latin1')

const seed = createConfiguration(model)
const fragments = ['tiny-base.config', 'tiny.config'].map((name) => read(join(tree, 'kernel/configs', name)))
assignAll(seed, fragments.join(''), { name: 'tiny' })
answerAll(seed, 'no')
const baseText = writeConfig(seed)
const base = createConfiguration(model)
readConfig(base, baseText, { name: '.config' })

const witnessed = new Set()
const isM = (configuration) => {
  for (const symbol of model.symbols)
    if (symbol.type === 'tristate' && symbol.nodes.length > 0 && configuration.text(symbol) === 'm')
      witnessed.add(symbol)
}
const allmod = createConfiguration(model)
answerAll(allmod, 'mod')
isM(allmod)
for (let n = 1; n <= Number(values.seeds); n++) {
  const random = createConfiguration(model)
  answerRandomly(random, createRandom(n), parseProbability(undefined))
  isM(random)
}
for (const file of values.witness) {
  const configuration = createConfiguration(model)
  readConfig(configuration, read(file), { name: file })
  isM(configuration)
}

const popenCache = join(cache, `popen-${values.arch}`)
mkdirSync(popenCache, { recursive: true })
const unmet = (stderr) => new Set(stderr.split('\n').filter((line) => line.startsWith('WARNING: unmet')))
const conf = (config) => {
  writeFileSync(join(work, '.config'), config, 'latin1')
  const extra = values.preload ? { LD_PRELOAD: resolvePath(values.preload), PROBE_CACHE: popenCache } : {}
  const { stderr } = spawnSync(resolvePath(values.conf), ['--olddefconfig', 'Kconfig'], {
    cwd: work,
    env: { ...opened.environment, ...extra },
    encoding: 'latin1',
  })
  return { text: read(join(work, '.config')), unmet: unmet(stderr) }
}
const normal = values.conf ? conf(baseText).unmet : new Set()

const count = { granted: 0, impossible: 0, undecided: 0, refusedWitness: 0, unconfirmed: 0, notMinimal: 0 }
const times = []
let shown = 0
let index = 0
for (const symbol of model.symbols) {
  if (symbol.type !== 'tristate' || symbol.nodes.length === 0 || symbol.isChoice || symbol.name === undefined)
    continue
  if (index++ % Number(values.every) !== Number(values.offset)) continue
  const start = performance.now()
  const result = resolve(base, [{ name: symbol.name, value: 'm' }])
  times.push(performance.now() - start)
  const say = (text) => {
    if (shown++ < Number(values.show)) console.log(`  ${text}`)
  }
  if (result.ok) {
    count.granted++
    if (values.conf) {
      const fragment = result.value.assignments.map(({ name, value }) =>
        `CONFIG_${name}=${value}\n`.replace(/^CONFIG_(.*)=n\n/, '# CONFIG_$1 is not set\n'),
      )
      const after = conf(baseText + fragment.join(''))
      const fresh = [...after.unmet].filter((line) => !normal.has(line))
      if (!after.text.includes(`\nCONFIG_${symbol.name}=m\n`) || fresh.length > 0) {
        count.unconfirmed++
        say(`unconfirmed ${symbol.name}: ${fragment.join('').replaceAll('\n', ' ')} ${fresh.join(' ')}`)
      }
    }
  } else {
    count[result.error.type]++
    if (witnessed.has(symbol)) {
      count.refusedWitness++
      say(`refused though possible (${result.error.type}): ${result.error.message.replaceAll('\n', ' | ')}`)
    }
  }
}
times.sort((a, b) => a - b)
console.log(
  JSON.stringify({
    arch: values.arch,
    asked: times.length,
    ...count,
    medianMs: Math.round(times[times.length >> 1]),
    worstMs: Math.round(times[times.length - 1]),
  }),
)
rmSync(work, { recursive: true, force: true })
if (existsSync(work)) process.exitCode = 1
