/** `.modinfo` of many modules in one piece of memory, each between two NULs of ours, so that one search looks through all. */
export interface ModinfoPack {
  readonly names: readonly string[]
  /** Where each begins in `bytes`, and at last where another would. */
  readonly starts: readonly number[]
  readonly bytes: Buffer
}

export function modinfoOf(pack: ModinfoPack, index: number): Buffer {
  return pack.bytes.subarray(pack.starts[index], (pack.starts[index + 1] ?? 1) - 1)
}

/** Which of the modules a byte of the pack belongs to. */
export function moduleAt({ starts }: ModinfoPack, offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low
}

/** Puts a pack together. What a module says may be written in place, by who has it from a file. */
export interface ModinfoPacker {
  /** At least so many bytes of memory from `used` on, to do with as one likes until the next `take`. */
  room(sizeBytes: number): Buffer
  readonly used: number
  /** The first bytes of the room are the `.modinfo` of a module. */
  take(name: string, sizeBytes: number): void
  add(name: string, modinfo: Uint8Array): void
  finish(): ModinfoPack
}

export function createModinfoPacker(): ModinfoPacker {
  const names: string[] = []
  const starts: number[] = [1]
  let bytes = Buffer.allocUnsafeSlow(4 << 20)
  let used = 1
  bytes[0] = 0
  const packer: ModinfoPacker = {
    room(sizeBytes) {
      if (used + sizeBytes > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(2 * bytes.length + sizeBytes)
        bytes.copy(larger, 0, 0, used)
        bytes = larger
      }
      return bytes
    },
    get used() {
      return used
    },
    take(name, sizeBytes) {
      packer.room(sizeBytes + 1)
      used += sizeBytes
      bytes[used++] = 0
      names.push(name)
      starts.push(used)
    },
    add(name, modinfo) {
      packer.room(modinfo.length).set(modinfo, used)
      packer.take(name, modinfo.length)
    },
    finish: () => ({ names, starts, bytes: bytes.subarray(0, used) }),
  }
  return packer
}

/** A line of JSON with names and places, and after it all of them. */
export function writeModinfoPack({ names, starts, bytes }: ModinfoPack): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ names, starts })}\n`), bytes])
}

/** Parts of what {@link writeModinfoPack} made. */
export function readModinfoPack(written: Buffer): ModinfoPack {
  const end = written.indexOf('\n')
  const { names, starts } = JSON.parse(written.toString('utf8', 0, end)) as ModinfoPack
  return { names, starts, bytes: written.subarray(end + 1) }
}
