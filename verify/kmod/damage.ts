import { readElf } from '../../src/elf/index.ts'
import {
  type KmodFinding,
  readKmod,
  readKmodSymbols,
  readSignature,
  type Symvers,
} from '../../src/kmod/index.ts'
import type { Random } from '../../test/seeded-random.ts'

/** A real module of a kernel, unpacked, and what is needed to damage it in a way that means something. */
export interface Victim {
  readonly name: string
  readonly bytes: Buffer
  readonly symvers: Symvers
  /** The module of the same name in a kernel of another architecture. */
  foreign(): Promise<Buffer | undefined>
}

/** One way to make a sound module one that its kernel refuses. */
export interface Damage {
  readonly what: string
  /** What has to be found, and nothing else. */
  readonly finding: KmodFinding['type']
  /** Whether the kernel is taken for one that loads signed modules only. */
  readonly signatureForced?: boolean
  /** The damaged file; undefined where this module has nothing to damage so. */
  apply(victim: Victim, random: Random): Promise<Buffer | undefined> | Buffer | undefined
}

export const damages: readonly Damage[] = [
  {
    what: 'another release in vermagic',
    finding: 'vermagic',
    apply: ({ bytes }) => inSection(bytes, '.modinfo', 'vermagic=', (at, copy) => changeDigit(copy, at)),
  },
  {
    what: 'another checksum of a symbol',
    finding: 'crc-mismatch',
    apply({ bytes }, random) {
      const versions = section(bytes, '__versions')
      const { imports } = symbolsOf(bytes)
      const named = imports.filter(({ crc }) => crc !== undefined)
      const chosen = named[random(Math.max(1, named.length))]
      if (versions === undefined || chosen === undefined) return undefined
      const entries = bytes.subarray(versions.offsetBytes, versions.offsetBytes + versions.sizeBytes)
      // struct modversion_info (include/linux/module.h): an unsigned long, and the name to 64 bytes in all.
      for (let at = 0; at + 64 <= entries.length; at += 64) {
        const word = is64bit(bytes) ? 8 : 4
        if (textAt(entries, at + word) !== chosen.name) continue
        const copy = Buffer.from(bytes)
        const low = versions.offsetBytes + at
        copy[low] = (copy[low] ?? 0) ^ 0xff
        return copy
      }
      return undefined
    },
  },
  {
    what: 'a symbol that nobody exports',
    finding: 'unknown-symbol',
    apply({ bytes, symvers }, random) {
      const known = symbolsOf(bytes).imports.filter(
        ({ name, weak }) => !weak && symvers.get(name)?.exporter === 'vmlinux',
      )
      const chosen = known[random(Math.max(1, known.length))]
      return chosen === undefined
        ? undefined
        : inSection(bytes, '.strtab', `\0${chosen.name}\0`, (at, copy) => copy.write('~', at + 1, 'latin1'))
    },
  },
  {
    what: 'another licence, with GPL-only symbols',
    finding: 'gpl-only',
    apply({ bytes, symvers }) {
      const usesGpl = symbolsOf(bytes).imports.some(({ name }) => symvers.get(name)?.gplOnly === true)
      return usesGpl
        ? inSection(bytes, '.modinfo', 'license=', (at, copy) => copy.write('X', at + 8, 'latin1'))
        : undefined
    },
  },
  {
    what: 'a namespace that is not imported',
    finding: 'namespace',
    apply({ bytes, symvers }) {
      const used = new Set(symbolsOf(bytes).imports.map(({ name }) => symvers.get(name)?.namespace))
      const kmod = readKmod(bytes)
      const chosen = kmod.ok ? kmod.value.importedNamespaces.find((name) => used.has(name)) : undefined
      return chosen === undefined
        ? undefined
        : inSection(bytes, '.modinfo', `import_ns=${chosen}\0`, (at, copy) =>
            copy.write('~', at + 10, 'latin1'),
          )
    },
  },
  {
    what: 'no checksums',
    finding: 'no-checksums',
    apply: ({ bytes }) =>
      inSection(bytes, '.shstrtab', '\0__versions\0', (at, copy) => copy.write('~', at + 1, 'latin1')),
  },
  {
    what: 'no signature, where the kernel insists',
    finding: 'unsigned',
    signatureForced: true,
    apply({ bytes }) {
      const signature = readSignature(bytes)
      return signature.ok && signature.value !== undefined
        ? bytes.subarray(0, signature.value.contentBytes)
        : undefined
    },
  },
  {
    what: 'cut short anywhere',
    finding: 'unreadable',
    apply({ bytes }, random) {
      const signature = readSignature(bytes)
      const whole = signature.ok ? (signature.value?.contentBytes ?? bytes.length) : bytes.length
      return bytes.subarray(0, random(whole))
    },
  },
  {
    what: 'section headers elsewhere',
    finding: 'unreadable',
    apply({ bytes }) {
      const copy = Buffer.from(bytes)
      // e_shoff (gABI 4.1)
      copy.fill(0x7f, is64bit(bytes) ? 40 : 32, is64bit(bytes) ? 47 : 36)
      return copy
    },
  },
  {
    what: 'the same module of another architecture',
    finding: 'foreign-architecture',
    apply: ({ foreign }) => foreign(),
  },
]

const is64bit = (bytes: Buffer): boolean => bytes[4] === 2

function section(bytes: Buffer, name: string) {
  const elf = readElf(bytes)
  const found = elf.ok ? elf.value.section(name) : elf
  return found.ok ? found.value : undefined
}

function symbolsOf(bytes: Buffer) {
  const symbols = readKmodSymbols(bytes)
  if (!symbols.ok) throw new Error(symbols.error.message)
  return symbols.value
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at))
}

/** A copy that was changed where a section first has some text; undefined where it has not. */
function inSection(
  bytes: Buffer,
  name: string,
  text: string,
  change: (at: number, copy: Buffer) => unknown,
): Buffer | undefined {
  const found = section(bytes, name)
  if (found === undefined) return undefined
  const at = bytes.indexOf(Buffer.from(text, 'latin1'), found.offsetBytes)
  if (at < 0 || at >= found.offsetBytes + found.sizeBytes) return undefined
  const copy = Buffer.from(bytes)
  change(at, copy)
  return copy
}

/** The first digit after `at` becomes another one. */
function changeDigit(bytes: Buffer, from: number): void {
  for (let at = from; at < bytes.length; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) continue
    bytes[at] = 0x30 + ((digit + 1) % 10)
    return
  }
}
