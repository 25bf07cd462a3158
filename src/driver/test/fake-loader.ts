/**
 * A loader for tests: it echoes, takes lines up to a limit, and answers as it is told. A conversation with it needs no
 * board and no time.
 */
import { openSerialLine, type SerialLine } from '../../machine/index.ts'

export interface FakeLoader {
  readonly line: SerialLine
  /** Every line that was run. */
  readonly ran: readonly string[]
  /** What the other side prints by itself. */
  print(text: string): void
  end(reason: string): void
}

export interface FakeOptions {
  readonly prompt?: string
  readonly lineLimitBytes?: number
  /** Loses every so-manieth typed character. */
  readonly losesEvery?: number
  /** Starts with a countdown that this key ends, instead of at its prompt; in a `menu`, an empty line runs an entry. */
  readonly countdown?: { readonly key: string; readonly losesKeys?: number; readonly menu?: true }
  /** What a command prints and its result; by default nothing, and 0. */
  readonly answer?: (line: string) => {
    readonly output?: string
    readonly result?: number
    readonly silent?: true
  }
}

export function fakeLoader(options: FakeOptions = {}): FakeLoader {
  const { prompt = '=> ', lineLimitBytes = 511, losesEvery = Number.POSITIVE_INFINITY, countdown } = options
  const ran: string[] = []
  let typed = ''
  let result = 0
  let characters = 0
  let counting = countdown !== undefined
  let keysToLose = countdown?.losesKeys ?? 0
  const print = (text: string): void => {
    queueMicrotask(() => line.receive(Buffer.from(text.replaceAll('\n', '\r\n'))))
  }
  const run = (): void => {
    // As U-Boot does: the last character that is echoed is lost to the zero at the end.
    const text = typed.slice(0, lineLimitBytes)
    typed = ''
    if (text === 'echo "result=$?="') {
      print(`\nresult=${result}=\n${prompt}`)
      return
    }
    if (text !== '') ran.push(text)
    const answer = options.answer?.(text) ?? {}
    result = answer.result ?? 0
    print(`\n${answer.output ?? ''}${answer.silent === true ? '' : prompt}`)
  }
  const key = (character: string): void => {
    if (counting) {
      if (character === '\n' && countdown?.menu === true) ran.push('an entry of the menu')
      if (character !== countdown?.key || keysToLose-- > 0) return
      counting = false
      print(`\n${prompt}`)
    } else if (character === '\x03') {
      typed = ''
      print(`<INTERRUPT>\n${prompt}`)
    } else if (character === '\n') run()
    else if (++characters % losesEvery === 0) return
    else if (typed.length > lineLimitBytes) print('\x07')
    else {
      typed += character
      print(character)
    }
  }
  const line: SerialLine = openSerialLine((text) => {
    for (const character of text) key(character)
  })
  if (counting) print('\nU-Boot 2023.01\n\nHit any key to stop autoboot:  2 ')
  return { line, ran, print, end: (reason) => line.end(reason) }
}
