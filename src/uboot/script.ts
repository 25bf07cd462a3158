/**
 * Commands for a U-Boot prompt or script. U-Boot's shell (hush) and its older, simpler parser agree on single quotes:
 * everything between two of them is taken as it is. So a value is quoted by them, and one with a single quote in it
 * is refused.
 *
 * A line longer than the loader's buffer is cut without a word, so every line is measured.
 */
import { failure, type Result, type ScriptError, success } from './result.ts'

export type Command =
  /** `setenv NAME 'VALUE'` */
  | { readonly type: 'set'; readonly name: string; readonly value: string }
  /** `tftpboot ADDRESS FILE` */
  | { readonly type: 'transfer'; readonly address: number; readonly file: string }
  /** `fdt addr ADDRESS`; `address` may be a variable: `${fdtcontroladdr}`. */
  | { readonly type: 'tree-address'; readonly address: number | string }
  /** `fdt resize BYTES`: makes room behind the live tree. */
  | { readonly type: 'tree-resize'; readonly sizeBytes: number }
  /** `fdt mknode PARENT NAME`; fails with FDT_ERR_EXISTS when run twice. */
  | { readonly type: 'tree-node'; readonly parent: string; readonly name: string }
  /** `fdt set PATH PROPERTY VALUE...` */
  | { readonly type: 'tree-set'; readonly path: string; readonly property: string; readonly value: TreeValue }
  /** `booti`, `bootz` or `bootm`, with what is handed over. */
  | {
      readonly type: 'boot'
      readonly method: 'booti' | 'bootz' | 'bootm'
      readonly kernel: number
      /** For `bootm` of a FIT: the configuration. */
      readonly configuration?: string
      /** As it lies in memory; or an image's `ADDRESS`, or what a FIT has, as `ADDRESS#CONFIGURATION`. */
      readonly initramfs?: { readonly address: number; readonly sizeBytes: number } | string
      readonly tree?: number | string
    }
  /** A line as it is; for what a loader has of its own (`unzip`, `lzmadec`). */
  | { readonly type: 'line'; readonly text: string }

export type TreeValue =
  | { readonly type: 'empty' }
  | { readonly type: 'cells'; readonly cells: readonly number[] }
  | { readonly type: 'string'; readonly text: string }

/** The lines of a script. Error: `unquotable`. */
export function commandLines(commands: readonly Command[]): Result<readonly string[], ScriptError> {
  const lines: string[] = []
  for (const command of commands) {
    const line = commandLine(command)
    if (!line.ok) return line
    lines.push(line.value)
  }
  return success(lines)
}

function commandLine(command: Command): Result<string, ScriptError> {
  switch (command.type) {
    case 'set':
      return join('setenv', [command.name], command.value)
    case 'transfer':
      return join(`tftpboot ${hex(command.address)}`, [command.file])
    case 'tree-address':
      return join(`fdt addr ${place(command.address)}`, [])
    case 'tree-resize':
      return join(`fdt resize ${hex(command.sizeBytes)}`, [])
    case 'tree-node':
      return join('fdt mknode', [command.parent, command.name])
    case 'tree-set':
      return treeSet(command.path, command.property, command.value)
    case 'boot': {
      const { kernel, initramfs, tree, configuration } = command
      const image = configuration === undefined ? hex(kernel) : `${hex(kernel)}#${configuration}`
      const ramdisk =
        initramfs === undefined
          ? '-'
          : typeof initramfs === 'string'
            ? initramfs
            : `${hex(initramfs.address)}:${initramfs.sizeBytes.toString(16)}`
      const handed = tree !== undefined ? [ramdisk, place(tree)] : initramfs !== undefined ? [ramdisk] : []
      return join([command.method, image, ...handed].join(' '), [])
    }
    case 'line':
      return /[\n\r\0]/.test(command.text) ? unquotable(command.text) : success(command.text)
  }
}

function treeSet(path: string, property: string, value: TreeValue): Result<string, ScriptError> {
  switch (value.type) {
    case 'empty':
      return join('fdt set', [path, property])
    case 'cells':
      // Cells are one argument in angle brackets, which hush must not see as words.
      return join('fdt set', [path, property], `<${value.cells.map(hex).join(' ')}>`)
    case 'string':
      // Text that begins so is read as cells or bytes, however it is quoted.
      if (/^[<[]/.test(value.text)) return unquotable(value.text)
      return join('fdt set', [path, property], value.text)
  }
}

/** A command, its words (quoted where they must be), and a last argument that always is. */
function join(command: string, words: readonly string[], last?: string): Result<string, ScriptError> {
  const parts = [command]
  for (const word of words) {
    // A word that begins with # would be a comment: `#address-cells` is a property.
    const quoted = /^[\w./@,+:=-][\w./@,+:=#-]*$/.test(word) ? success(word) : quote(word)
    if (!quoted.ok) return quoted
    parts.push(quoted.value)
  }
  if (last !== undefined) {
    const quoted = quote(last)
    if (!quoted.ok) return quoted
    parts.push(quoted.value)
  }
  return success(parts.join(' '))
}

/** A text in single quotes. Error: `unquotable` where it has a single quote, a line's end or a zero byte. */
export function quote(text: string): Result<string, ScriptError> {
  return /['\n\r\0]/.test(text) ? unquotable(text) : success(`'${text}'`)
}

function unquotable(text: string) {
  const message = `${JSON.stringify(text)} cannot be brought through U-Boot's parser: it has a quote, a line's end or a zero byte, or looks like cells`
  return failure<ScriptError>({ type: 'unquotable', text, message })
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}

function place(address: number | string): string {
  return typeof address === 'number' ? hex(address) : address
}

/**
 * Checks lines against the longest that the loader takes whole (511 for most, CONFIG_SYS_CBSIZE less 1). Error:
 * `line-too-long` for the first that is longer.
 */
export function checkLines(
  lines: readonly string[],
  limitBytes: number,
): Result<readonly string[], ScriptError> {
  for (const [index, line] of lines.entries()) {
    const lengthBytes = Buffer.byteLength(line)
    if (lengthBytes <= limitBytes) continue
    const start = line.length > 40 ? `${line.slice(0, 40)}...` : line
    const message = `line ${index + 1} has ${lengthBytes} bytes, and the loader takes ${limitBytes}: ${start}`
    return failure({ type: 'line-too-long', line: index + 1, lengthBytes, limitBytes, message })
  }
  return success(lines)
}

/**
 * Sets a variable in as many lines as the limit makes needed: the first sets it, the others go on where it ends. It
 * is cut at spaces where that is possible. Errors: `unquotable`; `line-too-long` where the name alone is too long.
 */
export function setInSteps(
  name: string,
  value: string,
  limitBytes: number,
): Result<readonly Command[], ScriptError> {
  const quoted = quote(value)
  if (!quoted.ok) return quoted
  const whole = `setenv ${name} ${quoted.value}`
  if (Buffer.byteLength(whole) <= limitBytes) return success([{ type: 'set', name, value }])
  const start = `setenv ${name} "\${${name}}"''`
  const room = limitBytes - Buffer.byteLength(start)
  if (room < 1) {
    const lengthBytes = Buffer.byteLength(start) + 1
    const message = `"${name}" cannot be set in lines of ${limitBytes} bytes`
    return failure({ type: 'line-too-long', line: 1, lengthBytes, limitBytes, message })
  }
  const parts = cut(value, room)
  return success(
    parts.map((part, index): Command => {
      if (index === 0) return { type: 'set', name, value: part }
      return { type: 'line', text: `setenv ${name} "\${${name}}"'${part}'` }
    }),
  )
}

/** Pieces of at most `room` bytes that make up the text; a piece begins with a space where there is one to cut at. */
function cut(text: string, room: number): readonly string[] {
  const parts: string[] = []
  let part = ''
  let lastSpace = -1
  for (const character of text) {
    if (Buffer.byteLength(part + character) > room) {
      const end = lastSpace > 0 ? lastSpace : part.length
      parts.push(part.slice(0, end))
      part = part.slice(end)
      lastSpace = -1
    }
    if (character === ' ') lastSpace = part.length
    part += character
  }
  parts.push(part)
  return parts
}
