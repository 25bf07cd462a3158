import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { KmodError } from './error.ts'
import { modinfoOfFile } from './kmod.ts'
import type { ModinfoPacker } from './modinfo-pack.ts'
import { kmodCompression } from './name.ts'
import { visitFiles } from './visit.ts'

/**
 * Packs the `.modinfo` of many module files. A plain one in the shape that linkers give it costs two or three small reads
 * and no objects: looking for an alias among all modules of a kernel is nothing but this, four thousand times. Every
 * other file, whatever is odd about it, is read by the ELF reader, which says what is wrong with it.
 */
export async function packModinfos(
  folder: string,
  /** Path of each module's file, relative to the folder. */
  files: ReadonlyMap<string, string>,
  packer: ModinfoPacker,
  failed: (name: string, error: KmodError) => void,
): Promise<void> {
  const pack = plainReader(packer)
  const others = new Map<string, string>()
  for (const [name, relative] of files) {
    const path = `${folder}/${relative}`
    if (kmodCompression(relative) !== undefined || !pack(name, path)) others.set(path, name)
  }
  await visitFiles(others.keys(), (path, content) => {
    const name = others.get(path) ?? ''
    const modinfo = content.ok ? modinfoOfFile(content.value) : content
    if (modinfo.ok) packer.add(name, modinfo.value)
    else failed(name, modinfo.error)
  })
}

/** The header, and of a quarter of a kernel's modules the `.modinfo` as well. Whatever more is read costs more than it spares. */
const startBytes = 4 << 10
/** The table of section names and the section headers are the last parts of what `ld -r` writes, in that order. */
const namesBytes = 2 << 10
const tableBytes = 16 << 10
/** Room for those, and for any `.modinfo` but a giant's: amdgpu has the longest of Debian's, 76 KB of names of firmware. */
const slabBytes = 128 << 10
/** Where the fields lie that lead to a section (gABI 4.1 "ELF Header", "Section Header"). */
const layouts = {
  32: {
    headerBytes: 52,
    tableAt: 32,
    entrySizeAt: 46,
    countAt: 48,
    namesAt: 50,
    entryBytes: 40,
    offsetAt: 16,
    sizeAt: 20,
  },
  64: {
    headerBytes: 64,
    tableAt: 40,
    entrySizeAt: 58,
    countAt: 60,
    namesAt: 62,
    entryBytes: 64,
    offsetAt: 24,
    sizeAt: 32,
  },
} as const

const relocatable = 1
const programBits = 1
const stringTable = 3
const wanted = Buffer.from('.modinfo\0', 'latin1')

/** Returns what packs a file's `.modinfo`, or answers with false where there is anything to be said about the file. */
function plainReader(packer: ModinfoPacker): (name: string, path: string) => boolean {
  // The free end of the pack is where files are read to: first their start, behind it what lies around the table.
  let slab: Buffer = Buffer.alloc(0)
  let view: DataView = new DataView(slab.buffer)
  const isWanted = (at: number, end: number): boolean => {
    if (at + wanted.length > end) return false
    for (let index = 0; index < wanted.length; index++) if (slab[at + index] !== wanted[index]) return false
    return true
  }

  /** The size of the `.modinfo`, which then lies at the beginning of the room; -1 for what is unusual. */
  const readOpened = (file: number): number => {
    const from = packer.used
    const length = readSync(file, slab, from, startBytes, 0)
    // "\x7fELF", a class, a byte order, version 1.
    if (length < layouts[32].headerBytes || view.getUint32(from) !== 0x7f454c46) return -1
    const elfClass = view.getUint8(from + 4)
    const byteOrder = view.getUint8(from + 5)
    if (view.getUint8(from + 6) !== 1 || (byteOrder !== 1 && byteOrder !== 2)) return -1
    if (elfClass !== 1 && elfClass !== 2) return -1
    const layout = elfClass === 1 ? layouts[32] : layouts[64]
    const little = byteOrder === 1
    const word = (at: number): number =>
      elfClass === 1
        ? view.getUint32(at, little)
        : view.getUint32(little ? at : at + 4, little) +
          view.getUint32(little ? at + 4 : at, little) * 0x1_0000_0000
    const count = view.getUint16(from + layout.countAt, little)
    const namesIndex = view.getUint16(from + layout.namesAt, little)
    const table = word(from + layout.tableAt)
    const end = table + count * layout.entryBytes
    const isUsual =
      length >= layout.headerBytes &&
      view.getUint16(from + 16, little) === relocatable &&
      view.getUint16(from + layout.entrySizeAt, little) === layout.entryBytes &&
      namesIndex !== 0 &&
      namesIndex < count &&
      end - table <= tableBytes &&
      table !== 0
    if (!isUsual) return -1

    // An offset in the file plus `shift` is one in the slab, for what lies between `low` and `high`.
    let shift = from
    let low = from
    let high = from + length
    if (end > length) {
      if (length < startBytes) return -1
      const origin = Math.max(0, table - namesBytes)
      low = from + startBytes
      high = low + readSync(file, slab, low, end - origin, origin)
      shift = low - origin
      if (high < end + shift) return -1
    }
    const namesEntry = table + shift + namesIndex * layout.entryBytes
    const names = word(namesEntry + layout.offsetAt) + shift
    const namesEnd = names + word(namesEntry + layout.sizeAt)
    if (view.getUint32(namesEntry + 4, little) !== stringTable || names < low || namesEnd > high) return -1
    for (let entry = table + shift + layout.entryBytes; entry < end + shift; entry += layout.entryBytes) {
      if (!isWanted(names + view.getUint32(entry, little), namesEnd)) continue
      if (view.getUint32(entry + 4, little) !== programBits) return -1
      const offset = word(entry + layout.offsetAt)
      const sizeBytes = word(entry + layout.sizeAt)
      if (offset + sizeBytes <= length) slab.copyWithin(from, from + offset, from + offset + sizeBytes)
      else if (length < startBytes || sizeBytes > slabBytes) return -1
      else if (readSync(file, slab, from, sizeBytes, offset) < sizeBytes) return -1
      return sizeBytes
    }
    return -1
  }

  return (name, path) => {
    const room = packer.room(slabBytes)
    if (room !== slab) {
      slab = room
      view = new DataView(room.buffer, room.byteOffset, room.byteLength)
    }
    let file: number
    try {
      file = openSync(path, constants.O_RDONLY)
    } catch {
      return false
    }
    let sizeBytes: number
    try {
      sizeBytes = readOpened(file)
    } catch {
      return false
    } finally {
      closeSync(file)
    }
    if (sizeBytes >= 0) packer.take(name, sizeBytes)
    return sizeBytes >= 0
  }
}
