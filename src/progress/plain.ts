import type { EngineEvent } from '../engine/index.ts'

/** A reader of the engine's event stream, and how to end it. */
export interface ProgressReader {
  event(event: EngineEvent): void
  /** Leaves the terminal as a reader found it. */
  stop(): void
}

/** Seconds as people read them: `0.42 s`, `12.3 s`, `3 min 20 s`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = elapsedMs / 1000
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 100) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** What is left of a step at its speed so far; undefined where little has been seen of it, or little is left. */
export function timeLeft(
  { done, total }: { readonly done: number; readonly total: number },
  elapsedMs: number,
): string | undefined {
  if (elapsedMs < 5000 || done < total / 50 || done >= total) return undefined
  return `about ${formatElapsed((elapsedMs / done) * (total - done))}`
}

/**
 * One line when a step ends, for a log that nobody sits before. Cached steps are counted and not shown, or a build with
 * nothing to do would be the longest to read; so are the steps of steps, which their elders stand for.
 */
export function plainProgress(write: (line: string) => void): ProgressReader {
  let cached = 0
  const inner = new Set<number>()
  const started = new Map<number, number>()
  const tenths = new Map<number, number>()
  return {
    event(event) {
      switch (event.type) {
        case 'step-started':
          if (event.parent !== undefined) inner.add(event.step)
          started.set(event.step, event.time)
          break
        case 'step-progress': {
          // objects are what takes minutes
          const tenth = Math.floor((10 * event.done) / event.total)
          if (event.unit !== 'objects' || tenth <= (tenths.get(event.step) ?? 0)) break
          tenths.set(event.step, tenth)
          const left = timeLeft(event, event.time - (started.get(event.step) ?? event.time))
          const rest = [event.detail, left === undefined ? undefined : `${left} left`].filter(
            (part) => part !== undefined,
          )
          write(
            `${event.name}: ${event.done} of ${event.total} objects${rest.map((part) => `, ${part}`).join('')}`,
          )
          break
        }
        case 'step-finished':
          if (event.cached) cached++
          else if (!inner.has(event.step)) write(`${event.name} (${formatElapsed(event.elapsedMs)})`)
          break
        case 'step-failed':
          if (event.reason === 'failed') write(`${event.name}: failed: ${event.message}`)
          break
        case 'step-note':
          write(`${event.name}: ${event.text}`)
          break
        case 'step-warning':
          write(`${event.name}: warning: ${event.text}`)
          break
        case 'engine-warning':
          write(`warning: ${event.text}`)
          break
        default:
          break
      }
    },
    stop() {
      if (cached > 0) write(`${cached} steps were known already`)
    },
  }
}
