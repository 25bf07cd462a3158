/** One judgement over all real inputs, too long for every test run. `verify/ROOM/verify.ts` exports some of them. */
export interface Verification {
  /** What `npm run verify NAME` calls it, for example `kconfig-defconfigs`. */
  readonly name: string
  /** Heading in docs/verification.md. */
  readonly title: string
  run(context: VerifyContext): Promise<Judgement>
}

export interface VerifyContext {
  /** An empty folder, removed afterwards. */
  readonly folder: string
  /** Tells whoever waits how far it is. */
  progress(text: string): void
}

export interface Judgement {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Paragraphs in Markdown below the table: against what, versions, what is left out. */
  readonly notes?: readonly string[]
  /** How often we and the judge disagreed. */
  readonly failures: number
  /** What was to be judged and could not be, and why: `6.1.0-50-armmp (…)`. The verdict counts it. */
  readonly notJudged?: readonly string[]
}
