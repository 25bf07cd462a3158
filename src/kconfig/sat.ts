/**
 * A solver for propositional logic, as small as serves this room: conflict-driven clause learning with two watched
 * literals, activities and restarts (Eén, Sörensson, "An Extensible SAT-solver", SAT 2003), solving under assumptions.
 *
 * A *literal* is a number: twice a variable, plus one when negated. Variable 0 is always true. Clauses and variables can
 * be added between calls. When there is no model under the assumptions, `core` is a part of them that rules models out.
 *
 * All assumptions are made on one decision level, the first: there can be thousands, nearly all of which follow from
 * others, and a level each would cost more than the search.
 */

export type Literal = number

export const TRUE: Literal = 0
export const FALSE: Literal = 1
export const not = (literal: Literal): Literal => literal ^ 1

export interface Solver {
  /** @param phase what it is tried at first */
  newVariable(phase?: boolean): Literal
  addClause(literals: readonly Literal[]): void
  /**
   * @param conflicts how many dead ends to go through before giving up
   * @returns undefined when that was not enough
   */
  solve(assumptions: readonly Literal[], conflicts: number): boolean | undefined
  /** after `solve` was true: whether the literal holds in the model */
  isTrue(literal: Literal): boolean
  /** after `solve` was false: assumptions that contradict each other or the clauses; empty when the clauses alone do */
  readonly core: readonly Literal[]
}

const UNSET = 2
const NO_REASON = -1
const ASSUMED = 1
const DECAY = 1 / 0.95
const RESTART_AFTER = 100

export function createSolver(): Solver {
  /** a clause is its length, then its literals; references are positions of the length */
  let arena = new Int32Array(1 << 14)
  let used = 0
  const watches: number[][] = [[], []]
  // by variable
  let values = new Uint8Array(1 << 10).fill(UNSET)
  let phases = new Uint8Array(1 << 10)
  let levels = new Int32Array(1 << 10)
  let reasons = new Int32Array(1 << 10)
  let seen = new Uint8Array(1 << 10)
  let activities = new Float64Array(1 << 10)
  let variables = 0
  let increment = 1

  const trail: Literal[] = []
  const levelStarts: number[] = []
  let propagated = 0
  let contradiction = false
  let core: readonly Literal[] = []
  let model: Uint8Array = new Uint8Array(0)

  // --- the unassigned variables, most active first ----------------------------------------------------------------

  const heap: number[] = []
  let places = new Int32Array(1 << 10).fill(-1)
  const before = (a: number, b: number): boolean => (activities[a] ?? 0) > (activities[b] ?? 0)
  const put = (variable: number, place: number): void => {
    heap[place] = variable
    places[variable] = place
  }
  function siftUp(variable: number): void {
    let place = places[variable] ?? 0
    while (place > 0) {
      const parent = (place - 1) >> 1
      const other = heap[parent] ?? 0
      if (!before(variable, other)) break
      put(other, place)
      place = parent
    }
    put(variable, place)
  }
  function insert(variable: number): void {
    if ((places[variable] ?? -1) >= 0) return
    heap.push(variable)
    places[variable] = heap.length - 1
    siftUp(variable)
  }
  function takeMostActive(): number | undefined {
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined) return undefined
    places[top] = -1
    if (heap.length === 0) return top
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] ?? 0, heap[child] ?? 0)) child++
      const other = heap[child] ?? 0
      if (!before(other, last)) break
      put(other, place)
      place = child
    }
    put(last, place)
    return top
  }
  function bump(variable: number): void {
    activities[variable] = (activities[variable] ?? 0) + increment
    if ((activities[variable] ?? 0) > 1e100) {
      for (let v = 0; v < variables; v++) activities[v] = (activities[v] ?? 0) * 1e-100
      increment *= 1e-100
    }
    if ((places[variable] ?? -1) >= 0) siftUp(variable)
  }

  // --- assignments ------------------------------------------------------------------------------------------------

  /** 1 true, 0 false, 2 or 3 unset */
  const valueAt = (literal: Literal): number => (values[literal >> 1] ?? UNSET) ^ (literal & 1)
  const currentLevel = (): number => levelStarts.length

  function assign(literal: Literal, reason: number): void {
    const variable = literal >> 1
    values[variable] = 1 ^ (literal & 1)
    levels[variable] = currentLevel()
    reasons[variable] = reason
    trail.push(literal)
  }
  function undoTo(level: number): void {
    if (currentLevel() <= level) return
    const start = levelStarts[level] ?? 0
    while (trail.length > start) {
      const literal = trail.pop() ?? 0
      const variable = literal >> 1
      phases[variable] = 1 ^ (literal & 1)
      values[variable] = UNSET
      insert(variable)
    }
    levelStarts.length = level
    propagated = trail.length
  }

  /** Draws all conclusions. @returns a clause that has come out false, or -1 */
  function propagate(): number {
    while (propagated < trail.length) {
      const falsified = (trail[propagated++] ?? 0) ^ 1
      const list = watches[falsified] ?? []
      let kept = 0
      for (let i = 0; i < list.length; i++) {
        const clause = list[i] ?? 0
        const first = clause + 1
        if (arena[first] === falsified) {
          arena[first] = arena[first + 1] ?? 0
          arena[first + 1] = falsified
        }
        const other = arena[first] ?? 0
        if (valueAt(other) === 1) {
          list[kept++] = clause
          continue
        }
        const end = first + (arena[clause] ?? 0)
        let at = first + 2
        while (at < end && valueAt(arena[at] ?? 0) === 0) at++
        if (at < end) {
          const literal = arena[at] ?? 0
          arena[first + 1] = literal
          arena[at] = falsified
          watches[literal]?.push(clause)
          continue
        }
        list[kept++] = clause
        if (valueAt(other) === 0) {
          for (i++; i < list.length; i++) list[kept++] = list[i] ?? 0
          list.length = kept
          return clause
        }
        assign(other, clause)
      }
      list.length = kept
    }
    return NO_REASON
  }

  function store(literals: readonly Literal[]): number {
    if (used + literals.length + 1 > arena.length) {
      const larger = new Int32Array(Math.max(arena.length * 2, used + literals.length + 1))
      larger.set(arena)
      arena = larger
    }
    const clause = used
    arena[used++] = literals.length
    for (const literal of literals) arena[used++] = literal
    watches[literals[0] ?? 0]?.push(clause)
    watches[literals[1] ?? 0]?.push(clause)
    return clause
  }

  // --- learning ---------------------------------------------------------------------------------------------------

  /** The clause that says why this dead end is one, its asserting literal first, and the level to go back to. */
  function analyze(conflict: number): { readonly learned: Literal[]; readonly level: number } {
    const learned: Literal[] = [0]
    let open = 0
    let literal = -1
    let position = trail.length - 1
    let clause = conflict
    const touched: number[] = []
    do {
      const end = clause + 1 + (arena[clause] ?? 0)
      for (let at = clause + 1; at < end; at++) {
        const each = arena[at] ?? 0
        if (each === literal) continue
        const variable = each >> 1
        if (seen[variable] === 1 || levels[variable] === 0) continue
        seen[variable] = 1
        touched.push(variable)
        bump(variable)
        if (levels[variable] === currentLevel()) open++
        else learned.push(each)
      }
      while (seen[(trail[position] ?? 0) >> 1] !== 1) position--
      literal = trail[position--] ?? 0
      clause = reasons[literal >> 1] ?? NO_REASON
      open--
    } while (open > 0)
    learned[0] = literal ^ 1
    // What follows from the rest of the clause by one step can be left out of it.
    const short = learned.filter((each, index) => index === 0 || !followsFromSeen(each))
    for (const variable of touched) seen[variable] = 0
    let level = 0
    for (let i = 1; i < short.length; i++) {
      const own = levels[(short[i] ?? 0) >> 1] ?? 0
      if (own <= level) continue
      level = own
      const second = short[1] ?? 0
      short[1] = short[i] ?? 0
      short[i] = second
    }
    return { learned: short, level }
  }
  function followsFromSeen(literal: Literal): boolean {
    const reason = reasons[literal >> 1] ?? NO_REASON
    if (reason === NO_REASON) return false
    const end = reason + 1 + (arena[reason] ?? 0)
    for (let at = reason + 1; at < end; at++) {
      const variable = (arena[at] ?? 0) >> 1
      if (variable !== literal >> 1 && seen[variable] !== 1 && (levels[variable] ?? 0) > 0) return false
    }
    return true
  }

  /** The assumptions from which these literals, all true, follow. */
  function assumptionsBehind(start: readonly Literal[]): Literal[] {
    const found: Literal[] = []
    const marked: number[] = []
    const mark = (literal: Literal): void => {
      const variable = literal >> 1
      if (seen[variable] === 1 || levels[variable] === 0) return
      seen[variable] = 1
      marked.push(variable)
    }
    for (const literal of start) mark(literal)
    for (let position = trail.length - 1; position >= 0 && marked.length > 0; position--) {
      const literal = trail[position] ?? 0
      const variable = literal >> 1
      if (seen[variable] !== 1) continue
      const reason = reasons[variable] ?? NO_REASON
      if (reason === NO_REASON) found.push(literal)
      else {
        const end = reason + 1 + (arena[reason] ?? 0)
        for (let at = reason + 1; at < end; at++) mark(arena[at] ?? 0)
      }
    }
    for (const variable of marked) seen[variable] = 0
    return found
  }
  const literalsOf = (clause: number): Literal[] => [
    ...arena.subarray(clause + 1, clause + 1 + (arena[clause] ?? 0)),
  ]

  // --- solving ----------------------------------------------------------------------------------------------------

  /** Makes all assumptions. @returns false when they contradict each other, with `core` set */
  function assume(assumptions: readonly Literal[]): boolean {
    levelStarts.push(trail.length)
    for (const literal of assumptions) {
      const value = valueAt(literal)
      if (value === 1) continue
      if (value === 0) {
        core = [literal, ...assumptionsBehind([literal])]
        return false
      }
      assign(literal, NO_REASON)
      const conflict = propagate()
      if (conflict === NO_REASON) continue
      core = assumptionsBehind(literalsOf(conflict))
      return false
    }
    return true
  }

  function solve(assumptions: readonly Literal[], conflicts: number): boolean | undefined {
    undoTo(0)
    core = []
    if (contradiction) return false
    let left = conflicts
    let untilRestart = RESTART_AFTER
    let assumed = false
    for (;;) {
      if (!assumed) {
        if (!assume(assumptions)) return false
        assumed = true
      }
      const conflict = propagate()
      if (conflict !== NO_REASON) {
        if (currentLevel() === 0) {
          contradiction = true
          return false
        }
        if (currentLevel() === ASSUMED) {
          core = assumptionsBehind(literalsOf(conflict))
          return false
        }
        if (--left < 0) return undefined
        untilRestart--
        increment *= DECAY
        const { learned, level } = analyze(conflict)
        undoTo(level)
        const asserted = learned[0] ?? 0
        if (learned.length === 1) {
          assign(asserted, NO_REASON)
          if (propagate() !== NO_REASON) {
            contradiction = true
            return false
          }
          assumed = false
        } else assign(asserted, store(learned))
        continue
      }
      if (untilRestart <= 0) {
        untilRestart = RESTART_AFTER
        undoTo(ASSUMED)
        continue
      }
      let variable = takeMostActive()
      while (variable !== undefined && values[variable] !== UNSET) variable = takeMostActive()
      if (variable === undefined) {
        model = values.slice(0, variables)
        return true
      }
      levelStarts.push(trail.length)
      assign(variable * 2 + (phases[variable] === 1 ? 0 : 1), NO_REASON)
    }
  }

  function grown<A extends Uint8Array | Int32Array | Float64Array>(array: A, larger: A): A {
    larger.set(array)
    return larger
  }

  function newVariable(phase = false): Literal {
    const variable = variables++
    if (variable >= values.length) {
      const size = values.length * 2
      values = grown(values, new Uint8Array(size).fill(UNSET))
      phases = grown(phases, new Uint8Array(size))
      levels = grown(levels, new Int32Array(size))
      reasons = grown(reasons, new Int32Array(size))
      seen = grown(seen, new Uint8Array(size))
      activities = grown(activities, new Float64Array(size))
      places = grown(places, new Int32Array(size).fill(-1))
    }
    values[variable] = UNSET
    phases[variable] = phase ? 1 : 0
    watches[variable * 2] = []
    watches[variable * 2 + 1] = []
    insert(variable)
    return variable * 2
  }

  function addClause(literals: readonly Literal[]): void {
    undoTo(0)
    const clause: Literal[] = []
    for (const literal of literals) {
      const value = valueAt(literal)
      if (value === 1 || clause.includes(literal ^ 1)) return
      if (value !== 0 && !clause.includes(literal)) clause.push(literal)
    }
    const [first] = clause
    if (first === undefined) contradiction = true
    else if (clause.length > 1) store(clause)
    else {
      assign(first, NO_REASON)
      if (propagate() !== NO_REASON) contradiction = true
    }
  }

  newVariable(true)
  assign(TRUE, NO_REASON)

  return {
    newVariable,
    addClause,
    solve,
    isTrue: (literal) => ((model[literal >> 1] ?? 0) ^ (literal & 1)) === 1,
    get core() {
      return core
    },
  }
}
