/** Talking to U-Boot's prompt: a line typed, seen to have arrived whole, run, and its result asked for. */
import type { SerialLine, Waited } from '../machine/index.ts'
import type { Loader } from '../uboot/index.ts'
import { type BootFailure, bootFailure, recogniseFailure, signOr } from './failure.ts'

export type PromptResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: BootFailure }

export interface Answer {
  readonly output: string
  /** Whether the command succeeded; undefined under a shell that does not tell. */
  readonly succeeded: boolean | undefined
}

export interface RunOptions {
  /** How long a command may say nothing. Default 30 s. */
  readonly idleMs?: number
  /** What it means when it says nothing for longer. Default `stuck`. */
  readonly whenIdle?: BootFailure['type']
}

export interface Prompt {
  /** Runs one line. Fails on any sign of trouble in what is printed, and when nothing more comes. */
  run(line: string, options?: RunOptions): Promise<PromptResult<Answer>>
  /** Types a line and sends it off, without waiting for what comes of it. */
  start(line: string): Promise<PromptResult<undefined>>
}

/** A loader echoes at once; what has not come after such a pause does not come. */
const QUIET_MS = 300
const ECHO_MS = 5000
const IDLE_MS = 30_000
const CTRL_C = '\x03'
const TRIES = 3

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** The loader's prompt at the end of all that came. */
export function promptPattern(loader: Loader): RegExp {
  return new RegExp(`${begunPromptPattern(loader).source}$`)
}

/** The loader's prompt, with whatever has been typed there. */
export function begunPromptPattern(loader: Loader): RegExp {
  return new RegExp(`(?:^|\\n)${escaped(loader.prompt)}`)
}

/** A conversation with a loader that is at its prompt. */
export function openPrompt(line: SerialLine, loader: Loader): Prompt {
  const atPrompt = promptPattern(loader)
  const fail = <T>(type: BootFailure['type'], message: string): PromptResult<T> => {
    return { ok: false, error: bootFailure(type, message, line.transcript()) }
  }

  /** Types without the end of the line, until the echo is right: nothing that is garbled is ever run. */
  async function type(text: string): Promise<PromptResult<undefined>> {
    let echo = ''
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      line.send(text)
      const seen = await echoOf(text)
      if (seen.type === 'matched') return { ok: true, value: undefined }
      if (seen.type === 'ended') return fail('line-gone', seen.message)
      // The bell is the answer to what is too much.
      echo = line.pending().replace(/[\x00-\x1f]/g, '')
      line.send(CTRL_C)
      await line.wait(atPrompt, ECHO_MS)
    }
    const kept = commonPrefix(echo, text)
    const message =
      kept > 0 && kept < text.length && echo.length === kept
        ? `the loader took ${kept} of the ${text.length} characters of a line`
        : 'what the loader echoed is not what was typed'
    return fail('line-cut', `${message}: ${text}`)
  }

  /** Waits for the echo as long as more of it comes. */
  async function echoOf(text: string): Promise<Waited> {
    const whole = new RegExp(`${escaped(text)}$`)
    let before = line.pending()
    for (const deadline = Date.now() + ECHO_MS; ; ) {
      const waited = await line.wait(whole, QUIET_MS)
      const now = line.pending()
      if (waited.type !== 'timed-out' || (now === before && now !== '') || Date.now() > deadline)
        return waited
      before = now
    }
  }

  async function start(text: string): Promise<PromptResult<undefined>> {
    const typed = await type(text)
    if (typed.ok) line.send('\n')
    return typed
  }

  async function run(text: string, options: RunOptions = {}): Promise<PromptResult<Answer>> {
    const started = await start(text)
    if (!started.ok) return started
    const output = await untilPrompt(text, options)
    if (!output.ok || loader.shell !== 'hush') {
      return output.ok ? { ok: true, value: { output: output.value, succeeded: undefined } } : output
    }
    const asked = await start('echo "result=$?="')
    if (!asked.ok) return asked
    const result = await line.wait(/\nresult=(\d+)=\n/, ECHO_MS)
    if (result.type !== 'matched') return fail('no-prompt', `the loader does not answer after: ${text}`)
    const back = await line.wait(atPrompt, ECHO_MS)
    if (back.type !== 'matched') return fail('no-prompt', `the loader’s prompt is gone after: ${text}`)
    return { ok: true, value: { output: output.value, succeeded: result.match[1] === '0' } }
  }

  /** What is printed until the prompt is back. A sign of failure ends it: some of them never come to an end. */
  async function untilPrompt(
    text: string,
    { idleMs = IDLE_MS, whenIdle = 'stuck' }: RunOptions,
  ): Promise<PromptResult<string>> {
    const either = signOr('loader', atPrompt)
    let seenBytes = line.transcript().length
    for (;;) {
      const waited = await line.wait(either, idleMs)
      if (waited.type === 'ended') return fail('line-gone', waited.message)
      if (waited.type === 'timed-out') {
        if (line.transcript().length > seenBytes) {
          seenBytes = line.transcript().length
          continue
        }
        return fail(whenIdle, `nothing came for ${idleMs / 1000} s after: ${text}`)
      }
      const printed = `${waited.match.input.slice(0, waited.match.index)}${waited.match[0]}`
      const trouble = recogniseFailure('loader', printed)
      if (trouble === undefined) return { ok: true, value: printed }
      // It may go on trying for ever.
      line.send(CTRL_C)
      await line.wait(atPrompt, ECHO_MS)
      return fail(trouble.type, `${trouble.message} (${text})`)
    }
  }

  return { run, start }
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
