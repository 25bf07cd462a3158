import type { DefinedSystem } from './definition.ts'
import { evaluate } from './evaluate.ts'
import { merge, type Requirements } from './merge.ts'

/** A system whose `setup` has run, and whose contributions agree. */
export interface EvaluatedSystem {
  readonly definition: DefinedSystem
  readonly requirements: Requirements
}

/** @throws UserError for whatever `setup` throws, and for contributions that contradict each other */
export async function evaluateSystem(definition: DefinedSystem): Promise<EvaluatedSystem> {
  const { contributions } = await evaluate(definition)
  return { definition, requirements: merge(contributions) }
}
