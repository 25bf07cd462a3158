/**
 * A conversation over a serial line: what came in, and waiting for something in it. No process, no device: bytes in,
 * bytes out.
 */
export interface SerialLine {
  /** Everything received so far, as text. */
  transcript(): string
  /** Hands in what the other side said. */
  receive(bytes: Uint8Array): void
  /** The other side is gone; whoever waits, waits in vain. */
  end(reason: string): void
  /** Waits until what came in after the last match matches `pattern`, and moves on to the end of that match. */
  wait(pattern: RegExp, timeoutMs: number): Promise<Waited>
  /**
   * As `wait`, for where the match is all that can be gone on with.
   *
   * @throws Error when `timeoutMs` passes or the other side goes first; it quotes the last lines.
   */
  expect(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>
  /** What came in after the last match. */
  pending(): string
  send(text: string): void
}

/** How waiting ended; `message` quotes the last lines. */
export type Waited =
  | { readonly type: 'matched'; readonly match: RegExpExecArray }
  | { readonly type: 'timed-out'; readonly message: string }
  | { readonly type: 'ended'; readonly message: string }

interface Waiting {
  readonly pattern: RegExp
  readonly resolve: (waited: Waited) => void
  readonly timer: NodeJS.Timeout
}

/** A line whose outgoing text goes to `write`. Terminal control sequences are taken out of what comes in. */
export function openSerialLine(write: (text: string) => void): SerialLine {
  const decoder = new TextDecoder()
  let text = ''
  /** The beginning of a control sequence whose end is still to come. */
  let begun = ''
  let position = 0
  let ended: string | undefined
  let waiting: Waiting | undefined

  const lastLines = (): string => text.slice(-1500).split('\n').slice(-15).join('\n')
  const settle = (): void => {
    if (waiting === undefined) return
    const match = new RegExp(waiting.pattern.source, waiting.pattern.flags.replace(/[gy]/g, '')).exec(
      text.slice(position),
    )
    const { resolve, timer, pattern } = waiting
    if (match !== null) position += match.index + match[0].length
    else if (ended === undefined) return
    clearTimeout(timer)
    waiting = undefined
    if (match !== null) resolve({ type: 'matched', match })
    else {
      const message = `${ended} before ${pattern} was seen; the last lines were:\n${lastLines()}`
      resolve({ type: 'ended', message })
    }
  }
  const wait = (pattern: RegExp, timeoutMs: number): Promise<Waited> => {
    return new Promise((resolve) => {
      if (waiting !== undefined) throw new Error('two parts of the program wait on one serial line')
      const timer = setTimeout(() => {
        waiting = undefined
        const message = `${pattern} was not seen in ${timeoutMs / 1000} s; the last lines were:\n${lastLines()}`
        resolve({ type: 'timed-out', message })
      }, timeoutMs)
      waiting = { pattern, resolve, timer }
      settle()
    })
  }
  return {
    transcript: () => text,
    pending: () => text.slice(position),
    receive(bytes) {
      const received = begun + decoder.decode(bytes, { stream: true })
      begun = /\x1b(\[[0-9;?]*)?$/.exec(received)?.[0] ?? ''
      text += withoutControls(received.slice(0, received.length - begun.length))
      settle()
    },
    end(reason) {
      ended = reason
      settle()
    },
    wait,
    async expect(pattern, timeoutMs) {
      const waited = await wait(pattern, timeoutMs)
      if (waited.type === 'matched') return waited.match
      throw new Error(waited.message)
    },
    send: write,
  }
}

/** Drops carriage returns, zero bytes (U-Boot's countdown has them) and ECMA-48 control sequences (`ESC [ … letter`, as a shell asking for the cursor sends). */
function withoutControls(text: string): string {
  return text.replace(/[\r\0]/g, '').replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
}
