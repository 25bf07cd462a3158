import type { z } from 'zod'
import { callSite, type Origin, UserError } from '../diagnostics/index.ts'
import type { SystemBuilder } from './builder.ts'

/**
 * Makes a feature: a function that contributes to a system. Its options are checked against `options` when it is
 * called, so that a JavaScript user gets the same clear error as the compiler would give, and everything it
 * contributes is ascribed to it and to the line that called it.
 *
 * @throws UserError (from the feature itself) when the options are wrong.
 */
export function defineFeature<Options extends z.ZodType, Result>(
  name: string,
  options: Options,
  contribute: (system: SystemBuilder, options: z.output<Options>) => Result,
): (system: SystemBuilder, options: z.input<Options>) => Result {
  return (system, given) => {
    const origin = callSite(name)
    return contribute(system.as(origin), checkOptions(name, options, given, origin))
  }
}

/** Parses `given` or throws a UserError that says, option by option, what is wrong. */
export function checkOptions<Options extends z.ZodType>(
  name: string,
  options: Options,
  given: unknown,
  origin: Origin,
): z.output<Options> {
  const parsed = options.safeParse(given)
  if (parsed.success) return parsed.data
  throw new UserError({
    what: `${name} was given options it cannot take`,
    where: [origin],
    why: parsed.error.issues.map((issue) => `${issuePath(issue.path)}${issue.message}`).join('\n'),
    fix: `correct the options of ${name}`,
  })
}

function issuePath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `
}
