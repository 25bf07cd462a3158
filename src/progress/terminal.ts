import colors from 'picocolors'
import { formatElapsed, type ProgressReader, timeLeft } from './plain.ts'

interface Running {
  readonly name: string
  readonly startedAt: number
  progress?: {
    readonly done: number
    readonly total: number
    readonly unit: string
    readonly detail?: string
  }
}

/**
 * What runs now, at the bottom of the terminal, with a bar where a total is known; what took noticeable time stays
 * above it.
 */
export async function terminalProgress(stream: NodeJS.WriteStream): Promise<ProgressReader> {
  // Loaded here: it costs more than a build with nothing to do, and logs do not need it.
  const { createLogUpdate } = await import('log-update')
  const update = createLogUpdate(stream)
  const running = new Map<number, Running>()
  let cached = 0
  const draw = (): void => {
    const lines = [...running.values()].slice(-6).map((step) => {
      const elapsed = formatElapsed(Date.now() - step.startedAt)
      const left =
        step.progress === undefined ? undefined : timeLeft(step.progress, Date.now() - step.startedAt)
      const rest = [elapsed, ...(left === undefined ? [] : [`${left} left`]), step.progress?.detail ?? '']
      return `  ${colors.cyan('•')} ${step.name} ${bar(step.progress)}${colors.dim(rest.join(' ').trimEnd())}`
    })
    update(lines.join('\n'))
  }
  const keep = (line: string): void => {
    update.clear()
    stream.write(`${line}\n`)
    draw()
  }
  const timer = setInterval(draw, 120)
  timer.unref()
  return {
    event(event) {
      switch (event.type) {
        case 'step-started':
          running.set(event.step, { name: event.name, startedAt: event.time })
          break
        case 'step-progress': {
          const step = running.get(event.step)
          if (step !== undefined) step.progress = event
          break
        }
        case 'step-finished':
          running.delete(event.step)
          if (event.cached) cached++
          else if (event.elapsedMs >= 50) {
            keep(`  ${colors.green('✓')} ${event.name} ${colors.dim(formatElapsed(event.elapsedMs))}`)
          }
          break
        case 'step-failed':
          running.delete(event.step)
          if (event.reason === 'failed') keep(`  ${colors.red('✗')} ${event.name}`)
          break
        case 'step-note':
          keep(`  ${colors.dim(`${event.name}: ${event.text}`)}`)
          break
        case 'step-warning':
        case 'engine-warning':
          keep(`  ${colors.yellow('!')} ${event.text}`)
          break
        case 'step-running':
          break
      }
    },
    stop() {
      clearInterval(timer)
      update.clear()
      if (cached > 0) stream.write(`  ${colors.dim(`${cached} steps were known already`)}\n`)
    },
  }
}

function bar(progress: Running['progress']): string {
  if (progress === undefined || progress.total <= 0) return ''
  const width = 24
  const part = Math.min(1, progress.done / progress.total)
  const filled = Math.round(part * width)
  const amount =
    progress.unit === 'bytes'
      ? `${(progress.done / 1e6).toFixed(1)} of ${(progress.total / 1e6).toFixed(1)} MB`
      : `${progress.done} of ${progress.total} ${progress.unit}`
  return `${'█'.repeat(filled)}${colors.dim('░'.repeat(width - filled))} ${amount} `
}
