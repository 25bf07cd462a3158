/**
 * What must be loaded after any sequence of starts and stops of services that share kernel modules: what is up, what
 * was loaded by hand, and what could not go. A model of what is promised, not of how the target does it.
 */

/** What a test does to the machine, as the arguments of its `walk` program. */
export type Action =
  | readonly ['up' | 'down', service: string]
  /** A start that must fail, since the file of a module is not what it was. */
  | readonly ['fail', service: string, damage: Damage, path: string]
  | readonly ['insmod', path: string]
  | readonly ['rmmod', module: string]
  | readonly ['hold']
  | readonly ['let-go']

/** What is done to a module's file: gone, built for another kernel, larger than the memory, cut short. */
export const damages = ['removed', 'vermagic', 'memory', 'cut'] as const
export type Damage = (typeof damages)[number]

export interface PlannedModule {
  readonly name: string
  readonly path: string
  readonly required: boolean
}

export interface Facts {
  /** Modules of every service in load order, without those that this processor refuses. */
  readonly plans: Readonly<Record<string, readonly PlannedModule[]>>
  /** Module -> modules that use its symbols, or that the kernel says use it. */
  readonly users: ReadonlyMap<string, readonly string[]>
  /** Modules that are loaded by hand here, and their files; nothing may need another module. */
  readonly byHand: Readonly<Record<string, string>>
  /** The module that is in use while somebody holds it. */
  readonly held: string
  /** Modules that can never go. */
  readonly forever: ReadonlySet<string>
}

export interface Model {
  readonly loaded: ReadonlySet<string>
  /** What can be done now; of all the starts that can fail, one for each service, drawn with `random`. */
  possible(random: (below: number) => number): readonly Action[]
  apply(action: Action): void
}

export function createModel(facts: Facts, loadedBefore: Iterable<string>): Model {
  const loaded = new Set(loadedBefore)
  const up = new Set<string>()
  /** Modules that a service loaded. Others are none of the services' business. */
  const ours = new Set<string>()
  let isHeld = false

  const planOf = (service: string) => facts.plans[service] ?? []
  const neededBySomebody = (module: string) =>
    [...up].some((service) => planOf(service).some(({ name }) => name === module))
  const inUse = (module: string) =>
    (isHeld && module === facts.held) || (facts.users.get(module) ?? []).some((user) => loaded.has(user))
  const bring = (modules: readonly PlannedModule[]): void => {
    for (const { name } of modules) {
      if (loaded.has(name)) continue
      loaded.add(name)
      ours.add(name)
    }
  }
  const giveUp = (modules: readonly PlannedModule[]): void => {
    for (const { name } of [...modules].reverse()) {
      if (!ours.has(name) || facts.forever.has(name) || neededBySomebody(name) || inUse(name)) continue
      loaded.delete(name)
      ours.delete(name)
    }
  }

  return {
    loaded,
    possible(random) {
      const failures = Object.keys(facts.plans).flatMap((name): Action[] => {
        if (up.has(name)) return []
        const missing = planOf(name).filter((module) => module.required && !loaded.has(module.name))
        const broken = missing[random(missing.length)]
        const damage = damages[random(damages.length)]
        return broken === undefined || damage === undefined ? [] : [['fail', name, damage, broken.path]]
      })
      const services = Object.keys(facts.plans).map((name): Action => [up.has(name) ? 'down' : 'up', name])
      const hands = Object.entries(facts.byHand).flatMap(([module, path]): Action[] => {
        if (!loaded.has(module)) return [['insmod', path]]
        return ours.has(module) || inUse(module) ? [] : [['rmmod', module]]
      })
      const holding: Action[] = isHeld ? [['let-go']] : loaded.has(facts.held) ? [['hold']] : []
      return [...services, ...failures, ...hands, ...holding]
    },
    apply(action) {
      switch (action[0]) {
        case 'up':
          up.add(action[1])
          bring(planOf(action[1]))
          break
        case 'down':
          up.delete(action[1])
          giveUp(planOf(action[1]))
          break
        case 'fail': {
          const plan = planOf(action[1])
          const before = plan.slice(
            0,
            plan.findIndex(({ path }) => path === action[3]),
          )
          bring(before)
          giveUp(before)
          break
        }
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
