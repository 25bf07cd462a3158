/** One symbol: predicted, then really built and compared; remembered, so that a run that was cut short goes on. */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type Impact, kernelImpact } from '../../src/impact/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import { make } from './base-build.ts'
import { withoutSymbol } from './forced-configuration.ts'
import { compareKernels, imageDigest, objectDigests, type Rebuilt } from './rebuilt.ts'
import type { Candidate } from './symbol-picks.ts'

/** What was found out about one symbol. */
export interface Trial {
  readonly request: string
  readonly area: string
  readonly gate: boolean
  readonly verdict: Impact['verdict']
  readonly looking: number
  readonly differ: number
  readonly because: string
  readonly added: number
  readonly changed: number
  readonly findings: readonly string[]
  readonly rebuilt: Rebuilt
  /**
   * built-in objects that differ and are the same whether or not the symbol itself is set, so by what comes along alone;
   * undefined where nothing comes along or differs
   */
  readonly othersAlone: number | undefined
  readonly seconds: number
}

export async function tryOut(base: string, candidate: Candidate, folder: string): Promise<Trial> {
  const begun = Date.now()
  const { request, area, gate, configText } = candidate
  const [name = '', value = ''] = request.split('=')
  const impact = await kernelImpact(base, [{ name, value }])
  const rebuilt = join(folder, 'rebuilt')
  const source = join(base, 'source')
  try {
    await execa('cp', ['-a', '--reflink=auto', `${base}/.`, rebuilt])
    writeFileSync(join(rebuilt, '.config'), Buffer.from(configText, 'latin1'))
    await make(source, rebuilt, ['Image', 'modules'])
    const truth = compareKernels(base, rebuilt)
    const along = impact.changes.some(({ symbol }) => symbol !== name)
    let othersAlone: number | undefined
    if (along && truth.objects.length > 0) {
      const withSymbol = objectDigests(rebuilt, truth.objects)
      withoutSymbol(rebuilt, name)
      await makeBuiltin(source, rebuilt)
      const without = objectDigests(rebuilt, truth.objects)
      othersAlone = truth.objects.filter((path) => withSymbol.get(path) === without.get(path)).length
    }
    return {
      request,
      area,
      gate,
      verdict: impact.verdict,
      looking: impact.builtin.looking,
      differ: impact.objects.length,
      because: firstReason(impact),
      added: impact.modules.added.length,
      changed: impact.modules.changed.length,
      findings: impact.findings,
      rebuilt: truth,
      othersAlone,
      seconds: Math.round((Date.now() - begun) / 1000),
    }
  } finally {
    rmSync(rebuilt, { recursive: true, force: true })
  }
}

/** Compiles all built-in code. Forced configurations need not link. */
async function makeBuiltin(source: string, folder: string): Promise<void> {
  const archive = join(folder, 'vmlinux.a')
  // Not a goal of its own: make takes what ends in `.a` for a single target, and descends into no folder.
  rmSync(archive)
  try {
    await make(source, folder, ['vmlinux'])
  } catch (error) {
    if (!existsSync(archive)) throw error
  }
}

function firstReason({ objects }: Impact): string {
  const [first] = objects
  const reason = first?.reasons[0]
  if (first === undefined || reason === undefined) return ''
  return `${first.path}: ${reason.symbol ?? ''}, ${reason.through}`
}

/** What earlier runs found out about this build with this code: a run that was cut short goes on where it was. */
export function remembered(base: string) {
  const file = join(cacheFolder, 'kernel-impact', `${digestOf(base)}.jsonl`)
  mkdirSync(join(file, '..'), { recursive: true })
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const trials = new Map<string, Trial>()
  // The last line may be half a line.
  for (const line of lines.filter((each) => each.endsWith('}'))) {
    const trial: Trial = JSON.parse(line)
    trials.set(trial.request, trial)
  }
  return {
    get: (request: string) => trials.get(request),
    add: (trial: Trial) => appendFileSync(file, `\n${JSON.stringify(trial)}`),
  }
}

function digestOf(base: string): string {
  const hash = createHash('sha256')
    .update(imageDigest(base))
    .update(readFileSync(join(base, '.config')))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const rooms = ['src/impact', 'src/kconfig', 'src/kbuild', 'src/kmod', 'src/elf']
  const files = [
    ...rooms.flatMap((room) => readdirSync(join(root, room)).map((file) => join(room, file))),
    ...['impact-trial', 'rebuilt', 'object-sections', 'forced-configuration'].map(
      (name) => `verify/kernel/${name}.ts`,
    ),
  ]
  for (const file of files.filter((name) => name.endsWith('.ts')).sort())
    hash.update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}
