import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matchesGlob } from '../src/kmod/glob.ts'
import {
  type KmodSource,
  kmodName,
  lookUp,
  type ModprobeConfig,
  type ModprobeFile,
  openKmodFolder,
  parseModprobeConfig,
  planAsModprobe,
  planLoad,
} from '../src/kmod/index.ts'
import { type IndexedKernel, indexedKernel } from '../verify/kmod/kernels.ts'
import { type Random, seededRandom } from './seeded-random.ts'

let scratch = ''
let kernel: IndexedKernel
let source: KmodSource
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'firmwright-modprobe-config-'))
  kernel = await indexedKernel(
    { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' },
    scratch,
  )
  const opened = openKmodFolder(kernel.folder)
  if (!opened.ok) throw new Error(opened.error.message)
  source = opened.value
}, 600_000)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Modules that have dependencies, softdeps, aliases, or nothing; one that is built in; one that is nowhere. */
const names = [
  'nft_masq',
  'nf_nat',
  'libcrc32c',
  'btrfs',
  'xor',
  'dummy',
  'crc32c_generic',
  'ext4',
  'mbcache',
]
const others = ['nf-conntrack', 'unix', 'nowhere', 'nft-expr-masq', 'fs-btrfs', 'my-own', 'my:x9', 'crc32c']
const wanted = [...names, ...others, 'nft-expr-2-masq']

/** Lines as people write them, and some as they should not. */
function randomFile(random: Random): string {
  const one = (list: readonly string[]): string => list[random(list.length)] ?? ''
  const any = (): string => one([...names, ...others])
  const lines = Array.from({ length: random(9) }, (): string => {
    switch (random(9)) {
      case 0:
        return `alias ${one(['my-own', 'my:x*', 'my_[a-z]*', 'nft-expr-[0-9]-masq', 'dummy', 'crc32?'])} ${any()}`
      case 1:
        return `options\t${any()} ${one(['a=1', 'b=2  c="d e"', 'f\tg', ' h=1'])}`
      case 2:
        return `blacklist ${any()}`
      case 3:
        return `softdep ${one([...names, 'nf_*', '*'])} ${one(['pre:', 'post:', ''])} ${any()} ${one(['post:', 'pre: mbcache', ''])} ${any()}`
      case 4:
        return `install ${one([...names, 'my_own', 'nf_*'])} /bin/${one(['true', 'false'])} $CMDLINE_OPTS`
      case 5:
        return `remove ${any()} /bin/true`
      case 6:
        return `options ${any()} x=\\\n1 y=\\2`
      case 7:
        return one([
          '# options dummy z=1',
          ' # no comment',
          'alias one',
          'blacklist',
          '',
          'nonsense a b',
          'options dummy',
        ])
      default:
        return `  options   ${any()}   i=${random(9)}`
    }
  })
  return lines.join('\n') + one(['', '\n'])
}

/** `--show-depends`: what is inserted or run with its options, each module once, and what is built in. */
function modprobe(folders: readonly string[], target: string) {
  const config = folders.flatMap((folder) => ['-C', folder])
  const args = ['-d', kernel.root, '-S', kernel.version, ...config, '--show-depends', '--', target]
  const { stdout, status } = spawnSync('modprobe', args, { encoding: 'utf8' })
  const seen = new Set<string>()
  const actions: string[] = []
  const order: string[] = []
  for (const line of stdout.split('\n').filter((each) => each !== '')) {
    const [verb = '', what = ''] = line.split(' ')
    const key = verb === 'install' ? line : what
    if (verb === 'builtin' || seen.has(key)) continue
    seen.add(key)
    actions.push(line.replace(`${kernel.indexedFolder}/`, '').trimEnd())
    if (verb === 'insmod') order.push(kmodName(what))
  }
  return { found: status === 0, actions, order }
}

/** Everything that a module depends on, directly or not. */
async function dependenciesOf(name: string): Promise<ReadonlySet<string>> {
  const all = new Set<string>()
  const stack = [name]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const kmod = await source.load(next)
    for (const other of kmod.ok ? kmod.value.depends : []) {
      if (!all.has(other)) stack.push(other)
      all.add(other)
    }
  }
  return all
}

/** What softdep lines say of a module, its own and those of the configuration: modules that stand before or after it. */
async function softdepsOf(name: string, config: ModprobeConfig): Promise<ReadonlySet<string>> {
  const kmod = await source.load(name)
  const own = kmod.ok ? kmod.value.softdeps : []
  const configured = config.softdeps.filter(({ pattern }) => matchesGlob(pattern, name))
  const found = new Set<string>()
  for (const { pre, post } of [...own, ...configured.map(({ softdep }) => softdep)]) {
    for (const wanted of [...pre, ...post]) {
      const modules = await lookUp(source, wanted)
      for (const module of modules.ok ? modules.value : []) found.add(module)
    }
  }
  return found
}

/** Pairs for whose order there is a reason, and which stand the other way round in one of the two. */
async function turnedRound(
  ours: readonly string[],
  theirs: readonly string[],
  config: ModprobeConfig,
): Promise<{ readonly compared: number; readonly pairs: readonly string[] }> {
  const pairs: string[] = []
  let compared = 0
  for (const [at, name] of theirs.entries()) {
    const related = new Set([...(await dependenciesOf(name)), ...(await softdepsOf(name, config))])
    for (const other of related) {
      const there = theirs.indexOf(other)
      const here = ours.indexOf(other)
      if (there === -1 || here === -1 || other === name) continue
      compared++
      if (there < at !== here < ours.indexOf(name)) pairs.push(`${other} and ${name}`)
    }
  }
  return { compared, pairs }
}

describe('a configuration of modprobe', () => {
  it('counts as it does for modprobe: what is loaded or run for a name, in which order, and with which options', async () => {
    const random = seededRandom(7)
    const different: unknown[] = []
    let commands = 0
    let options = 0
    let ordered = 0
    for (let round = 0; round < 25; round++) {
      const folder = join(scratch, `config-${round}`)
      mkdirSync(folder)
      // One is read before what depmod knows of softdeps (modules.softdep), one after.
      const files: ModprobeFile[] = ['a.conf', 'z.alias', 'ignored'].map((name) => ({
        name,
        text: randomFile(random),
      }))
      for (const { name, text } of files) writeFileSync(join(folder, name), text)
      const config = parseModprobeConfig(files.slice(0, 2))
      for (let asked = 0; asked < 5; asked++) {
        const target = wanted[random(wanted.length)] ?? ''
        const theirs = modprobe([folder], target)
        const ours = await planAsModprobe(source, target, config)
        const actions = ours.ok
          ? ours.value.steps.map(({ path, options, command }) =>
              `${command === undefined ? `insmod ${path}` : `install ${command}`} ${options}`.trimEnd(),
            )
          : []
        commands += actions.filter((action) => action.startsWith('install')).length
        options += actions.filter((action) => /^insmod \S+ \S/.test(action)).length
        const order = await turnedRound(
          ours.ok
            ? ours.value.steps.flatMap(({ name, command }) => (command === undefined ? [name] : []))
            : [],
          theirs.order,
          config,
        )
        ordered += order.compared
        // Of two that do not need each other either may come first, and several modules may have one command.
        const shown = (all: readonly string[]): string => [...new Set(all)].sort().join('\n')
        const isSame = ours.ok === theirs.found && shown(actions) === shown(theirs.actions)
        if (!isSame || order.pairs.length > 0) {
          const turned = order.pairs
          different.push({ files: files.slice(0, 2), target, ours: actions, theirs: theirs.actions, turned })
        }
      }
    }
    expect(different).toEqual([])
    // All of it happened.
    expect(Math.min(commands, options)).toBeGreaterThan(10)
    expect(ordered).toBeGreaterThan(500)
  })

  it('is kept by our own plan, which says what it does not do', async () => {
    const text = [
      'alias my-disk btrfs',
      'options btrfs a=1',
      'options btrfs b=2',
      'blacklist nft_masq',
      'softdep btrfs post: dummy',
      'install xor /bin/true',
      'weakdep btrfs ext4',
      'nonsense',
    ].join('\n')
    const config = parseModprobeConfig([{ name: 'a.conf', text }])
    expect(config.problems).toEqual(['a.conf:8: not a line of modprobe.d: nonsense'])
    const planned = await planLoad(source, ['my-disk', 'nft-expr-masq'], config)
    if (!planned.ok) throw new Error(planned.error.message)
    const { steps, notes } = planned.value
    expect(steps.find(({ name }) => name === 'btrfs')?.options).toBe('a=1 b=2')
    expect(steps.findIndex(({ name }) => name === 'dummy')).toBeGreaterThan(
      steps.findIndex(({ name }) => name === 'btrfs'),
    )
    expect(steps.some(({ name }) => name === 'nft_masq')).toBe(false)
    const messages = notes.map(({ message }) => message)
    expect(messages).toContain('nft_masq answers to nft-expr-masq, and is blacklisted')
    expect(messages).toContain('modprobe would run a command instead of loading xor: /bin/true')
    expect(messages).toContain('ext4 may be of use to btrfs (weakdep), and is not loaded for it')
    const byName = await planLoad(source, ['nft_masq'], config)
    expect(byName.ok && byName.value.steps.some(({ name }) => name === 'nft_masq')).toBe(true)
  })
})
