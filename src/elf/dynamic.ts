import { type ElfResult, malformed } from './error.ts'
import type { ElfHeader } from './header.ts'
import { type ElfInput, fieldsOf, readRange } from './input.ts'
import { type ElfSegment, segmentType } from './segments.ts'
import { stringTableOf } from './strings.ts'

/** What the dynamic loader is told (gABI 5.3, "Dynamic Linking"), each list in the order of the file. */
export interface ElfDynamic {
  /** PT_INTERP: absolute path of the dynamic loader. A shared library and a static-pie program have none. */
  readonly interpreter?: string
  /** DT_NEEDED: shared libraries, a name to look for or a path if it has a slash. */
  readonly needed: readonly string[]
  /** DT_SONAME: the name under which others need this library. */
  readonly soname?: string
  /** DT_RPATH, split at colons. An empty item means the current folder; `$ORIGIN` stands as written. */
  readonly rpath: readonly string[]
  /** DT_RUNPATH, likewise. Where there is one, a loader ignores `rpath`. */
  readonly runpath: readonly string[]
}

/** d_tag values (gABI 5.3, figure "Dynamic Array Tags"). */
const tag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  stringBytes: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
} as const

/** Linux refuses an interpreter path longer than PATH_MAX (fs/binfmt_elf.c, load_elf_binary). */
const longestInterpreterBytes = 4096

/**
 * Found through program headers alone, as a loader does, so that a file without section headers is read as
 * well. `undefined` for what needs no loader: a static program, an object file.
 */
export function readDynamic(
  input: ElfInput,
  header: ElfHeader,
  segments: readonly ElfSegment[],
): ElfResult<ElfDynamic | undefined> {
  const interpreter = readInterpreter(input, segments)
  if (!interpreter.ok) return interpreter
  const named = interpreter.value === undefined ? {} : { interpreter: interpreter.value }

  const segment = segments.find(({ type }) => type === segmentType.dynamic)
  if (segment === undefined) {
    if (interpreter.value === undefined) return { ok: true, value: undefined }
    return { ok: true, value: { ...named, needed: [], rpath: [], runpath: [] } }
  }
  const entries = readEntries(input, header, segment)
  if (!entries.ok) return entries

  const address = entries.value.find((entry) => entry.tag === tag.stringTable)
  const size = entries.value.find((entry) => entry.tag === tag.stringBytes)
  const wanted = entries.value.filter(
    (entry) =>
      entry.tag === tag.needed ||
      entry.tag === tag.soname ||
      entry.tag === tag.rpath ||
      entry.tag === tag.runpath,
  )
  if (wanted.length === 0) return { ok: true, value: { ...named, needed: [], rpath: [], runpath: [] } }
  if (address === undefined) return malformed(segment.offsetBytes, 'the dynamic array names no string table')
  const bytes = readStrings(input, segments, address, size)
  if (!bytes.ok) return bytes
  const strings = stringTableOf(bytes.value)

  const texts = new Map<number, string[]>()
  for (const entry of wanted) {
    const text = strings.at(Number(entry.value))
    if (text === undefined) {
      return malformed(
        entry.offsetBytes,
        `a dynamic entry names a string at ${entry.value}, where there is none`,
      )
    }
    const sofar = texts.get(entry.tag)
    if (sofar === undefined) texts.set(entry.tag, [text])
    else sofar.push(text)
  }
  const folders = (which: number): string[] => (texts.get(which) ?? []).flatMap((list) => list.split(':'))
  const soname = texts.get(tag.soname)?.[0]
  return {
    ok: true,
    value: {
      ...named,
      needed: texts.get(tag.needed) ?? [],
      ...(soname === undefined ? {} : { soname }),
      rpath: folders(tag.rpath),
      runpath: folders(tag.runpath),
    },
  }
}

function readInterpreter(input: ElfInput, segments: readonly ElfSegment[]): ElfResult<string | undefined> {
  const segment = segments.find(({ type }) => type === segmentType.interpreter)
  if (segment === undefined) return { ok: true, value: undefined }
  if (segment.fileSizeBytes > longestInterpreterBytes) {
    return malformed(segment.offsetBytes, `an interpreter path of ${segment.fileSizeBytes} bytes`)
  }
  const bytes = readRange(input, segment.offsetBytes, segment.fileSizeBytes, 'the interpreter path')
  if (!bytes.ok) return bytes
  const path = stringTableOf(bytes.value).at(0)
  if (path === undefined) return malformed(segment.offsetBytes, 'the interpreter path has no end')
  return { ok: true, value: path }
}

interface DynamicEntry {
  readonly offsetBytes: number
  readonly tag: number
  readonly value: bigint
}

/** The entries up to DT_NULL that carry one of our tags. */
function readEntries(
  input: ElfInput,
  header: ElfHeader,
  segment: ElfSegment,
): ElfResult<readonly DynamicEntry[]> {
  const bytes = readRange(input, segment.offsetBytes, segment.fileSizeBytes, 'the dynamic array')
  if (!bytes.ok) return bytes
  const fields = fieldsOf(bytes.value, header.byteOrder === 'little')
  const wide = header.class === 64
  const size = wide ? 16 : 8
  const ours = new Set<number>(Object.values(tag))
  const entries: DynamicEntry[] = []
  for (let at = 0; at + size <= fields.sizeBytes; at += size) {
    const entryTag = wide ? fields.u64(at) : fields.u32(at)
    if (entryTag === tag.end) break
    if (!ours.has(entryTag)) continue
    const value = wide ? fields.bigU64(at + 8) : BigInt(fields.u32(at + 4))
    entries.push({ offsetBytes: segment.offsetBytes + at, tag: entryTag, value })
  }
  return { ok: true, value: entries }
}

/** DT_STRTAB is an address in memory: the loadable segment that holds it says where that is in the file. */
function readStrings(
  input: ElfInput,
  segments: readonly ElfSegment[],
  address: DynamicEntry,
  size: DynamicEntry | undefined,
): ElfResult<Uint8Array> {
  for (const segment of segments) {
    if (segment.type !== segmentType.load) continue
    const into = address.value - segment.virtualAddress
    if (into < 0n || into >= BigInt(segment.fileSizeBytes)) continue
    const restBytes = segment.fileSizeBytes - Number(into)
    const sizeBytes = size === undefined ? restBytes : Number(size.value)
    if (sizeBytes > restBytes) {
      return malformed(address.offsetBytes, 'the dynamic string table reaches past the end of its segment')
    }
    return readRange(input, segment.offsetBytes + Number(into), sizeBytes, 'the dynamic string table')
  }
  return malformed(address.offsetBytes, 'the dynamic string table lies in no loadable segment')
}
