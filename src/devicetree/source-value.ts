/**
 * A property's value as people write it, in the source form of device trees (Devicetree Specification 0.4, chapter 6):
 * `<1 0x20>`, `"text"`, `[00 ff]`, and rows of these with commas between them. References and expressions are not taken:
 * they need a whole source, and dtc.
 */
import { failure, type Result, success } from './result.ts'
import { cellsValue } from './value.ts'

export interface SourceValueError {
  readonly type: 'bad-source-value'
  /** Characters before the mistake. */
  readonly offset: number
  readonly message: string
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
}

/** The bytes of a value. An empty text is an empty value. */
export function parseSourceValue(text: string): Result<Buffer, SourceValueError> {
  const parts: Buffer[] = []
  let offset = skipSpace(text, 0)
  if (offset === text.length) return success(Buffer.alloc(0))
  for (;;) {
    const part = parsePart(text, offset)
    if (!part.ok) return part
    parts.push(part.value.bytes)
    offset = skipSpace(text, part.value.end)
    if (offset === text.length) return success(Buffer.concat(parts))
    if (text[offset] !== ',') return mistake(offset, 'expected a comma or the end')
    offset = skipSpace(text, offset + 1)
  }
}

interface Part {
  readonly bytes: Buffer
  readonly end: number
}

function mistake(offset: number, message: string) {
  return failure<SourceValueError>({
    type: 'bad-source-value',
    offset,
    message: `at character ${offset + 1}: ${message}`,
  })
}

function skipSpace(text: string, from: number): number {
  let offset = from
  while (/\s/.test(text[offset] ?? '')) offset++
  return offset
}

function parsePart(text: string, start: number): Result<Part, SourceValueError> {
  switch (text[start]) {
    case '"':
      return parseString(text, start)
    case '<':
      return parseCells(text, start)
    case '[':
      return parseBytes(text, start)
    default:
      return mistake(start, 'expected "text", <cells> or [bytes]')
  }
}

function parseString(text: string, start: number): Result<Part, SourceValueError> {
  const bytes: Buffer[] = []
  let offset = start + 1
  while (offset < text.length && text[offset] !== '"') {
    if (text[offset] !== '\\') {
      const [character = ''] = text.slice(offset)
      bytes.push(Buffer.from(character))
      offset += character.length
      continue
    }
    const number = /^(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/.exec(text.slice(offset + 1))
    if (number !== null) {
      const [all, hexadecimal, octal] = number
      const code =
        hexadecimal === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hexadecimal, 16)
      if (code > 0xff) return mistake(offset, 'a character beyond a byte')
      bytes.push(Buffer.from([code]))
      offset += 1 + all.length
    } else {
      const [character = ''] = text.slice(offset + 1)
      bytes.push(Buffer.from(ESCAPES[character] ?? character))
      offset += 1 + character.length
    }
  }
  if (offset >= text.length) return mistake(start, 'the string has no end')
  return success({ bytes: Buffer.concat([...bytes, Buffer.alloc(1)]), end: offset + 1 })
}

function parseCells(text: string, start: number): Result<Part, SourceValueError> {
  const end = text.indexOf('>', start)
  if (end < 0) return mistake(start, 'the cells have no end')
  const cells: number[] = []
  for (const match of text.slice(start + 1, end).matchAll(/\S+/g)) {
    const [word] = match
    const number = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.test(word)
      ? Number.parseInt(word, /^0x/i.test(word) ? 16 : word.startsWith('0') ? 8 : 10)
      : Number.NaN
    if (Number.isNaN(number)) return mistake(start + 1 + match.index, `"${word}" is no number`)
    if (number > 0xffff_ffff) return mistake(start + 1 + match.index, `${word} does not fit into a cell`)
    cells.push(number)
  }
  return success({ bytes: cellsValue(...cells), end: end + 1 })
}

function parseBytes(text: string, start: number): Result<Part, SourceValueError> {
  const end = text.indexOf(']', start)
  if (end < 0) return mistake(start, 'the bytes have no end')
  const digits = text.slice(start + 1, end)
  if (!/^(?:\s*[0-9a-fA-F]{2})*\s*$/.test(digits)) return mistake(start + 1, 'expected bytes of two digits')
  return success({ bytes: Buffer.from(digits.replaceAll(/\s/g, ''), 'hex'), end: end + 1 })
}
