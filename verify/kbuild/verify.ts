/** Holds the map of symbols and modules against real kernels, and against the kernel's own Makefile.build. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  alternativeText,
  fixedSymbols,
  holds,
  type Kbuild,
  moduleSource,
  openSourceTree,
  openSymbols,
  readKbuild,
  type SymbolState,
} from '../../src/kbuild/index.ts'
import {
  answerAll,
  answerRandomly,
  type Configuration,
  createConfiguration,
  createRandom,
  openTree,
  parseProbability,
  resolve,
  writeConfig,
} from '../../src/kconfig/index.ts'
import { parseConfigFile } from '../../src/kernel/index.ts'
import { debianKernelFacts, sourceVersion } from '../../test/debian-kernel.ts'
import { linuxSource } from '../../test/material.ts'
import type { Verification, VerifyContext } from '../verification.ts'

type Release = '6.1' | '6.12'

const kernels: readonly {
  release: Release
  suite: string
  architecture: string
  flavour: string
  srcarch: string
}[] = [
  { release: '6.1', suite: 'bookworm', architecture: 'arm64', flavour: 'arm64', srcarch: 'arm64' },
  { release: '6.1', suite: 'bookworm', architecture: 'amd64', flavour: 'amd64', srcarch: 'x86' },
  { release: '6.1', suite: 'bookworm', architecture: 'armhf', flavour: 'armmp', srcarch: 'arm' },
  { release: '6.1', suite: 'bookworm', architecture: 'mipsel', flavour: '4kc-malta', srcarch: 'mips' },
  { release: '6.12', suite: 'trixie', architecture: 'arm64', flavour: 'arm64', srcarch: 'arm64' },
  { release: '6.12', suite: 'trixie', architecture: 'amd64', flavour: 'amd64', srcarch: 'x86' },
]

export const verifications: readonly Verification[] = [
  {
    name: 'kbuild-modules-order',
    title: "Kbuild: the map evaluated on Debian's configurations against their modules.order",
    run: againstModulesOrder,
  },
  {
    name: 'kbuild-make',
    title:
      'Kbuild: what each directory builds, against the kernel’s own scripts/Makefile.build run by GNU make',
    run: againstMake,
  },
  {
    name: 'kbuild-named-symbols',
    title: 'Kbuild: modules behind several symbols, with just the named symbols turned on',
    run: namedSymbols,
  },
]

function read(folder: string, srcarch: string, symbol: (name: string) => SymbolState): Kbuild {
  const result = readKbuild({ tree: openSourceTree(folder), srcarch, symbol })
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

async function againstModulesOrder({ progress }: VerifyContext) {
  const rows: (string | number)[][] = []
  for (const { release, suite, architecture, flavour, srcarch } of kernels) {
    progress(`${release} ${flavour}`)
    const name = `linux-image-${flavour}`
    const facts = await debianKernelFacts({ release: suite, architecture, package: name })
    const source = await linuxSource(release)
    const { order } = read(source, srcarch, fixedSymbols(facts.config))
    const wanted = new Set(facts.modules)
    const missing = facts.modules.filter((path) => !order.includes(path)).length
    const extra = order.filter((path) => !wanted.has(path)).length
    const sameOrder = [...wanted].every((path, index) => order[index] === path)
    rows.push([
      facts.release,
      facts.version,
      sourceVersion(source),
      wanted.size,
      order.length,
      missing,
      extra,
      sameOrder ? 'same' : 'differs',
    ])
  }
  const failures = rows.filter((row) => row[5] !== 0 || row[6] !== 0 || row[7] !== 'same').length
  return {
    columns: ['kernel', 'is Linux', 'the source', 'modules.order', 'ours', 'missing', 'extra', 'order'],
    rows,
    failures,
  }
}

/** Randconfigs of 6.1 and 6.12, every directory that we would enter. */
async function againstMake({ folder, progress }: VerifyContext) {
  const rows: (string | number)[][] = []
  let failures = 0
  for (const release of ['6.1', '6.12'] as const)
    for (const [arch, seed] of [
      ['arm64', 1],
      ['arm64', 2],
      ['x86', 3],
      ['mips', 4],
    ] as const) {
      const source = await linuxSource(release)
      const configuration = createConfiguration(await kconfigOf(source, arch))
      const probability = parseProbability(`${seed * 20}`)
      if (probability === undefined) throw new Error('a percentage')
      answerRandomly(configuration, createRandom(seed), probability)
      const config = parseConfigFile(writeConfig(configuration))
      const kbuild = read(source, arch, fixedSymbols(config))
      const judge = makeJudge(source, release, arch, config, join(folder, `${release}-${arch}-${seed}`))
      let differing = 0
      let objects = 0
      let looked = 0
      for (const [path, directory] of kbuild.directories) {
        if (path === '') continue
        if (looked++ % 100 === 0)
          progress(`${release} ${arch} ${seed}: ${looked} of ${kbuild.directories.size}`)
        const ours = factsOf(kbuild, path)
        const theirs = judge(path)
        objects += directory.builtin.length + directory.modules.length
        if (theirs !== ours) {
          differing++
          process.stderr.write(`${path}\n ours: ${ours}\n make: ${theirs}\n`)
        }
      }
      rows.push([release, arch, seed, looked, objects, differing])
      failures += differing
    }
  return {
    columns: [
      'Linux',
      'architecture',
      'randconfig seed',
      'directories',
      'objects listed',
      'directories that differ',
    ],
    rows,
    failures,
    notes: [
      'Per directory: modules, their parts, parts of built-in objects, directories entered. GNU make includes the tree’s own scripts/Makefile.build and prints obj-m, real-obj-m, real-obj-y and subdir-ym.',
    ],
  }
}

/** What a directory builds, as a text to compare. */
function factsOf({ directories }: Kbuild, path: string): string {
  const directory = directories.get(path)
  if (directory === undefined) return ''
  const parts = (objects: typeof directory.builtin): readonly string[] =>
    objects.flatMap((object) =>
      object.parts.length > 0 ? object.parts.map((part) => part.path) : [object.path],
    )
  return text({
    modules: directory.modules.map((object) => object.path),
    moduleParts: parts(directory.modules),
    builtinParts: parts(directory.builtin),
    below: directory.below.map((each) => each.path),
  })
}

const text = (lists: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(lists)
    .map(([name, list]) => `${name}: ${[...new Set(list)].sort().join(' ')}`)
    .join('; ')

function makeJudge(
  source: string,
  release: Release,
  arch: string,
  config: ReadonlyMap<string, string>,
  folder: string,
): (path: string) => string {
  mkdirSync(join(folder, 'include/config'), { recursive: true })
  const lines = [...config].flatMap(([name, value]) =>
    value === 'n' ? [] : [`CONFIG_${name}=${value.replaceAll('#', '\\#').replaceAll('$', '$$$$')}\n`],
  )
  writeFileSync(join(folder, 'include/config/auto.conf'), lines.join(''))
  const prints = ['obj-m', 'real-obj-m', 'real-obj-y', 'subdir-ym'].map(
    (name) => `$(info @${name} $(${name}))\n`,
  )
  // The words that we are asked about come from variables, which are final after Makefile.build's include of Makefile.lib.
  writeFileSync(
    join(folder, 'judge.mk'),
    `include $(srctree)/scripts/Makefile.build\n${prints.join('')}judge: ;\n`,
  )
  return (path) => {
    const kbuildFile = `kbuild-file=${join(source, path)}/${hasKbuild(source, path) ? 'Kbuild' : 'Makefile'}`
    const { stdout, stderr } = spawnSync(
      'make',
      [
        ...[
          '-rRs',
          `-I${source}`,
          '-f',
          'judge.mk',
          'judge',
          `obj=${path}`,
          'need-builtin=1',
          'need-modorder=1',
        ],
        ...[
          `srctree=${source}`,
          'objtree=.',
          `SRCARCH=${arch}`,
          `ARCH=${arch}`,
          'CONFIG_SHELL=sh',
          'CC=true',
          'LD=true',
        ],
        ...['KBUILD_BUILTIN=1', 'KBUILD_MODULES=1', 'NM=true', 'OBJCOPY=true', 'AWK=awk'],
        ...(release === '6.12' ? [`VPATH=${source}`, kbuildFile] : []),
        ...exported(arch, config),
      ],
      { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } },
    )
    const found = (name: string): readonly string[] => {
      const line = stdout.split('\n').find((each) => each.startsWith(`@${name} `))
      if (line === undefined) throw new Error(`${path}: ${stderr}`)
      return line
        .slice(name.length + 2)
        .split(/\s+/)
        .filter((word) => word !== '')
    }
    const objects = (words: readonly string[]) => words.filter((word) => word.endsWith('.o')).map(normal)
    return text({
      modules: objects(found('obj-m')),
      moduleParts: objects(found('real-obj-m')),
      builtinParts: objects(found('real-obj-y')),
      below: found('subdir-ym').map(normal),
    })
  }
}

/** What architectures export that their directories look at. */
function exported(arch: string, config: ReadonlyMap<string, string>): readonly string[] {
  if (arch !== 'x86') return []
  return [`BITS=${config.get('64BIT') === 'y' ? 64 : 32}`]
}

const hasKbuild = (source: string, path: string): boolean =>
  openSourceTree(join(source, path)).readFile('Kbuild') !== undefined

const normal = (path: string): string => {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0) parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

const kconfigs = new Map<string, Promise<Configuration['tree']>>()
function kconfigOf(srctree: string, arch: string): Promise<Configuration['tree']> {
  const key = `${srctree} ${arch}`
  const known = kconfigs.get(key) ?? openKconfig(srctree, arch)
  kconfigs.set(key, known)
  return known
}
async function openKconfig(srctree: string, arch: string): Promise<Configuration['tree']> {
  const opened = await openTree({ srctree, arch })
  if (!opened.ok) throw new Error(opened.error.message)
  return opened.value
}

/** 20 modules of 6.1 for arm64 whose condition names several symbols: those symbols, resolved over allnoconfig. */
async function namedSymbols({ progress }: VerifyContext) {
  const source = await linuxSource('6.1')
  const tree = openSourceTree(source)
  const symbols = openSymbols(tree, 'arm64')
  if (!symbols.ok) throw new Error(symbols.error.message)
  const kbuild = read(source, 'arm64', symbols.value)
  const kconfig = await kconfigOf(source, 'arm64')
  const base = createConfiguration(kconfig)
  answerAll(base, 'no')
  const candidates = [...kbuild.modules.values()]
    .map((module) => moduleSource(kbuild, module))
    .filter(({ alternatives }) => (alternatives?.[0]?.length ?? 0) >= 2)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const random = createRandom(4)
  const rows: (string | number)[][] = []
  let failures = 0
  let tried = 0
  while (rows.length < 20 && tried++ < 400) {
    const candidate = candidates[random() % candidates.length]
    const [alternative] = candidate?.alternatives ?? []
    if (candidate === undefined || alternative === undefined) continue
    if (rows.some(([path]) => path === candidate.path)) continue
    progress(candidate.path)
    // gates of either y or m are given what the module itself needs least
    const requests = alternative.map(({ symbol, values }) => ({
      name: symbol,
      value: values.includes('m') ? 'm' : (values[0] ?? 'y'),
    }))
    const resolved = resolve(base, requests)
    // many drivers are for other architectures: Kconfig says so, and there is nothing to see
    if (!resolved.ok) continue
    const config = parseConfigFile(writeConfig(resolved.value.configuration))
    const value = (name: string) => (config.get(name) === 'y' ? 'y' : config.get(name) === 'm' ? 'm' : 'n')
    const condition = kbuild.modules.get(candidate.path.replace(/\.ko$/, '.o'))?.when
    const built = read(source, 'arm64', fixedSymbols(config)).modules.has(
      candidate.path.replace(/\.ko$/, '.o'),
    )
    const agrees = condition !== undefined && holds(condition, value) === built
    if (!built || !agrees) failures++
    rows.push([
      candidate.path,
      alternativeText(alternative),
      resolved.value.assignments.length,
      built ? 'built' : 'NOT BUILT',
    ])
  }
  return { columns: ['module', 'named symbols', 'assignments that resolve made', 'result'], rows, failures }
}
