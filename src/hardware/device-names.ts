import { type CCode, type Compilation, type Macro, readCCode } from './c-code.ts'

/** The names of devices in one C file of a kernel source. */
export interface DeviceNames {
  /**
   * `compatible` strings for which the file has a driver: of the tables (`struct of_device_id`) that a driver is
   * registered with, and of the declarations (`CLK_OF_DECLARE`, …) by which the kernel sets devices up without one.
   */
  readonly driven: ReadonlySet<string>
  /** Those of tables that become aliases when the file is in a module (`MODULE_DEVICE_TABLE(of, …)`). */
  readonly aliased: ReadonlySet<string>
  /** Names of devices on I2C and SPI, by which those buses match as well. */
  readonly shortNames: ReadonlySet<string>
  /**
   * `compatible` strings that the file knows without driving the device: early consoles (`OF_EARLYCON_DECLARE`), and
   * what cards need that another driver drives (`SDIO_FIXUP_COMPATIBLE`, drivers/mmc/core/card.h).
   */
  readonly undriven: ReadonlySet<string>
  /** Every other string: what code of the file may look for by itself. */
  mentioned(): ReadonlySet<string>
}

/** Whether a file can have names of devices at all; cheaper than reading it. */
export function mayNameDevices(bytes: Buffer): boolean {
  return markBytes.some((mark) => bytes.includes(mark))
}

/** What a file has somewhere that has names of devices, or a table of them that another file includes. */
export const deviceMarks: readonly string[] = [
  'compatible',
  'OF_DECLARE',
  'OF_EARLYCON_DECLARE',
  'SDIO_FIXUP_COMPATIBLE',
  'IRQCHIP_',
  'i2c_device_id',
  'spi_device_id',
  'MODULE_DEVICE_TABLE(of',
]
const markBytes = deviceMarks.map((text) => Buffer.from(text))

export function readDeviceNames(source: string, compilation: Compilation = {}): DeviceNames {
  const code = readCCode(source, compilation)
  const { text } = code
  const exported = new Set(
    Array.from(text.matchAll(/\bMODULE_DEVICE_TABLE\s*\(\s*of\s*,\s*(\w+)\s*\)/g), ([, name = '']) => name),
  )
  const driven = new Set<string>()
  const aliased = new Set<string>()
  const shortNames = new Set<string>()
  for (const table of tablesOf(code)) {
    if (table.type !== 'of_device_id') {
      for (const name of shortNamesOf(table.body, code)) shortNames.add(name)
      continue
    }
    const isExported = exported.has(table.name)
    const isDriver = isExported || table.isShared || isRegistered(table.name, text)
    for (const compatible of compatiblesOf(table.body, code)) {
      if (isDriver) driven.add(compatible)
      if (isExported) aliased.add(compatible)
    }
  }
  for (const compatible of irqchips(text)) aliased.add(compatible)
  for (const compatible of [...aliased, ...declared(text)]) driven.add(compatible)
  const undriven = new Set(undrivenOf(text).filter((compatible) => !driven.has(compatible)))
  return {
    driven,
    aliased,
    shortNames,
    undriven,
    mentioned() {
      const strings = Array.from(text.matchAll(/"([^"\\\s]+)"/g), ([, string = '']) => string)
      return new Set(strings.filter((string) => !driven.has(string) && !undriven.has(string)))
    },
  }
}

interface Table {
  readonly type: string
  readonly name: string
  /** Another file may register its driver with it. */
  readonly isShared: boolean
  readonly body: string
}

const tableStart =
  /\b(static\s+)?(?:(?:const|__\w+)\s+)*struct\s+(of_device_id|i2c_device_id|spi_device_id)\s+(?:(?:const|__\w+)\s+)*(\w+)\s*\[[^\]]*\]\s*(?:__\w+(?:\([^)]*\))?\s*)*=\s*\{/g

function* tablesOf(code: CCode): Iterable<Table> {
  for (const match of code.text.matchAll(tableStart)) {
    const [whole, isStatic, type = '', name = ''] = match
    const from = match.index + whole.length
    const body = code.text.slice(from, endOfBraces(code.text, from))
    yield { type, name, isShared: isStatic === undefined, body: expand(body, code.macros) }
  }
}

/** Where the brace closes that is open at `from`. */
function endOfBraces(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at
  }
  return text.length
}

/** A driver is registered with a table that it names as its own. */
function isRegistered(table: string, text: string): boolean {
  return new RegExp(`\\bof_match_table\\s*=\\s*(?:of_match_ptr\\s*\\(\\s*)?${table}\\b`).test(text)
}

function compatiblesOf(body: string, { macros }: CCode): readonly string[] {
  return Array.from(
    body.matchAll(/\.\s*compatible\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*|\w+\s*)+)/g),
    ([, value = '']) => stringOf(value, macros),
  ).flatMap((text) => text ?? [])
}

/** Adjacent strings are one; a name in between stands for what the file defines it as. */
function stringOf(value: string, macros: ReadonlyMap<string, Macro>): string | undefined {
  let text = ''
  for (const [part] of value.matchAll(/"(?:[^"\\]|\\.)*"|\w+/g)) {
    if (part.startsWith('"')) text += part.slice(1, -1)
    else {
      const meant = /^"([^"\\]*)"$/.exec(macros.get(part)?.body.trim() ?? '')?.[1]
      if (meant === undefined) return undefined
      text += meant
    }
  }
  return text
}

/** The first member of each entry, or `.name`. */
function shortNamesOf(body: string, { macros }: CCode): readonly string[] {
  return Array.from(body.matchAll(/\{\s*(?:\.\s*name\s*=\s*)?("(?:[^"\\]|\\.)*"|\w+)/g), ([, value = '']) =>
    stringOf(value, macros),
  ).flatMap((text) => (text === undefined || text === '' ? [] : [text]))
}

/** Macros of the file that stand for entries of a table, put in their place. */
function expand(body: string, macros: ReadonlyMap<string, Macro>, depth = 0): string {
  if (depth > deepestExpansion) return body
  let changed = false
  const text = body.replaceAll(/\b([A-Za-z_]\w*)\s*\(([^()]*)\)/g, (call, name: string, list: string) => {
    const macro = macros.get(name)
    if (macro?.parameters === undefined) return call
    changed = true
    const given = argumentsOf(list)
    return macro.parameters.reduce((text, parameter, index) => {
      const value = given[index] ?? ''
      return text
        .replaceAll(new RegExp(`(?<!#)#\\s*${parameter}\\b`, 'g'), () => JSON.stringify(value))
        .replaceAll(
          new RegExp(`\\s*##\\s*${parameter}\\b|\\b${parameter}\\s*##\\s*|\\b${parameter}\\b`, 'g'),
          () => value,
        )
    }, macro.body)
  })
  return changed ? expand(text, macros, depth + 1) : text
}

const deepestExpansion = 4

/** What commas separate, but for those in strings. */
function argumentsOf(list: string): readonly string[] {
  return Array.from(list.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g), ([argument]) => argument.trim())
}

/**
 * `CLK_OF_DECLARE(name, "compatible", init)` and its relatives put a device into a table of the kernel's own
 * (include/linux/of.h, `_OF_DECLARE`).
 */
function declared(text: string): readonly string[] {
  return declarations(text).flatMap(({ isEarlyConsole, compatible }) => (isEarlyConsole ? [] : [compatible]))
}

/** A console that prints until a driver takes the device over (include/linux/serial_core.h), and quirks of cards. */
function undrivenOf(text: string): readonly string[] {
  const early = declarations(text).flatMap(({ isEarlyConsole, compatible }) =>
    isEarlyConsole ? [compatible] : [],
  )
  const quirks = text.matchAll(/\bSDIO_FIXUP_COMPATIBLE\s*\(\s*"([^"\\]+)"/g)
  return [...early, ...Array.from(quirks, ([, compatible = '']) => compatible)]
}

function declarations(
  text: string,
): readonly { readonly isEarlyConsole: boolean; readonly compatible: string }[] {
  const found = text.matchAll(
    /\b(\w*OF_DECLARE\w*|OF_EARLYCON_DECLARE|IRQCHIP_DECLARE)\s*\(\s*\w+\s*,\s*(?:\w+\s*,\s*)?"([^"\\]+)"/g,
  )
  return Array.from(found, ([, macro = '', compatible = '']) => ({
    isEarlyConsole: macro === 'OF_EARLYCON_DECLARE',
    compatible,
  }))
}

/** Entries of the exported table that `IRQCHIP_PLATFORM_DRIVER_BEGIN` opens (include/linux/irqchip.h). */
function irqchips(text: string): readonly string[] {
  const entries = text.matchAll(/\bIRQCHIP_MATCH\s*\(\s*"([^"\\]+)"/g)
  return Array.from(entries, ([, compatible = '']) => compatible)
}
