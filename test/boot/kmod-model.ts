/**
 * What must be loaded after any sequence of starts and stops of services that share kernel modules: what is up, what
 * was loaded by hand, and what could not go. A model of what is promised, not of how the target does it.
 */

/** What a test does to the machine, as the arguments of its `walk` program. */
export type Action =
  | readonly ['up' | 'down', service: string]
  | readonly ['insmod', path: string]
  | readonly ['rmmod', module: string]
  | readonly ['hold']
  | readonly ['let-go']

export interface Facts {
  /** Modules of every service in load order, without those that this processor refuses. */
  readonly plans: Readonly<Record<string, readonly string[]>>
  /** Module -> modules that use its symbols, or that the kernel says use it. */
  readonly users: ReadonlyMap<string, readonly string[]>
  /** Modules that are loaded by hand here, and their files; nothing may need another module. */
  readonly byHand: Readonly<Record<string, string>>
  /** The module that is in use while somebody holds it. */
  readonly held: string
}

export interface Model {
  readonly loaded: ReadonlySet<string>
  /** What can be done now; every action has an effect. */
  possible(): readonly Action[]
  apply(action: Action): void
}

export function createModel(facts: Facts, loadedBefore: Iterable<string>): Model {
  const loaded = new Set(loadedBefore)
  const up = new Set<string>()
  /** Modules that a service loaded. Others are none of the services' business. */
  const ours = new Set<string>()
  let isHeld = false

  const neededBySomebody = (module: string) => [...up].some((name) => facts.plans[name]?.includes(module))
  const inUse = (module: string) =>
    (isHeld && module === facts.held) || (facts.users.get(module) ?? []).some((user) => loaded.has(user))

  return {
    loaded,
    possible() {
      const services = Object.keys(facts.plans).map((name): Action => [up.has(name) ? 'down' : 'up', name])
      const hands = Object.entries(facts.byHand).flatMap(([module, path]): Action[] => {
        if (!loaded.has(module)) return [['insmod', path]]
        return ours.has(module) || inUse(module) ? [] : [['rmmod', module]]
      })
      const holding: Action[] = isHeld ? [['let-go']] : loaded.has(facts.held) ? [['hold']] : []
      return [...services, ...hands, ...holding]
    },
    apply(action) {
      switch (action[0]) {
        case 'up':
          up.add(action[1])
          for (const module of facts.plans[action[1]] ?? []) {
            if (loaded.has(module)) continue
            loaded.add(module)
            ours.add(module)
          }
          break
        case 'down':
          up.delete(action[1])
          for (const module of [...(facts.plans[action[1]] ?? [])].reverse()) {
            if (!ours.has(module) || neededBySomebody(module) || inUse(module)) continue
            loaded.delete(module)
            ours.delete(module)
          }
          break
        case 'insmod':
          for (const [module, path] of Object.entries(facts.byHand))
            if (path === action[1]) loaded.add(module)
          break
        case 'rmmod':
          loaded.delete(action[1])
          break
        case 'hold':
          isHeld = true
          break
        case 'let-go':
          isHeld = false
      }
    },
  }
}
