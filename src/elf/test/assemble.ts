/**
 * A minimal ELF writer for tests: object files of either class and byte order, out of a list of sections.
 * Section 0, `.symtab`, `.strtab` and `.shstrtab` are added; their order is that of an assembler's output.
 */
export interface AssembledSection {
  readonly name: string
  readonly content: Uint8Array
  /** SHT_PROGBITS unless given. */
  readonly type?: number
  readonly link?: number
  /** Name of the section that `sh_info` refers to. */
  readonly applyTo?: string
  readonly entryBytes?: number
}

export interface AssembledSymbol {
  readonly name: string
  /** Name of a section, or undefined for a symbol defined elsewhere. */
  readonly section?: string
  readonly value?: number
  readonly binding?: 'local' | 'global' | 'weak'
  readonly type?: number
}

export interface Shape {
  readonly class: 32 | 64
  readonly byteOrder: 'little' | 'big'
  readonly machine: number
}

/** One of each, with a machine that exists in it: readelf decodes relocations by machine. */
export const shapes: readonly Shape[] = [
  { class: 64, byteOrder: 'little', machine: 183 },
  { class: 64, byteOrder: 'big', machine: 22 },
  { class: 32, byteOrder: 'little', machine: 40 },
  { class: 32, byteOrder: 'big', machine: 8 },
]

/** Fixed-width fields one after the other, in the byte order of a shape. */
export function pack(
  shape: Shape,
  ...fields: readonly (readonly [bytes: 1 | 2 | 4 | 8, value: number | bigint])[]
): Buffer {
  const total = fields.reduce((sum, [bytes]) => sum + bytes, 0)
  const buffer = Buffer.alloc(total)
  const view = new DataView(buffer.buffer, buffer.byteOffset, total)
  const little = shape.byteOrder === 'little'
  let at = 0
  for (const [bytes, value] of fields) {
    const big = BigInt(value)
    if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, big), little)
    else if (bytes === 4) view.setUint32(at, Number(BigInt.asUintN(32, big)), little)
    else if (bytes === 2) view.setUint16(at, Number(big), little)
    else view.setUint8(at, Number(big))
    at += bytes
  }
  return buffer
}

/** A string table and the offsets of its strings. */
export function packStrings(strings: readonly string[]): {
  readonly content: Buffer
  readonly offset: ReadonlyMap<string, number>
} {
  const offset = new Map<string, number>([['', 0]])
  let content = Buffer.from([0])
  for (const text of strings) {
    if (offset.has(text)) continue
    offset.set(text, content.length)
    content = Buffer.concat([content, Buffer.from(`${text}\0`)])
  }
  return { content, offset }
}

const bindings = { local: 0, global: 1, weak: 2 } as const

export function assembleObject(
  shape: Shape,
  sections: readonly AssembledSection[],
  symbols: readonly AssembledSymbol[] = [],
): Buffer {
  const wide = shape.class === 64
  const word = wide ? 8 : 4
  const indexOf = (name: string): number => sections.findIndex((section) => section.name === name) + 1
  const symbolSectionIndex = sections.length + 1
  const symbolStrings = packStrings(symbols.map(({ name }) => name))
  const locals = symbols.filter(({ binding }) => binding === 'local')
  const sorted = [...locals, ...symbols.filter(({ binding }) => binding !== 'local')]
  const symbolEntries = sorted.map((symbol) => {
    const name = symbolStrings.offset.get(symbol.name) ?? 0
    const info = (bindings[symbol.binding ?? 'global'] << 4) | (symbol.type ?? 0)
    const section = symbol.section === undefined ? 0 : indexOf(symbol.section)
    const value = symbol.value ?? 0
    return wide
      ? pack(shape, [4, name], [1, info], [1, 0], [2, section], [8, value], [8, 0])
      : pack(shape, [4, name], [4, value], [4, 0], [1, info], [1, 0], [2, section])
  })
  const symbolBytes = wide ? 24 : 16
  const all: readonly (AssembledSection & { readonly info?: number })[] = [
    ...sections,
    {
      name: '.symtab',
      type: 2,
      content: Buffer.concat([Buffer.alloc(symbolBytes), ...symbolEntries]),
      link: symbolSectionIndex + 1,
      info: locals.length + 1,
      entryBytes: symbolBytes,
    },
    { name: '.strtab', type: 3, content: symbolStrings.content },
  ]
  const names = packStrings([...all.map(({ name }) => name), '.shstrtab'])
  const withNames: typeof all = [...all, { name: '.shstrtab', type: 3, content: names.content }]

  const headerBytes = wide ? 64 : 52
  const chunks: Buffer[] = []
  let offset = headerBytes
  const headers: Buffer[] = [Buffer.alloc(wide ? 64 : 40)]
  for (const section of withNames) {
    const padding = (8 - (offset % 8)) % 8
    chunks.push(Buffer.alloc(padding), Buffer.from(section.content))
    offset += padding
    const info = section.applyTo === undefined ? (section.info ?? 0) : indexOf(section.applyTo)
    const link = section.link ?? (section.type === 4 || section.type === 9 ? symbolSectionIndex : 0)
    headers.push(
      pack(
        shape,
        [4, names.offset.get(section.name) ?? 0],
        [4, section.type ?? 1],
        [word, 0],
        [word, 0],
        [word, offset],
        [word, section.content.length],
        [4, link],
        [4, info],
        [word, 1],
        [word, section.entryBytes ?? 0],
      ),
    )
    offset += section.content.length
  }
  const padding = (8 - (offset % 8)) % 8
  chunks.push(Buffer.alloc(padding))
  const sectionTable = offset + padding
  const ident = Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, shape.byteOrder === 'little' ? 1 : 2, 1])
  const header = Buffer.concat([
    ident,
    Buffer.alloc(16 - ident.length),
    pack(
      shape,
      [2, 1],
      [2, shape.machine],
      [4, 1],
      [word, 0],
      [word, 0],
      [word, sectionTable],
      [4, 0],
      [2, headerBytes],
      [2, 0],
      [2, 0],
      [2, wide ? 64 : 40],
      [2, withNames.length + 1],
      [2, withNames.length],
    ),
  ])
  return Buffer.concat([header, ...chunks, ...headers])
}

/** One RELA (64 bit) or REL (32 bit) entry, as the architectures that Linux runs on use them. */
export function packRelocation(
  shape: Shape,
  relocation: {
    readonly offset: number
    readonly symbol: number
    readonly type: number
    readonly addend?: number
  },
): Buffer {
  return shape.class === 64
    ? pack(
        shape,
        [8, relocation.offset],
        [8, (BigInt(relocation.symbol) << 32n) | BigInt(relocation.type)],
        [8, relocation.addend ?? 0],
      )
    : pack(shape, [4, relocation.offset], [4, (relocation.symbol << 8) | relocation.type])
}
