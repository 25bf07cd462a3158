import { elfMachineName, readElf } from '../elf/index.ts'
import { fromElf, type KmodResult, withPath } from './error.ts'
import { type Kmod, kmodOfElf } from './kmod.ts'
import { readSignature } from './signature.ts'
import type { KmodSource } from './source.ts'
import { type KmodSymbols, symbolsOfElf } from './symbols.ts'

/** All of one module that a proof needs. */
export interface Evidence {
  readonly name: string
  readonly kmod: Kmod
  readonly symbols: KmodSymbols
  /** For people, and to compare: `AArch64, 64 bit, little endian`. */
  readonly architecture: string
  readonly signed: boolean
}

/** Reads modules for a proof, each once. A module that cannot be read has its error in its place. */
export async function readEvidence(
  source: KmodSource,
  names: Iterable<string>,
): Promise<ReadonlyMap<string, KmodResult<Evidence>>> {
  const wanted = [...new Set(names)]
  const found = new Map<string, KmodResult<Evidence>>()
  await source.visit(wanted, (name, content) => {
    if (!content.ok) {
      found.set(name, content)
      return
    }
    const evidence = evidenceOf(name, content.value)
    found.set(name, evidence.ok ? evidence : withPath(evidence.error, source.names.get(name) ?? name))
  })
  // Files come in any order; findings do not.
  return new Map(wanted.flatMap((name) => [[name, found.get(name) ?? notGiven(name)] as const]))
}

function evidenceOf(name: string, content: Parameters<typeof readElf>[0]): KmodResult<Evidence> {
  const elf = readElf(content)
  if (!elf.ok) return fromElf(elf.error)
  const kmod = kmodOfElf(elf.value)
  if (!kmod.ok) return kmod
  const symbols = symbolsOfElf(elf.value)
  if (!symbols.ok) return symbols
  const end = content instanceof Uint8Array ? content : endOf(content)
  const signature = readSignature(end)
  if (!signature.ok) return signature
  const { machine, byteOrder, class: bits } = elf.value
  return {
    ok: true,
    value: {
      name,
      kmod: kmod.value,
      symbols: symbols.value,
      architecture: `${elfMachineName(machine)}, ${bits} bit, ${byteOrder} endian`,
      signed: signature.value !== undefined,
    },
  }
}

/** As much as any signature takes: an RSA-4096 one in its PKCS#7 message has below 1 KB. */
const signatureBytes = 16 << 10

function endOf(content: Exclude<Parameters<typeof readElf>[0], Uint8Array>): Uint8Array {
  const size = Math.min(content.sizeBytes, signatureBytes)
  return content.read(content.sizeBytes - size, size)
}

function notGiven(name: string): KmodResult<never> {
  return { ok: false, error: { type: 'unreadable', message: `there is no module ${name}` } }
}
