/**
 * Whether two object files are the same code and data. Compilers number what has no name of its own, and a line added
 * to a header moves numbers on: such names, debug information and notes may differ, and nothing of that reaches a
 * running kernel. Everything else counts: content and attributes of sections, what relocations refer to, and every
 * symbol that others can see.
 */
import { createHash } from 'node:crypto'
import { type ElfFile, type ElfResult, type ElfSection, readElf, sectionType } from '../elf/index.ts'

const ignored =
  /^\.(?:rela?\.?)?(?:debug|comment$|note\.(?:GNU-stack|gnu\.build-id)$|llvm_addrsig$|gnu_debug|BTF)/

/** A digest that two objects share if, and only if, their code is the same; of anything but an object, of its bytes. */
export function codeDigest(bytes: Uint8Array): string {
  const hash = createHash('sha256')
  const elf = readElf(bytes)
  if (!elf.ok) return hash.update(bytes).digest('hex')
  const described = describe(elf.value, (part) => hash.update(part))
  // Whatever cannot be taken apart is compared whole.
  return described.ok ? hash.digest('hex') : createHash('sha256').update(bytes).digest('hex')
}

/** Feeds everything that counts to `add`, in an order that does not depend on the numbers of sections and symbols. */
function describe(elf: ElfFile, add: (part: string | Uint8Array) => void): ElfResult<undefined> {
  const sections = elf.sections()
  if (!sections.ok) return sections
  const symbols = elf.symbols()
  if (!symbols.ok) return symbols
  const names = uniqueNames(sections.value)
  const nameOf = (index: number): string => names[index] ?? `${index}`
  const target = (index: number): string => {
    const symbol = symbols.value[index]
    if (symbol === undefined) return `${index}`
    return symbol.binding === local ? `${nameOf(symbol.section)}+${symbol.value}` : symbol.name
  }
  add(`${elf.machine} ${elf.class} ${elf.byteOrder} ${elf.type} ${elf.flags}\n`)
  for (const section of sections.value.filter(counts)) {
    add(`${nameOf(section.index)} ${section.type} ${section.flags} ${section.entryBytes}\n`)
    if (section.type === sectionType.rela || section.type === sectionType.rel) {
      add(`of ${nameOf(section.info)}\n`)
      const visited = elf.visitRelocations(section, (offset, symbol, type, addend) =>
        add(`${offset} ${type} ${target(symbol)} ${addend}\n`),
      )
      if (!visited.ok) return visited
      continue
    }
    const data = elf.sectionData(section)
    if (!data.ok) return data
    add(`${section.sizeBytes}\n`)
    if (section.type === sectionType.group) add(members(data.value, elf.byteOrder).map(nameOf).join(' '))
    else add(data.value ?? '')
  }
  const visible = symbols.value
    .filter(({ binding }) => binding !== local)
    .map(({ name, binding, type, section, value, sizeBytes }) =>
      [name, binding, type, nameOf(section), value, sizeBytes].join(' '),
    )
  add(visible.sort().join('\n'))
  return { ok: true, value: undefined }
}

/** STB_LOCAL */
const local = 0

/** Several sections may have one name; they stay in their order. */
function uniqueNames(sections: readonly ElfSection[]): readonly string[] {
  const seen = new Map<string, number>()
  return sections.map(({ name }) => {
    const before = seen.get(name) ?? 0
    seen.set(name, before + 1)
    return before === 0 ? name : `${name} ${before}`
  })
}

/** A section group: a word of flags, then the numbers of its sections (gABI 4, "Section Groups"). */
function members(content: Uint8Array | undefined, byteOrder: 'little' | 'big'): readonly number[] {
  if (content === undefined) return []
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const count = Math.floor(content.byteLength / 4)
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, byteOrder === 'little')).slice(
    1,
  )
}

/** Tables of symbols and strings are looked at through what refers to them. */
function counts({ name, type }: ElfSection): boolean {
  if (type === sectionType.null || type === sectionType.symbols || type === sectionType.strings) return false
  return type !== sectionType.extendedIndices && !ignored.test(name)
}
