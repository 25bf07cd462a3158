/**
 * A tree as source text, as `dtc -I dtb -O dts` prints it, with one difference: the strings of a list are printed
 * apart (`"a", "b"`, as dtc does from 1.7 on) and not with `\0` between them. dtc compiles the text back into the
 * same tree.
 */
import type { DeviceNode, DeviceTree } from './model.ts'
import { decodeCells } from './value.ts'

export function printDevicetree(tree: DeviceTree): string {
  const reservations = tree.reservations.map(({ address, sizeBytes }) => {
    return `/memreserve/\t${hex64(address)} ${hex64(sizeBytes)};\n`
  })
  return `/dts-v1/;\n\n${reservations.join('')}${printNode(tree.root, 0)}`
}

function hex64(number: bigint): string {
  return `0x${number.toString(16).padStart(16, '0')}`
}

/** One node and all below it, indented by tabs. */
export function printNode(node: DeviceNode, depth = 0): string {
  const lines: string[] = []
  appendNode(lines, node, depth)
  return `${lines.join('\n')}\n`
}

function appendNode(lines: string[], node: DeviceNode, depth: number): void {
  const indent = '\t'.repeat(depth)
  lines.push(`${indent}${node.name === '' ? '/' : node.name} {`)
  for (const { name, value } of node.properties) {
    lines.push(value.length === 0 ? `${indent}\t${name};` : `${indent}\t${name} = ${printValue(value)};`)
  }
  for (const child of node.children) {
    lines.push('')
    appendNode(lines, child, depth + 1)
  }
  lines.push(`${indent}};`)
}

/**
 * A value in source form, its type guessed from the bytes with dtc's own rules: strings when all is text and zero
 * bytes are no more than half; otherwise cells when the length allows; otherwise bytes.
 */
export function printValue(value: Uint8Array): string {
  if (looksLikeStrings(value)) {
    const strings = Buffer.from(value.subarray(0, -1)).toString('latin1').split('\0')
    return strings.map((string) => `"${escaped(string)}"`).join(', ')
  }
  const cells = decodeCells(value)
  if (cells !== undefined) return `<${cells.map((cell) => `0x${hexByte(cell)}`).join(' ')}>`
  return `[${[...value].map(hexByte).join(' ')}]`
}

function hexByte(number: number): string {
  return number.toString(16).padStart(2, '0')
}

/** Text as C's isprint() has it, and the seven control characters that have an escape. */
function looksLikeStrings(value: Uint8Array): boolean {
  if (value.length === 0 || value.at(-1) !== 0) return false
  let zeros = 0
  for (const byte of value) {
    if (byte === 0) zeros++
    else if (!((byte >= 0x20 && byte < 0x7f) || (byte >= 7 && byte <= 13))) return false
  }
  return zeros <= value.length - zeros
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

function escaped(text: string): string {
  return text.replace(/[\x07-\r"\\]/g, (character) => ESCAPES[character] ?? character)
}
