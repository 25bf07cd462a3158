import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import type { ElfInput } from '../../src/elf/index.ts'
import { shapes } from '../../src/elf/test/assemble.ts'
import { assembleKmod } from '../../src/elf/test/assemble-kmod.ts'
import {
  checkKmods,
  createKmodSource,
  decompressKmod,
  readKmod,
  readKmodSymbols,
  readSignature,
} from '../../src/kmod/index.ts'
import type { Random } from '../../test/seeded-random.ts'

/** Modules of every word size and byte order, small, with one of everything that is read. */
export function seedModules(): readonly Buffer[] {
  const trailer = Buffer.concat([
    Buffer.alloc(40, 0x30),
    Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 40]),
    Buffer.from('~Module signature appended~\n'),
  ])
  const modinfo = [
    'name=seed',
    'license=GPL',
    'depends=other',
    'alias=pci:v00008086d*sv*sd*bc*sc*i*',
    'softdep=pre: a post: b',
    'firmware=a/*.bin',
    'parm=debug:level',
    'parmtype=debug:int',
    'import_ns=NS',
    'vermagic=6.1.0 SMP',
  ]
  return shapes.map((shape) =>
    assembleKmod(
      {
        modinfo,
        exports: [
          { name: 'one', crc: 1 },
          { name: 'two', crc: 2, gplOnly: true, namespace: 'NS' },
        ],
        imports: [
          { name: 'three', crc: 3 },
          { name: 'four', weak: true },
        ],
        trailer,
      },
      shape,
    ),
  )
}

/** Numbers at which readers stumble: none, all, the largest of each width, and a little beside them. */
const awkward = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/** One to four changes: a bit, a byte, a number of some width, a cut, a piece of the file somewhere else. */
export function mutate(original: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original)
  for (let change = random(4); change >= 0 && bytes.length > 8; change--) {
    const at = random(bytes.length)
    switch (random(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
      case 3: {
        const value = awkward[random(awkward.length)] ?? 0
        const place = Math.min(at & ~3, bytes.length - 4)
        if (random(2) === 0) bytes.writeUInt32LE(value, place)
        else bytes.writeUInt32BE(value, place)
        break
      }
      case 4:
        bytes = bytes.subarray(0, at)
        break
      default:
        bytes.copyWithin(random(bytes.length), at, Math.min(bytes.length, at + random(200)))
    }
  }
  return bytes
}

export interface FuzzOutcome {
  /** What threw, read outside of the file, or took longer than a second; none is right. */
  readonly failures: readonly string[]
  readonly accepted: number
  readonly refused: number
}

/** Reads mutated modules in every way there is. */
export function fuzzReaders(seeds: readonly Buffer[], count: number, random: Random): FuzzOutcome {
  const failures: string[] = []
  let accepted = 0
  let refused = 0
  for (let round = 0; round < count; round++) {
    const bytes = mutate(seeds[random(seeds.length)] ?? Buffer.alloc(0), random)
    const begun = performance.now()
    try {
      const results = [readKmod(guarded(bytes)), readKmodSymbols(guarded(bytes)), readSignature(bytes)]
      if (results.every(({ ok }) => ok)) accepted++
      else refused++
    } catch (error) {
      failures.push(`${round}: ${error instanceof Error ? error.stack : error}`)
    }
    const took = performance.now() - begun
    if (took > 1000) failures.push(`${round}: took ${took.toFixed(0)} ms`)
  }
  return { failures, accepted, refused }
}

/** Complains of a read that leaves the file. */
function guarded(bytes: Buffer): ElfInput {
  return {
    sizeBytes: bytes.length,
    read(offset, size) {
      if (!(offset >= 0 && size >= 0 && offset + size <= bytes.length)) {
        throw new Error(`read of ${size} bytes at ${offset} of ${bytes.length}`)
      }
      return bytes.subarray(offset, offset + size)
    },
  }
}

/** The proof of a kernel of mutated modules: findings, whatever they are, and no exception. */
export async function fuzzCheck(
  seeds: readonly Buffer[],
  count: number,
  random: Random,
): Promise<readonly string[]> {
  const failures: string[] = []
  for (let round = 0; round < count; round++) {
    const files = new Map(
      Array.from({ length: 4 }, (_, index) => [
        `m${index}.ko`,
        mutate(seeds[random(seeds.length)] ?? Buffer.alloc(0), random),
      ]),
    )
    const source = createKmodSource({
      paths: files.keys(),
      read: (path) => files.get(path) ?? Buffer.alloc(0),
    })
    try {
      await checkKmods(source, { firmware: { files: [] } })
    } catch (error) {
      failures.push(`${round}: ${error instanceof Error ? error.stack : error}`)
    }
  }
  return failures
}

/** The same for compressed modules, each undone by itself and held to 1 MiB. */
export async function fuzzCompressed(count: number, random: Random): Promise<FuzzOutcome> {
  const [plain = Buffer.alloc(0)] = seedModules()
  const seeds = [
    { compression: 'gz', bytes: gzipSync(plain) },
    { compression: 'xz', bytes: execFileSync('xz', ['--check=crc32', '-c'], { input: plain }) },
    { compression: 'zst', bytes: execFileSync('zstd', ['-q', '-c'], { input: plain }) },
    { compression: 'gz', bytes: gzipSync(Buffer.alloc(64 << 20)) },
  ] as const
  const failures: string[] = []
  let accepted = 0
  let refused = 0
  for (let round = 0; round < count; round++) {
    const { compression, bytes } = seeds[random(seeds.length)] ?? seeds[0]
    try {
      const unpacked = await decompressKmod(mutate(bytes, random), compression, { limitBytes: 1 << 20 })
      if (!unpacked.ok) refused++
      else if (unpacked.value.length <= 1 << 20) accepted++
      else failures.push(`${round}: unpacked to ${unpacked.value.length} bytes`)
    } catch (error) {
      failures.push(`${round}: ${error instanceof Error ? error.stack : error}`)
    }
  }
  return { failures, accepted, refused }
}
