import { UserError } from '../diagnostics/index.ts'
import { createBuilder } from './builder.ts'
import { checkContribution } from './contribution-schema.ts'
import type { Contribution } from './contributions.ts'
import type { DefinedSystem } from './definition.ts'
import { explain } from './load.ts'

/** A system file's whole say: its definition, and every contribution in the order in which it was made. */
export interface System {
  readonly definition: DefinedSystem
  readonly contributions: readonly Contribution[]
}

/**
 * Runs `setup`.
 *
 * @throws UserError for whatever `setup` throws, with the place in the user's source
 */
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
    checkContribution(contribution)
    contributions.push(contribution)
  })
  builder.as(definition.origin).hostname(definition.hostname)
  try {
    await definition.setup(builder)
  } catch (error) {
    throw explain(error, definition.origin)
  }
  finished = true
  return { definition, contributions }
}
