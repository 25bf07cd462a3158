import { UserError } from '../diagnostics/index.ts'
import { createBuilder } from './builder.ts'
import type { Contribution } from './contributions.ts'
import type { DefinedSystem } from './definition.ts'

/** A system file's whole say: its definition, and every contribution in the order in which it was made. */
export interface System {
  readonly definition: DefinedSystem
  readonly contributions: readonly Contribution[]
}

/** Runs `setup`. What it throws travels on as it is, but for a system that nobody defined. */
export async function evaluate(definition: DefinedSystem): Promise<System> {
  const contributions: Contribution[] = []
  let finished = false
  const builder = createBuilder(definition.device, (contribution) => {
    if (finished) {
      throw new UserError({
        what: 'something was contributed to the system after setup had returned',
        where: [contribution.origin],
        why: 'an asynchronous setup must be awaited to its end',
        fix: 'make setup async and await what it starts',
      })
    }
    contributions.push(contribution)
  })
  builder.as(definition.origin).hostname(definition.hostname)
  await definition.setup(builder)
  finished = true
  return { definition, contributions }
}
