/**
 * What an engine tells while it works: one stream, in order of time. A terminal display, a plain log and
 * `--json` are three readers of it; each event is plain JSON.
 *
 * A step is one request: a command, a function, or a piece of impure work wrapped by `Engine.step`. Its life:
 * `step-started`, then any of `step-running`, `step-progress`, `step-note`, `step-warning`, then exactly one
 * of `step-finished` and `step-failed`. A step asked for while the same one is under way has no events of its
 * own: it is the same step.
 */
export type EngineEvent =
  | StepStarted
  | StepRunning
  | StepProgress
  | StepNote
  | StepWarning
  | StepFinished
  | StepFailed
  | EngineWarning

export type ProgressUnit = 'bytes' | 'files' | 'objects'

interface StepEvent {
  /** Counts up from 1 within one engine. */
  readonly step: number
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

export interface StepStarted extends StepEvent {
  readonly type: 'step-started'
  readonly kind: 'command' | 'function' | 'work'
  /** The step that asked for this one; absent when it was asked for from outside. */
  readonly parent?: number
}

/** The command has got its place among the jobs and now runs. Never sent for a cached step. */
interface StepRunning extends StepEvent {
  readonly type: 'step-running'
}

interface StepProgress extends StepEvent {
  readonly type: 'step-progress'
  readonly done: number
  readonly total: number
  readonly unit: ProgressUnit
  /** What is being worked on. */
  readonly detail?: string
}

interface StepNote extends StepEvent {
  readonly type: 'step-note'
  readonly text: string
}

interface StepWarning extends StepEvent {
  readonly type: 'step-warning'
  readonly text: string
}

interface StepFinished extends StepEvent {
  readonly type: 'step-finished'
  /** The result was known; nothing ran. */
  readonly cached: boolean
  readonly elapsedMs: number
}

interface StepFailed extends StepEvent {
  readonly type: 'step-failed'
  /** `aborted`: the engine was told to stop; the step itself may be right. */
  readonly reason: 'failed' | 'aborted'
  /** One line; the error itself goes to whoever asked for the step. */
  readonly message: string
  readonly elapsedMs: number
}

/** Something about the engine as a whole, for example that commands run without a sandbox. Sent once each. */
interface EngineWarning {
  readonly type: 'engine-warning'
  readonly text: string
  readonly time: number
}
