import {
  type AssembledSection,
  assembleObject,
  pack,
  packRelocation,
  packStrings,
  type Shape,
} from './assemble.ts'

/** A kernel module for tests, with the sections that modpost and the kernel's linker script give it. */
export interface AssembledKmod {
  /** `.modinfo` lines, `key=value`, in order. */
  readonly modinfo: readonly string[]
  readonly exports?: readonly {
    readonly name: string
    readonly crc?: number
    readonly gplOnly?: boolean
    readonly namespace?: string
  }[]
  readonly imports?: readonly { readonly name: string; readonly crc?: number; readonly weak?: boolean }[]
  readonly hasExit?: boolean
  /** Appended after the ELF file. */
  readonly trailer?: Uint8Array
}

export const arm64: Shape = { class: 64, byteOrder: 'little', machine: 183 }

export function assembleKmod(kmod: AssembledKmod, shape: Shape = arm64): Buffer {
  const exported = kmod.exports ?? []
  const imported = kmod.imports ?? []
  const strings = packStrings(exported.flatMap(({ name, namespace }) => [name, namespace ?? '']))
  const word = shape.class === 64 ? 8 : 4

  // Local symbols come first in the table: index 1 is the section symbol of the strings.
  const locals = [{ name: '', section: '__ksymtab_strings', binding: 'local', type: 3 } as const]
  const crcs = exported
    .filter(({ crc }) => crc !== undefined)
    .map(({ name, gplOnly }) => {
      const table = exported.filter((other) => (other.gplOnly ?? false) === (gplOnly ?? false))
      return {
        name: `__crc_${name}`,
        section: gplOnly ? '__kcrctab_gpl' : '__kcrctab',
        value: 4 * table.findIndex((other) => other.name === name),
        binding: 'local',
      } as const
    })
  const globals = [
    { name: 'init_module', section: '.text' },
    ...((kmod.hasExit ?? true) ? [{ name: 'cleanup_module', section: '.text' }] : []),
    ...exported.map(({ name }, index) => ({ name, section: '.text', value: 8 * index })),
    ...imported.map(({ name, weak }) => ({ name, binding: weak ? ('weak' as const) : ('global' as const) })),
  ]
  const firstExport = 1 + locals.length + crcs.length + 1 + ((kmod.hasExit ?? true) ? 1 : 0)

  const tables = [false, true].flatMap((gplOnly): AssembledSection[] => {
    const own = exported.filter((symbol) => (symbol.gplOnly ?? false) === gplOnly)
    if (own.length === 0) return []
    const suffix = gplOnly ? '_gpl' : ''
    const relocations: Buffer[] = []
    const entries = own.map((symbol, index) => {
      const name = strings.offset.get(symbol.name) ?? 0
      const namespace = strings.offset.get(symbol.namespace ?? '') ?? 0
      const places = [
        { symbol: firstExport + exported.indexOf(symbol), addend: 0 },
        { symbol: 1, addend: name },
        { symbol: 1, addend: namespace },
      ]
      for (const [field, place] of places.entries()) {
        relocations.push(packRelocation(shape, { ...place, offset: 12 * index + 4 * field, type: 2 }))
      }
      // REL keeps the addend in the place itself.
      return shape.class === 64
        ? Buffer.alloc(12)
        : pack(shape, ...places.map(({ addend }) => [4, addend] as const))
    })
    const relocationType = shape.class === 64 ? 4 : 9
    return [
      { name: `__ksymtab${suffix}`, content: Buffer.concat(entries) },
      {
        name: `${shape.class === 64 ? '.rela' : '.rel'}__ksymtab${suffix}`,
        type: relocationType,
        applyTo: `__ksymtab${suffix}`,
        entryBytes: shape.class === 64 ? 24 : 8,
        content: Buffer.concat(relocations),
      },
      ...(own.some(({ crc }) => crc !== undefined)
        ? [
            {
              name: `__kcrctab${suffix}`,
              content: pack(shape, ...own.map(({ crc }) => [4, crc ?? 0] as const)),
            },
          ]
        : []),
    ]
  })
  const versions = imported
    .filter(({ crc }) => crc !== undefined)
    .map(({ name, crc }) => {
      const text = Buffer.alloc(64 - word)
      text.write(name)
      return Buffer.concat([pack(shape, [word, crc ?? 0]), text])
    })
  const sections: AssembledSection[] = [
    { name: '.text', content: Buffer.alloc(8 + 8 * exported.length) },
    { name: '.gnu.linkonce.this_module', content: Buffer.alloc(64) },
    { name: '__ksymtab_strings', content: strings.content },
    ...tables,
    { name: '.modinfo', content: Buffer.from(kmod.modinfo.map((line) => `${line}\0`).join('')) },
    ...(versions.length > 0 ? [{ name: '__versions', content: Buffer.concat(versions) }] : []),
  ]
  const elf = assembleObject(shape, sections, [...locals, ...crcs, ...globals])
  return kmod.trailer === undefined ? elf : Buffer.concat([elf, kmod.trailer])
}

export const usualVermagic = '6.1.0-test SMP mod_unload modversions aarch64'

export interface UsualKmod extends Partial<AssembledKmod> {
  /** More lines of `.modinfo`; one with the key of a usual line replaces that. */
  readonly info?: readonly string[]
}

/** A module as most are, but for what is given. */
export function usualKmod(name: string, { info = [], ...rest }: UsualKmod = {}, shape?: Shape): Buffer {
  const usual = [`name=${name}`, 'license=GPL', `vermagic=${usualVermagic}`, 'depends=']
  const kept = usual.filter((line) => !info.some((own) => own.split('=')[0] === line.split('=')[0]))
  return assembleKmod({ modinfo: [...kept, ...info], ...rest }, shape)
}
