/**
 * What can be wrong with a tree of Makefiles. Makefiles are input like any other: everything a hostile one could make
 * grow has a limit, and running into one is an error of type `limit`, never a hang.
 */
export type KbuildError =
  /** a file that the tree's Makefiles ask for is not there */
  | { readonly type: 'missing'; readonly message: string; readonly at: Place | undefined }
  /** a line that GNU make would not take either */
  | { readonly type: 'invalid'; readonly message: string; readonly at: Place | undefined }
  /** more of something than any kernel has; see `limits` */
  | { readonly type: 'limit'; readonly message: string; readonly at: Place | undefined }

export type KbuildResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: KbuildError }

/** A line of a Makefile; `file` is relative to the top of the tree. */
export interface Place {
  readonly file: string
  readonly line: number
}

export const placeText = ({ file, line }: Place): string => `${file}:${line}`

/** Each well above what Linux 6.12 needs, in brackets where that is not small. */
export const limits = {
  /** bytes of one Makefile */
  fileBytes: 4_000_000,
  /** `$(…)` in `$(…)`, includes in includes, `$(call …)` in `$(call …)`, directories in directories */
  depth: 200,
  /** pieces of text handled in evaluating one directory [1,000,000] */
  steps: 20_000_000,
  /** characters of one value */
  valueLength: 4_000_000,
  /** texts that one reference can stand for, over all configurations */
  alternatives: 4096,
  /** distinct conditions of one tree [600,000]; ids of conditions have 22 bits */
  conditions: 4_000_000,
  /** visits of directories in one tree */
  directories: 200_000,
} as const

/** Carries a KbuildError out of the evaluation; `capture` turns it into a value at the room's edge. */
class KbuildStop extends Error {
  readonly problem: KbuildError
  constructor(problem: KbuildError) {
    super(problem.message)
    this.problem = problem
  }
}

export function stop(type: KbuildError['type'], message: string, at?: Place): never {
  throw new KbuildStop({ type, message: at === undefined ? message : `${placeText(at)}: ${message}`, at })
}

export function capture<T>(work: () => T): KbuildResult<T> {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    if (error instanceof KbuildStop) return { ok: false, error: error.problem }
    throw error
  }
}
