import type { Closure, ClosureModule, PlanNote, SoftOrder } from './closure.ts'

export type Order =
  | { readonly type: 'ordered'; readonly names: readonly string[]; readonly notes: readonly PlanNote[] }
  | { readonly type: 'cycle'; readonly names: readonly string[] }

/**
 * An order in which the modules of a closure can be loaded: dependencies always come first; softdeps are kept as
 * far as they contradict neither a dependency nor an earlier softdep. Among what is free, the order is that of the
 * closure and of each module's own lists, so that the same question has the same answer.
 */
export function orderModules(closure: Closure): Order {
  const cycle = findCycle(closure.modules)
  if (cycle !== undefined) return { type: 'cycle', names: cycle }

  /** Module -> what must be loaded before it. */
  const before = new Map<string, string[]>()
  for (const { name, depends } of closure.modules.values()) before.set(name, [...depends])
  const notes: PlanNote[] = []
  for (const soft of closure.softOrders) {
    const known = before.get(soft.second)
    if (known === undefined || known.includes(soft.first)) continue
    if (reaches(before, soft.first, soft.second)) notes.push(contradicted(soft))
    else known.push(soft.first)
  }

  const names: string[] = []
  const done = new Set<string>()
  for (const root of closure.modules.keys()) emit(root)
  return { type: 'ordered', names, notes }

  /** Depth first with a stack of our own, because a chain may be as long as there are modules. */
  function emit(root: string): void {
    const stack = [root]
    while (stack.length > 0) {
      const name = stack[stack.length - 1]
      if (name === undefined) break
      const waiting = done.has(name) ? [] : (before.get(name) ?? []).filter((other) => !done.has(other))
      const [next] = waiting
      if (next !== undefined) {
        stack.push(next)
        continue
      }
      stack.pop()
      if (done.has(name)) continue
      done.add(name)
      names.push(name)
      // What a softdep wants after this module comes right after it, in the order of its lines.
      stack.push(...[...(closure.modules.get(name)?.post ?? [])].reverse())
    }
  }
}

function contradicted({ first, second, of, line }: SoftOrder): PlanNote {
  const other = first === of ? second : first
  const message = `softdep of ${of} (${line}) wants ${first} before ${second}, which something else forbids`
  return { type: 'softdep-order', of, line, other, message }
}

/** Whether `to` must be loaded before `from`. */
function reaches(before: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set([from])
  for (const name of seen) {
    if (name === to) return true
    for (const other of before.get(name) ?? []) seen.add(other)
  }
  return false
}

/** Modules each of which depends on the next and the last on the first; `undefined` when there are none. */
function findCycle(modules: ReadonlyMap<string, ClosureModule>): readonly string[] | undefined {
  const finished = new Set<string>()
  for (const root of modules.keys()) {
    const path: { readonly name: string; next: number }[] = [{ name: root, next: 0 }]
    const onPath = new Set([root])
    for (let top = path[0]; top !== undefined; top = path[path.length - 1]) {
      const next = finished.has(top.name) ? undefined : modules.get(top.name)?.depends[top.next++]
      if (next === undefined) {
        finished.add(top.name)
        onPath.delete(top.name)
        path.pop()
      } else if (onPath.has(next)) {
        const names = path.map(({ name }) => name)
        return names.slice(names.indexOf(next))
      } else if (!finished.has(next)) {
        onPath.add(next)
        path.push({ name: next, next: 0 })
      }
    }
  }
  return undefined
}
