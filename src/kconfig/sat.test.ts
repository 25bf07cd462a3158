import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSolver, type Literal } from './sat.ts'

/** Clauses over few variables, and what trying out all assignments says of them. */
const VARIABLES = 8
const literal = fc.record({ variable: fc.integer({ min: 0, max: VARIABLES - 1 }), negated: fc.boolean() })
const problem = fc.record({
  clauses: fc.array(fc.array(literal, { minLength: 1, maxLength: 4 }), { maxLength: 40 }),
  assumptions: fc.uniqueArray(literal, { selector: ({ variable }) => variable, maxLength: 5 }),
})
type Term = { readonly variable: number; readonly negated: boolean }

const holds = (assignment: number, { variable, negated }: Term): boolean =>
  ((assignment >> variable) & 1) === (negated ? 0 : 1)
const possible = (clauses: readonly (readonly Term[])[], facts: readonly Term[]): boolean => {
  for (let assignment = 0; assignment < 1 << VARIABLES; assignment++)
    if (
      facts.every((term) => holds(assignment, term)) &&
      clauses.every((clause) => clause.some((term) => holds(assignment, term)))
    )
      return true
  return false
}

describe('the solver', () => {
  it('agrees with trying out everything, gives models that hold and cores that do not', () => {
    fc.assert(
      fc.property(problem, fc.array(problem, { maxLength: 3 }), (first, more) => {
        const solver = createSolver()
        const variables = Array.from({ length: VARIABLES }, () => solver.newVariable())
        const of = ({ variable, negated }: Term): Literal => (variables[variable] ?? 0) ^ (negated ? 1 : 0)
        const clauses: (readonly Term[])[] = []
        // Clauses are added between calls: what was learned before must stay right.
        for (const { clauses: added, assumptions } of [first, ...more]) {
          for (const clause of added) {
            clauses.push(clause)
            solver.addClause(clause.map(of))
          }
          const answer = solver.solve(assumptions.map(of), 1e6)
          expect(answer).toBe(possible(clauses, assumptions))
          if (answer === true) {
            for (const term of assumptions) expect(solver.isTrue(of(term))).toBe(true)
            for (const clause of clauses) expect(clause.some((term) => solver.isTrue(of(term)))).toBe(true)
          } else {
            const core = assumptions.filter((term) => solver.core.includes(of(term)))
            expect(core.length).toBe(new Set(solver.core).size)
            expect(possible(clauses, core)).toBe(false)
          }
        }
      }),
      { numRuns: 400 },
    )
  })
  it('gives up after as many dead ends as it was allowed', () => {
    // Nine pigeons, eight holes: hard for what this solver can do.
    const solver = createSolver()
    const sits = Array.from({ length: 9 }, () => Array.from({ length: 8 }, () => solver.newVariable()))
    for (const holes of sits) solver.addClause(holes)
    for (let hole = 0; hole < 8; hole++)
      for (let a = 0; a < 9; a++)
        for (let b = 0; b < a; b++) solver.addClause([(sits[a]?.[hole] ?? 0) ^ 1, (sits[b]?.[hole] ?? 0) ^ 1])
    expect(solver.solve([], 50)).toBeUndefined()
  })
})
