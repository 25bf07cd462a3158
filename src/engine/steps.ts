/** Turns work into events: numbers steps, times them, and knows which step asked for which. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { EngineEvent, StepStarted } from './events.ts'
import type { Report } from './recipe.ts'

export interface StepScope {
  /** Number of the step that the current code belongs to. */
  readonly step: number
  /** Key of the function that the current code belongs to, when it is one. */
  readonly key: string | undefined
  readonly parent: StepScope | undefined
  /** Keys of the results that this step has asked for so far. */
  readonly builds: Set<string>
}

export interface Steps {
  /** The step that the calling code runs in. */
  current(): StepScope | undefined
  /** Runs `work` as a step. What `work` reports through `cached` goes into the last event. */
  run<T>(
    about: { readonly kind: StepStarted['kind']; readonly name: string; readonly key?: string },
    work: (scope: StepScope, report: StepReport) => Promise<T>,
  ): Promise<T>
  warn(text: string): void
}

export interface StepReport extends Report {
  running(): void
  cached(): void
}

export function createSteps(onEvent: ((event: EngineEvent) => void) | undefined, signal: AbortSignal): Steps {
  const scopes = new AsyncLocalStorage<StepScope>()
  let last = 0
  const emit = (event: EngineEvent): void => onEvent?.(event)

  return {
    current: () => scopes.getStore(),
    warn: (text) => emit({ type: 'engine-warning', text, time: Date.now() }),
    async run({ kind, name, key }, work) {
      const parent = scopes.getStore()
      const step = ++last
      const started = performance.now()
      const at = () => ({ step, name, time: Date.now() })
      const elapsed = () => Math.round(performance.now() - started)
      let cached = false
      const report: StepReport = {
        running: () => emit({ type: 'step-running', ...at() }),
        cached: () => {
          cached = true
        },
        progress: (done, total, unit, detail) =>
          emit({
            type: 'step-progress',
            ...at(),
            done,
            total,
            unit,
            ...(detail === undefined ? {} : { detail }),
          }),
        note: (text) => emit({ type: 'step-note', ...at(), text }),
        warn: (text) => emit({ type: 'step-warning', ...at(), text }),
      }
      emit({ type: 'step-started', ...at(), kind, ...(parent === undefined ? {} : { parent: parent.step }) })
      const scope: StepScope = { step, key, parent, builds: new Set() }
      try {
        const result = await scopes.run(scope, () => work(scope, report))
        emit({ type: 'step-finished', ...at(), cached, elapsedMs: elapsed() })
        return result
      } catch (error) {
        const reason = signal.aborted ? 'aborted' : 'failed'
        const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
        emit({ type: 'step-failed', ...at(), reason, message, elapsedMs: elapsed() })
        throw error
      }
    },
  }
}
