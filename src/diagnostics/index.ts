/**
 * What Firmwright says when the user must change something.
 *
 * A diagnostic is four things: what is wrong, where it came from, why, and what would fix it. It is a value
 * until somebody decides that the work cannot go on; then it travels as a {@link UserError} to the command
 * line, which prints it without a stack trace and exits with 1. Any other exception is a bug of ours.
 */
export { callSite, placeInStack } from './call-site.ts'
export { nearNames } from './near.ts'

/** Where a contribution was written: the feature that made it and the place in the user's own source. */
export interface Origin {
  /** Name of the feature, for example `firewall`; absent when the system file contributed directly. */
  readonly feature?: string
  /** Absolute path of the source file. */
  readonly file?: string
  /** 1-based line in `file`. */
  readonly line?: number
}

export interface Diagnostic {
  /** One sentence: what is wrong. */
  readonly what: string
  /** Every place that has a part in it, in the order in which a reader wants them. */
  readonly where?: readonly Origin[]
  /** The reason, where it is not plain from `what`. */
  readonly why?: string
  /** What the user can do. */
  readonly fix?: string
}

/** The one exception that means "the user must change something". */
export class UserError extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(...diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => diagnostic.what).join('\n'))
    this.name = 'UserError'
    this.diagnostics = diagnostics
  }
}

/** `firewall (system.ts:14)`; the file is shown relative to `base` where it lies below it. */
export function formatOrigin(origin: Origin, base: string = process.cwd()): string {
  const file = origin.file?.startsWith(`${base}/`) ? origin.file.slice(base.length + 1) : origin.file
  const place = file === undefined ? undefined : origin.line === undefined ? file : `${file}:${origin.line}`
  if (origin.feature === undefined) return place ?? 'an unknown place'
  return place === undefined ? origin.feature : `${origin.feature} (${place})`
}

/** Plain text of a diagnostic, several lines, without a trailing newline. */
export function formatDiagnostic(diagnostic: Diagnostic, base?: string): string {
  const lines = [diagnostic.what]
  for (const origin of diagnostic.where ?? []) lines.push(`  from: ${formatOrigin(origin, base)}`)
  if (diagnostic.why !== undefined) lines.push(`  why:  ${diagnostic.why.replaceAll('\n', '\n        ')}`)
  if (diagnostic.fix !== undefined) lines.push(`  fix:  ${diagnostic.fix.replaceAll('\n', '\n        ')}`)
  return lines.join('\n')
}
