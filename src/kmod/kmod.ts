import { type ElfFile, type ElfInput, readElf, readElfSection } from '../elf/index.ts'
import { fromElf, type KmodResult } from './error.ts'
import {
  type KmodParameter,
  type ModinfoField,
  parseModinfo,
  parseNames,
  parseParameters,
  parseSoftdep,
  type Softdep,
} from './modinfo.ts'
import { kmodName } from './name.ts'

/** What one kernel module says about itself in `.modinfo`. */
export interface Kmod {
  /** `name=` in the kernel's form; absent in modules built before 4.12, which only their file names. */
  readonly name?: string
  /** `license=`; several are possible, and the kernel looks at the first. */
  readonly licenses: readonly string[]
  /** `vermagic=`: release and options of the kernel that this module was built for. */
  readonly vermagic?: string
  /** `depends=`: the modules whose symbols this one uses, in the kernel's form. modpost found them at build time. */
  readonly depends: readonly string[]
  /** Every `softdep=` line, in order. */
  readonly softdeps: readonly Softdep[]
  /** Names of all `weakdep=` lines (6.11 and later): may be of use, must not be loaded for it. */
  readonly weakdeps: readonly string[]
  /** `alias=`: patterns by which the kernel asks for this module. */
  readonly aliases: readonly string[]
  /** `firmware=`: files under /lib/firmware that it may ask for; a name can be a glob. */
  readonly firmware: readonly string[]
  readonly parameters: readonly KmodParameter[]
  /** `import_ns=`: symbol namespaces whose symbols it may use. */
  readonly importedNamespaces: readonly string[]
  /** `intree=Y`: built with the kernel rather than beside it. */
  readonly intree: boolean
  readonly description?: string
  /** Everything, in order: what has no property here as well (`author`, `version`, `srcversion`, `retpoline`…). */
  readonly fields: readonly ModinfoField[]
}

/** Reads a module's `.modinfo`. Never throws. The bytes are those of the plain ELF file. */
export function readKmod(source: Uint8Array | ElfInput): KmodResult<Kmod> {
  const elf = readElf(source)
  if (!elf.ok) return fromElf(elf.error)
  return kmodOfElf(elf.value)
}

const relocatable = 1

export function kmodOfElf(elf: ElfFile): KmodResult<Kmod> {
  const modinfo = modinfoOfElf(elf)
  return modinfo.ok ? { ok: true, value: kmodOfModinfo(modinfo.value) } : modinfo
}

export function kmodOfModinfo(modinfo: Uint8Array): Kmod {
  return kmodOfFields(parseModinfo(modinfo))
}

/** The whole of `.modinfo`, of what is a kernel module. */
export function modinfoOfElf(elf: ElfFile): KmodResult<Uint8Array> {
  const modinfo = elf.sectionData('.modinfo')
  return modinfo.ok ? checkModinfo(elf.type, modinfo.value) : fromElf(modinfo.error)
}

/** The same of a file of which nothing else is wanted. */
export function modinfoOfFile(content: Uint8Array | ElfInput): KmodResult<Uint8Array> {
  const section = readElfSection(content, '.modinfo')
  return section.ok ? checkModinfo(section.value.type, section.value.bytes) : fromElf(section.error)
}

function checkModinfo(type: number, bytes: Uint8Array | undefined): KmodResult<Uint8Array> {
  if (type !== relocatable) {
    return notAModule(`a kernel module is a relocatable ELF file; this one has type ${type}`)
  }
  if (bytes === undefined) return notAModule('no .modinfo section: not a kernel module')
  return { ok: true, value: bytes }
}

function notAModule(message: string): KmodResult<never> {
  return { ok: false, error: { type: 'not-a-module', message } }
}

export function kmodOfFields(fields: readonly ModinfoField[]): Kmod {
  const byKey = new Map<string, string[]>()
  for (const { key, value } of fields) {
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [value])
    else known.push(value)
  }
  const all = (key: string): readonly string[] => byKey.get(key) ?? []
  const [name] = all('name')
  const [vermagic] = all('vermagic')
  const [description] = all('description')
  return {
    ...(name === undefined ? {} : { name: kmodName(name) }),
    licenses: all('license'),
    ...(vermagic === undefined ? {} : { vermagic }),
    depends: all('depends').flatMap(parseNames).map(kmodName),
    softdeps: all('softdep').map(parseSoftdep),
    weakdeps: all('weakdep').flatMap(parseNames),
    aliases: all('alias'),
    firmware: all('firmware'),
    parameters: parseParameters(fields),
    importedNamespaces: all('import_ns'),
    intree: all('intree').includes('Y'),
    ...(description === undefined ? {} : { description }),
    fields,
  }
}
