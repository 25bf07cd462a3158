/**
 * Numbers as the C library reads them. Values of int and hex symbols are text; they are compared, clamped to ranges
 * and checked by way of `strtoll`, which stops at the first character that is no digit and never fails.
 */
import type { SymbolType } from './model.ts'

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)
const UNSIGNED_LONG_MAX = 2n ** 64n - 1n

export interface ParsedNumber {
  readonly value: bigint
  /** where the number ended; 0 when there was none */
  readonly end: number
  /** it did not fit into 64 bits and is the nearest number that does */
  readonly overflow: boolean
}

const digitValue = (code: number): number =>
  code >= 48 && code <= 57
    ? code - 48
    : code >= 97 && code <= 122
      ? code - 87
      : code >= 65 && code <= 90
        ? code - 55
        : 99

/** ISO C `strtoll`, or `strtoull`; base 0 takes the base from the prefix. */
export function parseNumber(text: string, base: 0 | 10 | 16, unsigned = false): ParsedNumber {
  let at = 0
  while (/[ \t\n\v\f\r]/.test(text[at] ?? '')) at++
  let negative = false
  if (text[at] === '-' || text[at] === '+') negative = text[at++] === '-'
  let radix: number = base
  const prefixed =
    text[at] === '0' &&
    (text[at + 1] === 'x' || text[at + 1] === 'X') &&
    digitValue(text.charCodeAt(at + 2)) < 16
  if (base === 0) radix = prefixed ? 16 : text[at] === '0' ? 8 : 10
  if (radix === 16 && prefixed) at += 2
  const start = at
  let small = 0
  while (at < text.length && digitValue(text.charCodeAt(at)) < radix) {
    small = small * radix + digitValue(text.charCodeAt(at))
    at++
  }
  if (at === start) return { value: 0n, end: 0, overflow: false }
  if (small <= Number.MAX_SAFE_INTEGER)
    return { value: BigInt(negative ? -small : small), end: at, overflow: false }
  let value = 0n
  for (let i = start; i < at; i++) value = value * BigInt(radix) + BigInt(digitValue(text.charCodeAt(i)))
  if (negative) value = -value
  if (unsigned) {
    if (value > UNSIGNED_LONG_MAX || value < -UNSIGNED_LONG_MAX)
      return { value: UNSIGNED_LONG_MAX, end: at, overflow: true }
    return { value, end: at, overflow: false }
  }
  if (value > LONG_MAX) return { value: LONG_MAX, end: at, overflow: true }
  if (value < LONG_MIN) return { value: LONG_MIN, end: at, overflow: true }
  return { value, end: at, overflow: false }
}

const isDigits = (text: string): boolean => /^[0-9]+$/.test(text)

/** Whether a text can be the value of a symbol of this type, ranges aside. */
export function isValidText(type: SymbolType, text: string): boolean {
  switch (type) {
    case 'string':
      return true
    case 'int': {
      const digits = text.startsWith('-') ? text.slice(1) : text
      return isDigits(digits) && (digits === '0' || !digits.startsWith('0'))
    }
    case 'hex':
      return /^(?:0[xX])?[0-9a-fA-F]+$/.test(text)
    case 'bool':
    case 'tristate':
      return /^[yYmMnN]/.test(text)
    default:
      return false
  }
}

type Kind = 'text' | 'signed' | 'unsigned'

function classify(text: string, type: SymbolType): { kind: Kind; value: bigint } {
  if (type === 'bool' || type === 'tristate')
    return { kind: 'signed', value: text === 'n' ? 0n : text === 'm' ? 1n : text === 'y' ? 2n : -1n }
  const base = type === 'int' ? 10 : type === 'hex' ? 16 : 0
  const parsed = parseNumber(text, base, type === 'hex')
  const last = text.charCodeAt(parsed.end - 1)
  if (parsed.overflow || parsed.end === 0 || parsed.end !== text.length || digitValue(last) > 15)
    return { kind: 'text', value: 0n }
  return { kind: type === 'hex' ? 'unsigned' : 'signed', value: parsed.value }
}

/**
 * Compares two values the way expressions do: as numbers where both are, else as text.
 * @returns negative, 0 or positive
 */
export function compareValues(
  left: string,
  leftType: SymbolType,
  right: string,
  rightType: SymbolType,
): number {
  if (leftType !== 'string' || rightType !== 'string') {
    const a = classify(left, leftType)
    const b = classify(right, rightType)
    if (a.kind !== 'text' && b.kind !== 'text') {
      const unsigned = a.kind === 'unsigned' || b.kind === 'unsigned'
      const x = unsigned ? a.value & UNSIGNED_LONG_MAX : a.value
      const y = unsigned ? b.value & UNSIGNED_LONG_MAX : b.value
      return x < y ? -1 : x > y ? 1 : 0
    }
  }
  return left < right ? -1 : left > right ? 1 : 0
}
