/**
 * What must be loaded after any sequence of starts and stops of services that share kernel modules: what is up, what
 * was loaded by hand, and what could not go; a start that fails leaves what was there before. A model of what is promised, not of how the target does it.
 */

/** What a test does to the machine, as the arguments of its `walk` program. */
export type Action =
  | readonly ['up' | 'down', service: string]
  | readonly ['insmod', path: string]
  | readonly ['rmmod', module: string]
  | readonly ['hold']
  | readonly ['let-go']
  | readonly ['break', path: string, how: Breakage]
  | readonly ['mend', path: string]

/** Ways in which a module's file does not load: it is not there, for another kernel, cut short, or too large. */
export const breakages = ['gone', 'foreign', 'cut', 'memory'] as const
export type Breakage = (typeof breakages)[number]

export interface Facts {
  /** Modules of every service in load order, without those that this processor refuses. */
  readonly plans: Readonly<Record<string, readonly string[]>>
  /** Module -> modules that use its symbols, or that the kernel says use it. */
  readonly users: ReadonlyMap<string, readonly string[]>
  /** Modules that are loaded by hand here, and their files; nothing may need another module. */
  readonly byHand: Readonly<Record<string, string>>
  /** The module that is in use while somebody holds it. */
  readonly held: string
  /** Modules that break here, and their files; whatever plan has one cannot do without it. */
  readonly breakable: Readonly<Record<string, string>>
}

export interface Model {
  readonly loaded: ReadonlySet<string>
  /** What can be done now; every action has an effect. */
  possible(): readonly Action[]
  /** Whether it succeeds. */
  apply(action: Action): boolean
}

export function createModel(facts: Facts, loadedBefore: Iterable<string>): Model {
  const loaded = new Set(loadedBefore)
  const up = new Set<string>()
  /** Modules that a service loaded. Others are none of the services' business. */
  const ours = new Set<string>()
  let isHeld = false
  const broken = new Set<string>()

  const neededBySomebody = (module: string) => [...up].some((name) => facts.plans[name]?.includes(module))
  const inUse = (module: string) =>
    (isHeld && module === facts.held) || (facts.users.get(module) ?? []).some((user) => loaded.has(user))

  const release = (modules: readonly string[]): void => {
    for (const module of [...modules].reverse()) {
      if (!ours.has(module) || neededBySomebody(module) || inUse(module)) continue
      loaded.delete(module)
      ours.delete(module)
    }
  }
  const start = (service: string): boolean => {
    const done: string[] = []
    for (const module of facts.plans[service] ?? []) {
      if (!loaded.has(module)) {
        if (broken.has(module)) {
          release(done)
          return false
        }
        loaded.add(module)
        ours.add(module)
      }
      done.push(module)
    }
    up.add(service)
    return true
  }
  const handledFile = (files: Readonly<Record<string, string>>, path: string): string =>
    Object.keys(files).find((module) => files[module] === path) ?? ''

  return {
    loaded,
    possible() {
      const services = Object.keys(facts.plans).map((name): Action => [up.has(name) ? 'down' : 'up', name])
      const hands = Object.entries(facts.byHand).flatMap(([module, path]): Action[] => {
        if (!loaded.has(module)) return [['insmod', path]]
        return ours.has(module) || inUse(module) ? [] : [['rmmod', module]]
      })
      const holding: Action[] = isHeld ? [['let-go']] : loaded.has(facts.held) ? [['hold']] : []
      const breaking = Object.entries(facts.breakable).flatMap(([module, path]): Action[] =>
        broken.has(module) ? [['mend', path]] : breakages.map((how) => ['break', path, how]),
      )
      // Starts and stops are what this is about, and there are four ways to break each of several files.
      return [...services, ...services, ...services, ...hands, ...holding, ...breaking]
    },
    apply(action) {
      switch (action[0]) {
        case 'up':
          return start(action[1])
        case 'down':
          up.delete(action[1])
          release(facts.plans[action[1]] ?? [])
          break
        case 'insmod':
          loaded.add(handledFile(facts.byHand, action[1]))
          break
        case 'rmmod':
          loaded.delete(action[1])
          break
        case 'hold':
          isHeld = true
          break
        case 'let-go':
          isHeld = false
          break
        case 'break':
          broken.add(handledFile(facts.breakable, action[1]))
          break
        case 'mend':
          broken.delete(handledFile(facts.breakable, action[1]))
      }
      return true
    },
  }
}
