/**
 * Compares this room with a tree's own scripts/kconfig/conf, byte for byte, and prints a table.
 *
 *   node compare.mjs --tree DIR --conf CONF [--arch A,B…] [--what all,defconfig,save,rand,olddef] [--seeds N]
 *                    [--configs DIR] [--preload cachedPopen.so] [--share N/M]
 *
 * DIST names the built package (default ../../dist). --what: `all` are allno/allyes/allmod/alldef/tiny configs,
 * `defconfig` every file of that name, `save` savedefconfig of each, `rand` randconfig, `olddef` olddefconfig of the
 * files in --configs. Exit status 1 when anything differs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const dist = process.env.DIST ?? new URL('../../dist', import.meta.url).pathname
const kconfig = await import(`${dist}/kconfig/index.js`)
const {
  answerAll,
  answerRandomly,
  assignAll,
  createConfiguration,
  createRandom,
  openTree,
  parseProbability,
  readConfig,
  writeConfig,
  writeMinimalConfig,
} = kconfig

const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    conf: { type: 'string' },
    arch: { type: 'string', default: 'arm64,arm,mips,x86,riscv,powerpc,s390' },
    what: { type: 'string', default: 'all,defconfig,save' },
    seeds: { type: 'string', default: '10' },
    configs: { type: 'string' },
    preload: { type: 'string' },
    share: { type: 'string', default: '0/1' },
    cache: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const tree = resolve(values.tree)
const what = new Set(values.what.split(','))
const [shareIndex, shareCount] = values.share.split('/').map(Number)
const work = mkdtempSync(join(tmpdir(), 'kconfig-compare-'))
const cache = resolve(values.cache ?? join(work, 'cache'))
let differences = 0

const read = (path) => readFileSync(path, 'latin1')

for (const arch of values.arch.split(',')) {
  const opened = await openTree({
    srctree: tree,
    arch,
    folder: work,
    probeCacheFile: join(cache, 'probes.json'),
  })
  if (!opened.ok) {
    console.log(`${arch}: ${opened.error.message}`)
    differences++
    continue
  }
  const model = opened.value
  const sourceArch = opened.environment.SRCARCH
  const popenCache = join(cache, `popen-${arch}`)
  mkdirSync(popenCache, { recursive: true })
  const environment = { ...opened.environment, KCONFIG_DEFCONFIG_LIST: '' }
  if (values.preload)
    Object.assign(environment, { LD_PRELOAD: resolve(values.preload), PROBE_CACHE: popenCache })

  let count = 0
  let wrong = 0
  let stderrDiffers = 0
  let run = 0
  /** Runs conf in an empty folder; @returns its .config (or what `output` names) and standard error. */
  const conf = (args, { config, extra = {}, output = '.config' } = {}) => {
    const folder = join(work, 'conf')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    if (config !== undefined) writeFileSync(join(folder, '.config'), config, 'latin1')
    const result = spawnSync(resolve(values.conf), [...args, 'Kconfig'], {
      cwd: folder,
      env: { ...environment, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    })
    const file = join(folder, output)
    return {
      text: existsSync(file) ? read(file) : `exit ${result.status}`,
      stderr: result.stderr,
      stdout: result.stdout,
    }
  }
  const check = (label, expected, actual, stderr, warnings) => {
    count++
    if (expected !== actual) {
      wrong++
      if (wrong <= 3 || values.verbose) {
        const a = expected.split('\n')
        const b = actual.split('\n')
        const at = a.findIndex((line, i) => line !== b[i])
        console.log(
          `  differs: ${arch} ${label} line ${at + 1}: conf ${JSON.stringify(a[at])}, ours ${JSON.stringify(b[at])}`,
        )
      }
    }
    if (stderr !== undefined && stderr !== warnings) {
      stderrDiffers++
      if (stderrDiffers <= 2 || values.verbose) {
        const a = stderr.split('\n')
        const b = warnings.split('\n')
        const at = a.findIndex((line, i) => line !== b[i])
        console.log(
          `  messages differ: ${arch} ${label} line ${at + 1}: conf ${JSON.stringify(a[at])}, ours ${JSON.stringify(b[at])}`,
        )
      }
    }
  }
  const mine = () => run++ % shareCount === shareIndex
  const messagesOf = (...lists) => [...opened.messages, ...lists.flat()].map((line) => `${line}\n`).join('')
  const warningsOf = (configuration) => configuration.warnings.join('')

  const fresh = () => {
    const configuration = createConfiguration(model)
    configuration.invalidate()
    return configuration
  }

  if (what.has('all')) {
    for (const [mode, ours] of [
      ['allnoconfig', 'no'],
      ['allyesconfig', 'yes'],
      ['allmodconfig', 'mod'],
      ['alldefconfig', 'default'],
    ]) {
      if (!mine()) continue
      const expected = conf([`--${mode}`])
      const configuration = createConfiguration(model)
      answerAll(configuration, ours)
      const text = writeConfig(configuration)
      check(mode, expected.text, text, expected.stderr, messagesOf() + warningsOf(configuration))
    }
    const tiny = ['tiny-base.config', 'tiny.config'].map((name) => join(tree, 'kernel/configs', name))
    if (existsSync(tiny[0]) && mine()) {
      const expected = conf(['--allnoconfig'], { extra: { KCONFIG_ALLCONFIG: tiny[0] } })
      const configuration = createConfiguration(model)
      const { warnings } = assignAll(configuration, read(tiny[0]), { name: tiny[0] })
      answerAll(configuration, 'no')
      const text = writeConfig(configuration)
      check(
        'tinyconfig',
        expected.text,
        text,
        expected.stderr,
        messagesOf(warnings) + warningsOf(configuration),
      )
    }
  }

  const configsFolder = join(tree, 'arch', sourceArch, 'configs')
  const defconfigs = []
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) walk(join(folder, entry.name))
      else if (entry.name === 'defconfig' || entry.name.endsWith('_defconfig'))
        defconfigs.push(join(folder, entry.name))
    }
  }
  if (existsSync(configsFolder)) walk(configsFolder)
  for (const file of defconfigs.sort()) {
    if (!what.has('defconfig') && !what.has('save')) break
    if (!mine()) continue
    const expected = conf([`--defconfig=${file}`])
    const configuration = createConfiguration(model)
    const { warnings } = readConfig(configuration, read(file), { name: file })
    answerAll(configuration, 'default')
    const text = writeConfig(configuration)
    check(
      file.slice(tree.length + 1),
      expected.text,
      text,
      expected.stderr,
      messagesOf(warnings) + warningsOf(configuration),
    )
    if (!what.has('save')) continue
    const saved = conf(['--savedefconfig=defconfig'], { config: expected.text, output: 'defconfig' })
    const again = createConfiguration(model)
    const reading = readConfig(again, expected.text, { name: '.config' })
    const minimal = writeMinimalConfig(again)
    check(
      `savedefconfig of ${file.slice(tree.length + 1)}`,
      saved.text,
      minimal,
      saved.stderr,
      messagesOf(reading.warnings) + warningsOf(again),
    )
  }

  if (what.has('rand'))
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      if (!mine()) continue
      const probability =
        seed % 5 === 0 ? '20:30' : seed % 7 === 0 ? '10:30:60' : seed % 3 === 0 ? '70' : undefined
      const extra = {
        KCONFIG_SEED: String(seed),
        ...(probability ? { KCONFIG_PROBABILITY: probability } : {}),
      }
      const allconfig = seed % 4 === 0 ? defconfigs[seed % defconfigs.length] : undefined
      if (allconfig) extra.KCONFIG_ALLCONFIG = allconfig
      const expected = conf(['--randconfig'], { extra })
      const configuration = createConfiguration(model)
      const warnings = []
      if (allconfig) warnings.push(...assignAll(configuration, read(allconfig), { name: allconfig }).warnings)
      answerRandomly(configuration, createRandom(seed), parseProbability(probability))
      const text = writeConfig(configuration)
      check(
        `randconfig ${seed}`,
        expected.text,
        text,
        expected.stderr,
        messagesOf(warnings) + warningsOf(configuration),
      )
    }

  if (what.has('olddef') && values.configs)
    for (const name of readdirSync(values.configs).sort()) {
      if (!mine()) continue
      const config = read(join(values.configs, name))
      const expected = conf(['--olddefconfig'], { config })
      const configuration = fresh()
      const { warnings } = readConfig(configuration, config, { name: '.config' })
      const text = writeConfig(configuration)
      check(
        `olddefconfig ${name}`,
        expected.text,
        text,
        expected.stderr,
        messagesOf(warnings) + warningsOf(configuration),
      )
    }

  differences += wrong
  console.log(
    `${arch.padEnd(8)} ${String(count).padStart(5)} compared, ${wrong} differ, ${stderrDiffers} with other messages`,
  )
}
rmSync(work, { recursive: true, force: true })
process.exitCode = differences > 0 ? 1 : 0
