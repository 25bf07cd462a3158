import {
  type KmodGraph,
  type KmodSource,
  type LoadPlan,
  planAsModprobe,
  planLoad,
  reasonChain,
} from '../../src/kmod/index.ts'
import { forEach, type Modprobe } from './modprobe.ts'

export interface PlanComparison {
  /** Modules for which `--as-modprobe` has other files than modprobe, or an order in which they do not load. */
  readonly notAsModprobe: readonly string[]
  /** Modules whose own plan lacks something of modprobe's, or has more without a softdep line that says why. */
  readonly unexplained: readonly string[]
  /** Modules that have more in their own plan than in modprobe's. */
  readonly larger: number
}

/** Plans each module by itself, in our two ways and with modprobe. */
export async function comparePlans(
  source: KmodSource,
  graph: KmodGraph,
  modprobe: Modprobe,
  names: readonly string[],
): Promise<PlanComparison> {
  const notAsModprobe: string[] = []
  const unexplained: string[] = []
  let larger = 0
  await forEach(names, async (name) => {
    const theirs = [...new Set(await modprobe.showDepends(name))]
    const same = await planAsModprobe(source, name)
    if (!same.ok) notAsModprobe.push(`${name}: ${same.error.message}`)
    else {
      const { steps } = same.value
      const paths = steps.map(({ path }) => path)
      const loads = isLoadable(
        steps.map((step) => step.name),
        graph,
      )
      if (!sameSet(paths, theirs)) notAsModprobe.push(`${name}: ${paths} instead of ${theirs}`)
      else if (!loads) notAsModprobe.push(`${name}: ${paths} is no order of loading`)
    }
    const own = await planLoad(source, [name])
    if (!own.ok) {
      unexplained.push(`${name}: ${own.error.message}`)
      return
    }
    const added = own.value.steps.filter(({ path }) => !theirs.includes(path))
    if (added.length > 0) larger++
    const lacks = theirs.filter((path) => !own.value.steps.some((step) => step.path === path))
    if (lacks.length > 0) unexplained.push(`${name}: lacks ${lacks}`)
    if (
      !isLoadable(
        own.value.steps.map((step) => step.name),
        graph,
      )
    )
      unexplained.push(`${name}: out of order`)
    for (const step of added) {
      if (!namesSoftdep(own.value, step.name)) unexplained.push(`${name}: ${step.path} without a reason`)
    }
  })
  return { notAsModprobe: notAsModprobe.sort(), unexplained: unexplained.sort(), larger }
}

function namesSoftdep(plan: LoadPlan, name: string): boolean {
  return reasonChain(plan, name).some(({ type }) => type === 'softdep')
}

function isLoadable(names: readonly string[], graph: KmodGraph): boolean {
  return names.every((name, at) =>
    graph.depends.get(name)?.every((other) => names.indexOf(other) < at && names.includes(other)),
  )
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join()
}

/** Lines of depmod's modules.dep that say something else than our graph. */
export function compareDependencyMap(
  source: KmodSource,
  graph: KmodGraph,
  modulesDep: string,
): readonly string[] {
  const different: string[] = []
  const lines = modulesDep.split('\n').filter((line) => line !== '')
  const theirs = new Map(lines.map((line) => line.split(':', 2) as [string, string]))
  for (const [name, path] of source.names) {
    const expected = theirs.get(path)?.trim().split(' ').sort().join(' ')
    const ours = [...allDepends(graph, name)]
      .map((other) => source.names.get(other))
      .sort()
      .join(' ')
    if (ours !== expected) different.push(`${path}: ${ours} instead of ${expected}`)
    theirs.delete(path)
  }
  for (const path of theirs.keys()) different.push(`${path}: only depmod knows it`)
  return different
}

function allDepends(graph: KmodGraph, name: string): ReadonlySet<string> {
  const found = new Set<string>(graph.depends.get(name))
  for (const other of found) for (const next of graph.depends.get(other) ?? []) found.add(next)
  return found
}
