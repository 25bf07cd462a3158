import { type Diagnostic, nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import { checkService } from './check.ts'
import { type BootPhase, bootPhases, type KmodStep, type Service } from './service.ts'

/** A service with everything that follows from the others. */
export interface PlacedService {
  readonly service: Service
  readonly phase: BootPhase
  /** Names of the services it requires, sorted, each once. */
  readonly requires: readonly string[]
  /** Names of the services it only follows, sorted, each once; all exist, and none is in `requires`. */
  readonly after: readonly string[]
}

/** Proved: names are unique, every required service exists, no cycles, no service waits for a later phase. */
export interface ServiceGraph {
  /** Every service after all that it requires or follows. Depends on the set of services alone, not on its order. */
  readonly order: readonly PlacedService[]
  readonly byName: ReadonlyMap<string, PlacedService>
}

/** Puts services in order. Throws a UserError that lists everything that is wrong. */
export function serviceGraph(services: readonly Service[]): ServiceGraph {
  fail(services.flatMap(checkService))
  fail(duplicates(services))
  const sorted = [...services].sort((a, b) => compare(a.name, b.name))
  const byName = new Map(sorted.map((service) => [service.name, service]))
  fail([...missing(sorted, byName), ...differingKmods(sorted)])
  const holders = sorted.filter(({ holdsState = false }) => holdsState).map(({ name }) => name)
  const edges = new Map(sorted.map((service) => [service.name, dependencies(service, byName, holders)]))
  fail(cycles(edges, byName))
  const phases = derivePhases(sorted, edges)
  fail(impossiblePhases(edges, byName, phases))

  const placed = new Map<string, PlacedService>()
  for (const service of sorted) {
    const { requires, after } = edges.get(service.name) ?? noEdges
    placed.set(service.name, { service, phase: phaseOf(phases, service.name), requires, after })
  }
  return { order: topological(placed), byName: placed }
}

interface Edges {
  readonly requires: readonly string[]
  readonly after: readonly string[]
}
const noEdges: Edges = { requires: [], after: [] }

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function fail(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new UserError(...diagnostics)
}

function duplicates(services: readonly Service[]): Diagnostic[] {
  const origins = new Map<string, Origin[]>()
  for (const { name, origin } of services) origins.set(name, [...(origins.get(name) ?? []), origin])
  return [...origins]
    .filter(([, where]) => where.length > 1)
    .map(([name, where]) => ({
      what: `${where.length === 2 ? 'two' : where.length} services are called ${name}`,
      where,
      why: 'a service is started, stopped and depended on by its name',
      fix: 'give each its own name',
    }))
}

function missing(services: readonly Service[], byName: ReadonlyMap<string, Service>): Diagnostic[] {
  return services.flatMap((service) =>
    (service.requires ?? [])
      .filter(({ name }) => !byName.has(name))
      .map(({ name }) => {
        const near = nearNames(name, byName.keys())
        return {
          what: `service ${service.name} requires ${name}, which this system does not have`,
          where: [service.origin],
          fix:
            near.length > 0
              ? `did you mean ${near.join(' or ')}?`
              : `add the service ${name} to the system, or do not require it`,
        }
      }),
  )
}

/** One module can be loaded once only: with one path and one set of parameters. */
function differingKmods(services: readonly Service[]): Diagnostic[] {
  const first = new Map<string, { step: KmodStep; service: Service }>()
  const found: Diagnostic[] = []
  for (const service of services) {
    for (const step of service.kmods ?? []) {
      const other = first.get(step.name)
      if (other === undefined) first.set(step.name, { step, service })
      else if (describeStep(other.step) !== describeStep(step)) {
        found.push({
          what: `services ${other.service.name} and ${service.name} load the kernel module ${step.name} differently`,
          where: [other.service.origin, service.origin],
          why: `${describeStep(other.step)}\n${describeStep(step)}`,
          fix: 'a module is loaded once: let both ask for the same',
        })
      }
    }
  }
  return found
}

function describeStep({ path, parameters = [] }: KmodStep): string {
  return [path, ...parameters].join(' ')
}

function dependencies(
  service: Service,
  byName: ReadonlyMap<string, Service>,
  holders: readonly string[],
): Edges {
  const requires = new Set((service.requires ?? []).map(({ name }) => name))
  const after = new Set((service.after ?? []).map(({ name }) => name).filter((name) => byName.has(name)))
  if ((service.state ?? []).length > 0) for (const holder of holders) after.add(holder)
  for (const name of requires) after.delete(name)
  return { requires: [...requires].sort(compare), after: [...after].sort(compare) }
}

function next({ requires, after }: Edges): readonly string[] {
  return [...requires, ...after]
}

/** For every knot of services that wait for each other, its shortest cycle. */
function cycles(edges: ReadonlyMap<string, Edges>, byName: ReadonlyMap<string, Service>): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const component of knots(edges)) {
    const shortest = component
      .map((name) => shortestCycle(name, edges))
      .filter((cycle) => cycle !== undefined)
      .sort((a, b) => a.length - b.length || compare(a.join(), b.join()))[0]
    if (shortest === undefined) continue
    const steps = shortest.map((name, index) => {
      const other = shortest[(index + 1) % shortest.length] ?? name
      return `${name} ${edges.get(name)?.requires.includes(other) ? 'requires' : 'comes after'} ${other}`
    })
    found.push({
      what:
        shortest.length === 1
          ? `service ${shortest[0]} waits for itself`
          : `services wait for each other: ${[...shortest, shortest[0]].join(' → ')}`,
      where: shortest.flatMap((name) => byName.get(name)?.origin ?? []),
      why: steps.join('\n'),
      fix: 'remove one of these dependencies',
    })
  }
  return found
}

/** Services that can be reached from themselves, grouped by "reach each other" (Tarjan, without recursion). */
function knots(edges: ReadonlyMap<string, Edges>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const found: string[][] = []
  for (const root of edges.keys()) {
    if (index.has(root)) continue
    const work: { name: string; rest: string[] }[] = []
    const enter = (name: string) => {
      low.set(name, index.size)
      index.set(name, index.size)
      stack.push(name)
      onStack.add(name)
      work.push({ name, rest: [...next(edges.get(name) ?? noEdges)] })
    }
    const lower = (name: string, value: number) => low.set(name, Math.min(low.get(name) ?? value, value))
    enter(root)
    for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
      const target = frame.rest.pop()
      if (target !== undefined) {
        if (!index.has(target)) enter(target)
        else if (onStack.has(target)) lower(frame.name, index.get(target) ?? 0)
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined) lower(parent.name, low.get(frame.name) ?? 0)
      if (low.get(frame.name) !== index.get(frame.name)) continue
      const component = stack.splice(stack.indexOf(frame.name))
      for (const name of component) onStack.delete(name)
      const selfish = component.length > 1 || next(edges.get(frame.name) ?? noEdges).includes(frame.name)
      if (selfish) found.push(component.sort(compare))
    }
  }
  return found
}

/** The shortest way from a service back to itself: `[a, b]` for a → b → a. */
function shortestCycle(start: string, edges: ReadonlyMap<string, Edges>): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    for (const target of next(edges.get(name) ?? noEdges)) {
      if (target === start) {
        const cycle = [name]
        for (let at = name; at !== start; ) {
          at = cameFrom.get(at) ?? start
          cycle.unshift(at)
        }
        return cycle
      }
      if (cameFrom.has(target)) continue
      cameFrom.set(target, name)
      queue.push(target)
    }
  }
  return undefined
}

/** A declared phase stands; any other service is pulled to the earliest phase of those that wait for it. */
function derivePhases(
  services: readonly Service[],
  edges: ReadonlyMap<string, Edges>,
): Map<string, BootPhase> {
  const declared = new Map(services.map(({ name, phase }) => [name, phase]))
  const phases = new Map<string, BootPhase>(services.map(({ name, phase }) => [name, phase ?? 'default']))
  const queue = services.map(({ name }) => name)
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const phase = phaseOf(phases, name)
    for (const target of next(edges.get(name) ?? noEdges)) {
      if (declared.get(target) !== undefined || !earlier(phase, phaseOf(phases, target))) continue
      phases.set(target, phase)
      queue.push(target)
    }
  }
  return phases
}

function phaseOf(phases: ReadonlyMap<string, BootPhase>, name: string): BootPhase {
  return phases.get(name) ?? 'default'
}

function earlier(a: BootPhase, b: BootPhase): boolean {
  return bootPhases.indexOf(a) < bootPhases.indexOf(b)
}

function impossiblePhases(
  edges: ReadonlyMap<string, Edges>,
  byName: ReadonlyMap<string, Service>,
  phases: ReadonlyMap<string, BootPhase>,
): Diagnostic[] {
  return [...edges].flatMap(([name, edge]) =>
    next(edge)
      .filter((target) => earlier(phaseOf(phases, name), phaseOf(phases, target)))
      .map((target) => ({
        what: `service ${name} starts in phase ${phaseOf(phases, name)}, but waits for ${target} of the later phase ${phaseOf(phases, target)}`,
        where: [byName.get(name)?.origin ?? {}, byName.get(target)?.origin ?? {}],
        fix: `move ${name} to phase ${phaseOf(phases, target)}, or ${target} to ${phaseOf(phases, name)}`,
      })),
  )
}

/** Kahn's algorithm; among those that are ready, the earlier phase and then the smaller name goes first. */
function topological(placed: ReadonlyMap<string, PlacedService>): PlacedService[] {
  const waiting = new Map<string, number>()
  const followers = new Map<string, string[]>()
  for (const [name, service] of placed) {
    const targets = next(service)
    waiting.set(name, targets.length)
    for (const target of targets) followers.set(target, [...(followers.get(target) ?? []), name])
  }
  const rank = (name: string) => bootPhases.indexOf(placed.get(name)?.phase ?? 'default')
  const ready = [...waiting].filter(([, count]) => count === 0).map(([name]) => name)
  const order: PlacedService[] = []
  while (ready.length > 0) {
    ready.sort((a, b) => rank(b) - rank(a) || compare(b, a))
    const name = ready.pop() ?? ''
    const service = placed.get(name)
    if (service !== undefined) order.push(service)
    for (const follower of followers.get(name) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1
      waiting.set(follower, left)
      if (left === 0) ready.push(follower)
    }
  }
  return order
}
