import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import type { Request } from '../kconfig/index.ts'
import { openBuildFolder } from './build-folder.ts'
import { type BuildDifference, compareBuilds, modulesOf } from './compare-builds.ts'
import { proveModules } from './proof.ts'
import { createReasons, type Reason } from './reasons.ts'
import { inTrialBuild, type TrialOptions } from './trial-build.ts'
import { type SymbolChange, wishFor } from './wish.ts'

/** Whether something can be added to a kernel that is flashed. */
export type Verdict =
  /** the kernel stays as it is: new modules, and those that change with them, are all there is to do */
  | 'module-only'
  /** built-in code differs, because of the symbols that were asked for */
  | 'new-vmlinux'
  /** built-in code differs because of symbols that were not asked for, but come along */
  | 'needs-more'

export interface Impact {
  readonly verdict: Verdict
  readonly release: string
  /** the whole difference of the two configurations, what was asked for first */
  readonly changes: readonly SymbolChange[]
  /** how many built-in objects there are, and how many mention a symbol that changes, in sources or headers */
  readonly builtin: { readonly objects: number; readonly looking: number }
  /** built-in objects that are not as they were */
  readonly objects: readonly ObjectChange[]
  /** names that the kernel exports otherwise than before, or no more */
  readonly exports: readonly string[]
  readonly modules: {
    /** to be installed */
    readonly added: readonly ModuleChange[]
    /** to be replaced with them, at once */
    readonly changed: readonly ModuleChange[]
    readonly gone: readonly string[]
  }
  /** what stands against loading them into the flashed kernel; sentences */
  readonly findings: readonly string[]
}

export interface ObjectChange {
  readonly path: string
  readonly change: 'different' | 'new' | 'gone'
  readonly reasons: readonly Reason[]
}

export interface ModuleChange {
  readonly path: string
  readonly reasons: readonly Reason[]
}

export interface ImpactOptions extends TrialOptions {
  /** folder that gets the modules that are new or changed, by their paths in the source, where they are proved */
  readonly output?: string
}

/**
 * Finds out what the kernel in a build folder becomes when these symbols get these values.
 *
 * @throws UserError
 */
export async function kernelImpact(
  buildFolder: string,
  requests: readonly Request[],
  options: ImpactOptions = {},
): Promise<Impact> {
  const build = openBuildFolder(buildFolder)
  if (build.config.get('MODULES') !== 'y')
    throw new UserError({
      what: `the kernel in ${buildFolder} takes no modules`,
      why: 'it was built without CONFIG_MODULES',
    })
  const wish = await wishFor(build, requests)
  const { changes } = wish
  return inTrialBuild(build, wish, options, async (folder) => {
    const difference = await compareBuilds(build.folder, folder, build)
    const reasons = createReasons(build, folder, changes)
    const objects = objectChanges(difference, reasons)
    const { modules, builtinObjects } = difference
    const made = [...modules.added, ...modules.different]
    const all = modulesOf(folder)
    const verdict = verdictOf(objects, difference.exports.length, changes)
    const findings = verdict === 'module-only' ? await proveModules(build, folder, all, made) : []
    const proved = verdict === 'module-only' && findings.length === 0
    if (options.output !== undefined && proved) copyModules(folder, made, options.output)
    return {
      verdict,
      release: build.release,
      changes,
      builtin: { objects: builtinObjects.size, looking: reasons.looking(builtinObjects) },
      objects,
      exports: difference.exports.map(({ name }) => name),
      modules: {
        added: modules.added.map((path) => ({ path, reasons: reasons.ofPresence(path) })),
        changed: modules.different.map((path) => ({ path, reasons: reasons.ofModule(path) })),
        gone: modules.gone,
      },
      findings,
    }
  })
}

function objectChanges(
  { builtin }: BuildDifference,
  reasons: ReturnType<typeof createReasons>,
): readonly ObjectChange[] {
  const each = (
    paths: readonly string[],
    change: ObjectChange['change'],
    why: (path: string) => readonly Reason[],
  ): readonly ObjectChange[] => paths.map((path) => ({ path, change, reasons: why(path) }))
  const link = reasons.ofLink()
  return [
    ...each(builtin.added, 'new', reasons.ofPresence),
    ...each(builtin.gone, 'gone', reasons.ofPresence),
    ...each(builtin.different, 'different', reasons.ofDifference),
    ...(link.length === 0 ? [] : [{ path: 'vmlinux', change: 'different' as const, reasons: link }]),
  ]
}

/** Pure: from what has changed to what that means. */
export function verdictOf(
  objects: readonly Pick<ObjectChange, 'reasons'>[],
  changedExports: number,
  changes: readonly SymbolChange[],
): Verdict {
  if (objects.length === 0 && changedExports === 0) return 'module-only'
  const asked = new Set(changes.flatMap(({ symbol, asked }) => (asked ? [symbol] : [])))
  const alone = changes.every(({ symbol }) => asked.has(symbol))
  const byWish = ({ symbol }: Reason): boolean => (symbol === undefined ? alone : asked.has(symbol))
  return objects.every(({ reasons }) => reasons.some(byWish)) ? 'new-vmlinux' : 'needs-more'
}

function copyModules(from: string, paths: readonly string[], to: string): void {
  for (const path of paths) {
    mkdirSync(dirname(join(to, path)), { recursive: true })
    cpSync(join(from, path), join(to, path))
  }
}
