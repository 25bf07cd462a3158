import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelHeadersPackage } from '../../src/kernel/index.ts'
import {
  checkKmods,
  createKmodSource,
  type KmodFinding,
  type KmodSource,
  kmodName,
  openKmodFolder,
  parseSymvers,
  planLoad,
  type Symvers,
} from '../../src/kmod/index.ts'
import { type MaterialPackage, unpackedPackage } from '../../test/material.ts'
import { seededRandom } from '../../test/seeded-random.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { type Damage, damages } from './damage.ts'
import { fetchable, indexedKernel, kernels, modulesFolder } from './kernels.ts'
import { type Modprobe, modprobeFor } from './modprobe.ts'

/** How many modules are damaged in each way. */
const victims = 20

/** Every module of every kernel as it is, and some of them damaged. */
export async function verifyCheck({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const { found, notJudged } = await fetchable(kernels, progress)
  const opened = new Map<MaterialPackage, KmodSource>()
  for (const kernel of found) opened.set(kernel, openModules(await modulesFolder(kernel)))
  for (const [kernel, source] of opened) {
    const indexed = await indexedKernel(kernel, folder)
    const { version } = indexed
    const symvers = await symversOf(kernel, version)
    const whole = await checkKmods(source, { symvers, release: version })
    const warnings = whole.findings.filter(({ severity }) => severity === 'warning')
    const wrong = [
      ...whole.findings.filter(({ severity }) => severity !== 'warning').map(({ message }) => message),
      ...(await unfounded(warnings, source, modprobeFor(indexed))),
    ]
    const firmware = await compareFirmware(source, indexed)
    const foreign = [...opened].find(([other]) => other.architecture !== kernel.architecture)?.[1]
    const damaged = await findDamage({ source, symvers, version, foreign })
    const all = [...wrong, ...firmware.different, ...damaged.missed]
    for (const line of all.slice(0, 20)) progress(`${version}: ${line}`)
    progress(`${version}: ${all.length} differences`)
    failures += all.length
    rows.push([
      version,
      whole.modules,
      whole.provedSymbols,
      wrong.length,
      warnings.length,
      `${firmware.names}, ${firmware.different.length} differ`,
      damaged.tried,
      damaged.missed.length,
    ])
  }
  return {
    columns: [
      'kernel',
      'modules',
      'imports proved',
      'false findings',
      'softdeps bare or without an answer',
      'firmware names, as modinfo',
      'modules damaged',
      'damage not found, or more than it',
    ],
    rows,
    notes: [
      "Every module against the Module.symvers of Debian's headers package, as `kmod check` does for a whole tree. A softdep that nothing answers to is found rightly where `modprobe -R` has no answer either, a bare one where its line begins with neither `pre:` nor `post:`.",
      `Damaged, up to ${victims} modules drawn by seed for each: ${damages.map(({ what }) => what).join('; ')}; the module that exports a symbol left out of the plan. Each is checked in its load plan; that finding, of that module, has to be all there is.`,
    ],
    failures,
    notJudged,
  }
}

function openModules(folder: string): KmodSource {
  const source = openKmodFolder(folder)
  if (!source.ok) throw new Error(source.error.message)
  return source.value
}

async function symversOf(kernel: MaterialPackage, version: string): Promise<Symvers> {
  const headers = kernelHeadersPackage(kernel.package)
  if (headers === undefined) throw new Error(`${kernel.package} has no headers package`)
  const unpacked = await unpackedPackage({ ...kernel, package: headers })
  const file = join(unpacked, `usr/src/linux-headers-${version}/Module.symvers`)
  // The archive may have moved on between the day of one and of the other.
  if (!existsSync(file))
    throw new Error(
      `${headers} is of another build than ${kernel.package}: remove ${unpacked} and ${await unpackedPackage(kernel)}, and both are fetched again`,
    )
  return parseSymvers(readFileSync(file, 'utf8'))
}

/** Warnings that are not so, as far as modprobe tells. */
async function unfounded(
  warnings: readonly KmodFinding[],
  source: KmodSource,
  modprobe: Modprobe,
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const warning of warnings) {
    const isSo =
      (warning.type === 'softdep-bare' && !/^(pre|post):/.test(warning.line)) ||
      (warning.type === 'softdep-missing' &&
        !source.builtin.has(kmodName(warning.wanted)) &&
        (await modprobe.resolve(warning.wanted)).length === 0)
    if (!isSo) wrong.push(warning.message)
  }
  return wrong
}

/** The firmware that is missing where there is none, against what `modinfo` says that the modules ask for. */
async function compareFirmware(
  source: KmodSource,
  { indexedFolder, root, version }: { indexedFolder: string; root: string; version: string },
): Promise<{ readonly names: number; readonly different: readonly string[] }> {
  const { findings } = await checkKmods(source, { release: version, firmware: { files: [] } })
  const ours = new Set(findings.flatMap((one) => (one.type === 'firmware-missing' ? [one.file] : [])))
  const modinfo = (...args: readonly string[]): readonly string[] =>
    execFileSync('modinfo', ['-F', 'firmware', ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
      .split('\n')
      .filter((line) => line !== '')
  const files = [...source.names.values()].map((path) => join(indexedFolder, path))
  const theirs = new Set<string>()
  for (let at = 0; at < files.length; at += 500)
    for (const name of modinfo(...files.slice(at, at + 500))) theirs.add(name)
  const builtin = [...source.builtin].filter((name) => !source.names.has(name))
  for (const name of builtin) for (const file of modinfo('-b', root, '-k', version, name)) theirs.add(file)
  return {
    names: theirs.size,
    different: [
      ...[...theirs].filter((name) => !ours.has(name)).map((name) => `no finding for firmware ${name}`),
      ...[...ours].filter((name) => !theirs.has(name)).map((name) => `modinfo knows no firmware ${name}`),
    ],
  }
}

interface Kernel {
  readonly source: KmodSource
  readonly symvers: Symvers
  readonly version: string
  readonly foreign: KmodSource | undefined
}

async function findDamage(
  kernel: Kernel,
): Promise<{ readonly tried: number; readonly missed: readonly string[] }> {
  const random = seededRandom(20_261_127)
  const missed: string[] = []
  let tried = 0
  for (const damage of damages) {
    let done = 0
    for (const name of drawn([...kernel.source.names.keys()], random)) {
      if (done === victims) break
      const bytes = await contentOf(kernel.source, name)
      const damaged = await damage.apply(
        {
          name,
          bytes,
          symvers: kernel.symvers,
          foreign: async () =>
            kernel.foreign?.names.has(name) === true ? contentOf(kernel.foreign, name) : undefined,
        },
        random,
      )
      if (damaged === undefined) continue
      done++
      const wrong = await judge(kernel, damage, name, damaged)
      if (wrong !== undefined) missed.push(wrong)
    }
    tried += done
  }
  const late = await leaveOut(kernel, drawn([...kernel.source.names.keys()], random))
  return { tried: tried + late.tried, missed: [...missed, ...late.missed] }
}

/** What is not as it should be when a module is damaged. */
async function judge(
  { source, symvers, version }: Kernel,
  { what, finding, signatureForced = false }: Damage,
  name: string,
  damaged: Buffer,
): Promise<string | undefined> {
  const { findings } = await checkKmods(withFile(source, name, damaged), {
    plans: [await orderOf(source, name)],
    symvers,
    release: version,
    signatureForced,
  })
  const errors = findings.filter(({ severity }) => severity !== 'warning')
  const isFound =
    errors.length > 0 && errors.every((one) => one.type === finding && 'module' in one && one.module === name)
  if (isFound) return undefined
  return `${name}, ${what}: ${errors.map(({ type, message }) => `${type} (${message})`).join('; ') || 'nothing found'}`
}

/** Plans without the module before the last, on which the last one leans. */
async function leaveOut(
  { source, symvers, version }: Kernel,
  names: Iterable<string>,
): Promise<{ readonly tried: number; readonly missed: readonly string[] }> {
  let tried = 0
  const missed: string[] = []
  for (const name of names) {
    if (tried === victims) break
    const kmod = await source.load(name)
    const [left] = kmod.ok ? kmod.value.depends : []
    if (left === undefined) continue
    tried++
    const plan = (await orderOf(source, name)).filter((step) => step !== left)
    const { findings } = await checkKmods(source, { plans: [plan], symvers, release: version })
    const errors = findings.filter(({ severity }) => severity !== 'warning')
    const isSo = errors.every((one) => one.type === 'late-symbol' && one.exporter === left)
    const named = errors.some((one) => one.type === 'late-symbol' && one.module === name)
    if (!isSo || !named)
      missed.push(`${name} without ${left}: ${errors.map(({ message }) => message).join('; ')}`)
  }
  return { tried, missed }
}

async function orderOf(source: KmodSource, name: string): Promise<readonly string[]> {
  const plan = await planLoad(source, [name])
  if (!plan.ok) throw new Error(plan.error.message)
  return plan.value.steps.map((step) => step.name)
}

async function contentOf(source: KmodSource, name: string): Promise<Buffer> {
  const content = await source.open(name)
  if (!content.ok) throw new Error(content.error.message)
  if (!(content.value instanceof Uint8Array)) throw new Error(`${name} is not in memory`)
  return Buffer.from(content.value)
}

/** The modules of a kernel with another file in the place of one. */
function withFile(source: KmodSource, name: string, bytes: Buffer): KmodSource {
  const own = `${name}.ko`
  return createKmodSource({
    paths: [...source.names.keys()].map((each) => `${each}.ko`),
    read: (path) => (path === own ? bytes : contentOf(source, kmodName(path))),
  })
}

/** All of them, in an order drawn by seed. */
function* drawn(names: readonly string[], random: (below: number) => number): Iterable<string> {
  const rest = [...names].sort()
  while (rest.length > 0) yield* rest.splice(random(rest.length), 1)
}
