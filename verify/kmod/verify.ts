/**
 * Kernel modules against kmod's own tools, over every module of Debian's kernels: modprobe's plans, depmod's
 * dependency map, and who answers to an alias.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKmodFolder, readKmodGraph } from '../../src/kmod/index.ts'
import { debianKernelFacts, sourceVersion } from '../../test/debian-kernel.ts'
import { linuxSource, unpackedPackage } from '../../test/material.ts'
import { seededRandom } from '../../test/seeded-random.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import { aliasPatterns, compareAliases, concreteAlias, nearMiss } from './aliases.ts'
import { boardsOf, compareBoards } from './boards.ts'
import { verifyCheck } from './check.ts'
import { compareImage, compareModuleTables, sourcesOf } from './drivers.ts'
import { type FuzzOutcome, fuzzCompressed, fuzzReaders, seedModules } from './fuzz.ts'
import { fetchable, indexedKernel, kernels, modulesFolder } from './kernels.ts'
import { modprobeFor } from './modprobe.ts'
import { compareDependencyMap, comparePlans } from './plans.ts'
import { verifyRules } from './rules.ts'
import { verifySequences } from './sequences.ts'

export const verifications: readonly Verification[] = [
  {
    name: 'kmod-plans',
    title: 'Load plans, dependency maps and aliases of every kernel module',
    run: verifyPlans,
  },
  {
    name: 'kmod-check',
    title: 'Proof that modules load: every kernel module as it is, and damaged ones',
    run: verifyCheck,
  },
  {
    name: 'kmod-match',
    title: 'Modules that drive the hardware of device trees',
    run: verifyBoards,
  },
  {
    name: 'kmod-drivers',
    title: 'Drivers that a kernel has, read from its source',
    run: verifyDrivers,
  },
  {
    name: 'kmod-fuzz',
    title: 'Mutated kernel modules',
    run: verifyMutated,
  },
  {
    name: 'kmod-rules',
    title: 'Rulesets with exactly the modules that were worked out, and with each of them taken away',
    run: verifyRules,
  },
  {
    name: 'kmod-sequences',
    title: 'Services that share kernel modules, started and stopped at random',
    run: verifySequences,
  },
]

const mutatedModules = 1_000_000
const mutatedCompressed = 2_000

/** Assembled modules of every shape, and real ones of each of the plain kernels. */
async function verifyMutated({ progress }: VerifyContext): Promise<Judgement> {
  const real: Buffer[] = []
  for (const kernel of kernels.filter(({ release }) => release === 'bookworm')) {
    const folder = await modulesFolder(kernel)
    const names = ['kernel/net/netfilter/nft_masq.ko', 'kernel/lib/libcrc32c.ko']
    real.push(...names.map((name) => readFileSync(join(folder, name))))
  }
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const row = (what: string, count: number, outcome: FuzzOutcome): void => {
    for (const line of outcome.failures.slice(0, 10)) progress(line)
    failures += outcome.failures.length
    rows.push([what, count, outcome.accepted, outcome.refused, outcome.failures.length])
  }
  const half = mutatedModules / 2
  row('assembled, 4 shapes', half, fuzzReaders(seedModules(), half, seededRandom(3)))
  row(`real, ${real.length} files`, half, fuzzReaders(real, half, seededRandom(4)))
  row('compressed', mutatedCompressed, await fuzzCompressed(mutatedCompressed, seededRandom(5)))
  return {
    columns: ['modules', 'mutations', 'read', 'refused', 'threw, hung, or read past the end'],
    rows,
    notes: ['Compressed modules may unpack to 1 MiB here; whatever says more is refused at that.'],
    failures,
  }
}

const concreteAliases = 5_000
const nearMisses = 1_000

async function verifyPlans({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const { found, notJudged } = await fetchable(kernels, progress)
  for (const kernel of found) {
    const indexed = await indexedKernel(kernel, folder)
    const source = openKmodFolder(indexed.folder)
    if (!source.ok) throw new Error(source.error.message)
    const modprobe = modprobeFor(indexed)
    const graph = await readKmodGraph(source.value)
    const modulesDep = readFileSync(join(indexed.indexedFolder, 'modules.dep'), 'utf8')
    const dependencies = compareDependencyMap(source.value, graph, modulesDep)
    const names = [...source.value.names.keys()]
    const plans = await comparePlans(source.value, graph, modprobe, names)
    const random = seededRandom(20_261_124)
    const patterns = await aliasPatterns(source.value)
    const concrete = Array.from({ length: concreteAliases }, () =>
      concreteAlias(patterns[random(patterns.length)] ?? '', random),
    )
    const near = concrete.slice(0, nearMisses).map((alias) => nearMiss(alias, random))
    const aliases = await compareAliases(source.value, modprobe, [...concrete, ...near])
    const differences = [...dependencies, ...plans.notAsModprobe, ...plans.unexplained, ...aliases]
    for (const line of differences.slice(0, 20)) progress(`${indexed.version}: ${line}`)
    progress(`${indexed.version}: ${differences.length} differences`)
    failures += differences.length + graph.unreadable.size + graph.disagreements.length
    rows.push([
      indexed.version,
      names.length,
      plans.notAsModprobe.length,
      plans.unexplained.length,
      plans.larger,
      dependencies.length,
      graph.disagreements.length,
      `${aliases.length} of ${concrete.length + near.length}`,
    ])
  }
  const [version = ''] = execFileSync('modprobe', ['--version'], { encoding: 'utf8' }).split('\n')
  return {
    columns: [
      'kernel',
      'modules',
      'plan not as modprobe’s',
      'own plan unexplained',
      'own plan larger (softdeps)',
      'not as modules.dep',
      'symbols against depends=',
      'aliases answered otherwise',
    ],
    rows,
    notes: [
      `Against ${version}, on trees that its depmod indexed. Aliases: ${concreteAliases} made from the kernel's own patterns and ${nearMisses} near misses.`,
    ],
    failures,
    notJudged,
  }
}

const boardsOfEach = 40

/** Boards drawn by seed from the kernels that come with device trees. */
async function verifyBoards({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const withTrees = kernels.filter(({ architecture }) => ['arm64', 'armhf'].includes(architecture))
  const { found, notJudged } = await fetchable(withTrees, progress)
  for (const kernel of found) {
    const indexed = await indexedKernel(kernel, folder)
    const source = openKmodFolder(indexed.folder)
    if (!source.ok) throw new Error(source.error.message)
    const random = seededRandom(40)
    const all = [...(await boardsOf(kernel))]
    const boards = Array.from({ length: boardsOfEach }, () => all.splice(random(all.length), 1).join(''))
    const { devices, withModules, different } = await compareBoards(
      source.value,
      modprobeFor(indexed),
      boards,
    )
    for (const line of different.slice(0, 20)) progress(`${indexed.version}: ${line}`)
    failures += different.length
    rows.push([indexed.version, boards.length, devices, withModules, different.length])
  }
  return {
    columns: ['kernel', 'boards', 'enabled devices', 'with a module', 'modprobe finds others'],
    rows,
    notes: ['Each device under the modalias that its bus sends, against `modprobe -R`.'],
    failures,
    notJudged,
  }
}

/** Kernels for device trees, each with its source. The image of armmp unpacks itself, and is not looked into. */
const withSource = kernels.flatMap((kernel) => {
  const { architecture, release } = kernel
  if (architecture !== 'arm64' && architecture !== 'armhf') return []
  const isArm64 = architecture === 'arm64'
  const source = release === 'bookworm' ? ('6.1' as const) : ('6.12' as const)
  return [{ ...kernel, source, arch: isArm64 ? 'arm64' : 'arm', hasPlainImage: isArm64 }]
})

/** Every table of every module against its aliases, and every built-in driver against the kernel's image. */
async function verifyDrivers({ progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const { found, notJudged: notFetched } = await fetchable(withSource, progress)
  const notJudged = [...notFetched]
  for (const kernel of found) {
    const { source, arch, hasPlainImage } = kernel
    const folder = await modulesFolder(kernel)
    const version = folder.slice(folder.lastIndexOf('/') + 1)
    const boot = join(await unpackedPackage(kernel), 'boot')
    const modules = openKmodFolder(folder)
    if (!modules.ok) throw new Error(modules.error.message)
    const tree = await linuxSource(source)
    const [ofKernel, ofSource] = [(await debianKernelFacts(kernel)).version, sourceVersion(tree)]
    if (ofKernel !== ofSource) {
      const why = `it is Linux ${ofKernel}, and the source ${ofSource}`
      progress(`${version}: not judged: ${why}`)
      notJudged.push(`${version} (${why})`)
      rows.push([version, ofKernel, ofSource, 'not judged', ...Array<string>(6).fill('')])
      continue
    }
    const sources = sourcesOf(tree, arch, join(boot, `config-${version}`))
    const tables = await compareModuleTables(modules.value, sources)
    const image = hasPlainImage
      ? compareImage(sources, readFileSync(join(boot, `vmlinuz-${version}`)))
      : undefined
    const wrong = [...tables.different, ...(image?.absent ?? []), ...(image?.present ?? [])]
    for (const line of wrong.slice(0, 20)) progress(`${version}: ${line}`)
    failures += wrong.length
    rows.push([
      version,
      ofKernel,
      ofSource,
      tables.modules,
      tables.compatibles,
      tables.different.length,
      ...(image === undefined
        ? ['–', '–', '–', '–']
        : [image.builtin, image.absent.length, image.off, image.present.length]),
    ])
  }
  if (notJudged.length === withSource.length) throw new Error('no kernel is of the version of its source')
  return {
    columns: [
      'kernel',
      'is Linux',
      'the source',
      'modules with of: aliases',
      'compatibles in them',
      'modules read otherwise',
      'compatibles of what is built in',
      'not in the image',
      'of drivers that are off',
      'in the image all the same',
    ],
    rows,
    notes: [
      "Every source file under the kernel's own configuration: what it says of modules against the aliases that the build put into them, of what is built in (drivers, early consoles, quirks of cards) against the bytes of the image. The image of armmp unpacks itself and is not looked into.",
    ],
    failures,
    notJudged,
  }
}
