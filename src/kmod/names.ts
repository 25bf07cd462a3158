/**
 * Numbers for symbol names. A kernel's modules name 17,000 symbols 190,000 times over; a number for each, found by the
 * bytes of the name in the file's own string table, spares making a string of every one of them.
 */
export interface NameTable {
  /**
   * Number of the NUL-terminated name at an offset; the same for the same bytes. -1 if there is none: the offset is
   * outside, or no end follows within {@link longestNameBytes}.
   */
  intern(bytes: Uint8Array, offsetBytes: number): number
  /** Number of a name that was seen before. */
  find(name: string): number | undefined
  nameOf(id: number): string
  /** How many there are: numbers run from 0. */
  readonly count: number
}

/** KSYM_NAME_LEN is 512 (include/linux/kallsyms.h). Names overlap in a table, so a limit keeps hostile ones small. */
export const longestNameBytes = 1024

export function createNameTable(): NameTable {
  let slots = new Int32Array(1 << 15).fill(-1)
  let hashes = new Int32Array(1 << 14)
  let starts = new Int32Array(1 << 14)
  let lengths = new Int32Array(1 << 14)
  let text = Buffer.allocUnsafeSlow(1 << 19)
  let used = 0
  let count = 0

  const slotOf = (hash: number, bytes: Uint8Array, from: number, length: number): number => {
    const mask = slots.length - 1
    let slot = hash & mask
    for (; ; slot = (slot + 1) & mask) {
      const id = slots[slot] ?? -1
      if (id === -1) return slot
      if (hashes[id] === hash && lengths[id] === length) {
        const start = starts[id] ?? 0
        let at = 0
        while (at < length && text[start + at] === bytes[from + at]) at++
        if (at === length) return slot
      }
    }
  }
  const add = (hash: number, bytes: Uint8Array, from: number, length: number): number => {
    if (count === starts.length) {
      hashes = grown(hashes)
      starts = grown(starts)
      lengths = grown(lengths)
      slots = new Int32Array(slots.length * 2).fill(-1)
      const mask = slots.length - 1
      for (let id = 0; id < count; id++) {
        let slot = (hashes[id] ?? 0) & mask
        while (slots[slot] !== -1) slot = (slot + 1) & mask
        slots[slot] = id
      }
    }
    if (used + length > text.length) {
      const larger = Buffer.allocUnsafeSlow(text.length * 2)
      text.copy(larger, 0, 0, used)
      text = larger
    }
    slots[slotOf(hash, bytes, from, length)] = count
    for (let at = 0; at < length; at++) text[used + at] = bytes[from + at] ?? 0
    hashes[count] = hash
    starts[count] = used
    lengths[count] = length
    used += length
    return count++
  }

  return {
    intern(bytes, from) {
      // FNV-1a, 32 bits.
      let hash = 0x811c9dc5 | 0
      let at = from
      const limit = Math.min(bytes.length, from + longestNameBytes)
      for (; at < limit; at++) {
        const byte = bytes[at] ?? 0
        if (byte === 0) break
        hash = Math.imul(hash ^ byte, 0x01000193)
      }
      if (at >= limit) return -1
      const id = slots[slotOf(hash, bytes, from, at - from)] ?? -1
      return id === -1 ? add(hash, bytes, from, at - from) : id
    },
    find(name) {
      const bytes = Buffer.from(name)
      let hash = 0x811c9dc5 | 0
      for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
      const id = slots[slotOf(hash, bytes, 0, bytes.length)] ?? -1
      return id === -1 ? undefined : id
    },
    nameOf: (id) => text.toString('utf8', starts[id] ?? 0, (starts[id] ?? 0) + (lengths[id] ?? 0)),
    get count() {
      return count
    },
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}
