import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ElfFile,
  type ElfResult,
  elfMachineName,
  elfTypeName,
  readElf,
  reservedSection,
} from './index.ts'
import { assembleObject, pack, type Shape, shapes } from './test/assemble.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-elf-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function must<Value>(result: ElfResult<Value>): Value {
  if (!result.ok)
    throw new Error(`${result.error.type} at ${result.error.offsetBytes}: ${result.error.message}`)
  return result.value
}

function readelf(option: string, path: string): string {
  return execFileSync('readelf', ['-W', option, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** What is compared, drawn from readelf's text. */
function saidByReadelf(path: string) {
  const dynamic = readelf('-d', path)
  const list = (tag: string): string[] =>
    [...dynamic.matchAll(new RegExp(`\\(${tag}\\)[^\\[]*\\[(.*)\\]`, 'g'))].map((match) => match[1] ?? '')
  const segments = readelf('-l', path)
  return {
    sections: [
      ...readelf('-S', path).matchAll(
        /^ +\[ *(\d+)\] (\S*) +(\S+) +([0-9a-f]+) ([0-9a-f]{6,}) ([0-9a-f]{6,}) ([0-9a-f]{2,}) /gm,
      ),
    ].map((match) => ({
      index: Number(match[1]),
      name: match[2] ?? '',
      offsetBytes: Number.parseInt(match[5] ?? '', 16),
      sizeBytes: Number.parseInt(match[6] ?? '', 16),
      entryBytes: Number.parseInt(match[7] ?? '', 16),
    })),
    interpreter: /\[Requesting program interpreter: (.*)\]/.exec(segments)?.[1],
    segments: [...segments.matchAll(/^ {2}\S+ +0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x/gm)].length,
    needed: list('NEEDED'),
    soname: list('SONAME')[0],
    rpath: list('RPATH').flatMap((text) => text.split(':')),
    runpath: list('RUNPATH').flatMap((text) => text.split(':')),
  }
}

function saidByUs(elf: ElfFile): ReturnType<typeof saidByReadelf> {
  const dynamic = must(elf.dynamic())
  return {
    sections: must(elf.sections()).map(({ index, name, offsetBytes, sizeBytes, entryBytes }) => ({
      index,
      name,
      offsetBytes,
      sizeBytes,
      entryBytes,
    })),
    interpreter: dynamic?.interpreter,
    segments: must(elf.segments()).length,
    needed: [...(dynamic?.needed ?? [])],
    soname: dynamic?.soname,
    rpath: [...(dynamic?.rpath ?? [])],
    runpath: [...(dynamic?.runpath ?? [])],
  }
}

describe('against readelf', () => {
  const programs = ['/bin/ls', '/bin/sh', process.execPath]
  const libraries = (): string[] => {
    const maps = readFileSync('/proc/self/maps', 'utf8')
    return [...new Set([...maps.matchAll(/ (\/\S+\.so\S*)$/gm)].map((match) => match[1] ?? ''))]
  }

  it('reads sections, segments and what the loader is told of this host’s programs and libraries', () => {
    const paths = [...new Set([...programs, ...libraries()].map((path) => realpathSync(path)))]
    expect(paths.length).toBeGreaterThan(4)
    for (const path of paths) {
      expect({ path, ...saidByUs(must(readElf(readFileSync(path)))) }).toEqual({
        path,
        ...saidByReadelf(path),
      })
    }
  })

  it.each(shapes)('reads a $class bit $byteOrder endian object file', (shape) => {
    const bytes = assembleObject(
      shape,
      [
        { name: '.text', content: Buffer.alloc(12) },
        { name: '.modinfo', content: Buffer.from('name=x\0') },
      ],
      [
        { name: 'here', section: '.text', value: 8 },
        { name: 'local', section: '.text', binding: 'local' },
        { name: 'elsewhere' },
        { name: 'perhaps', binding: 'weak' },
      ],
    )
    const path = join(folder, `object-${shape.class}-${shape.byteOrder}.o`)
    writeFileSync(path, bytes)
    const elf = must(readElf(bytes))
    expect({ class: elf.class, byteOrder: elf.byteOrder, machine: elf.machine }).toEqual(shape)
    expect(elfTypeName(elf.type)).toBe('relocatable')
    expect(saidByUs(elf)).toEqual(saidByReadelf(path))
    expect(must(elf.dynamic())).toBeUndefined()
    expect(Buffer.from(must(elf.sectionData('.modinfo')) ?? []).toString()).toBe('name=x\0')
    expect(must(elf.sectionData('.absent'))).toBeUndefined()

    const bindings = ['LOCAL', 'GLOBAL', 'WEAK']
    const theirs = [
      ...readelf('-s', path).matchAll(/^ +\d+: ([0-9a-f]+) +(\d+) \S+ +(\S+) +\S+ +(\S+) (\S*)$/gm),
    ].map((match) => [match[5], match[3], match[4], Number.parseInt(match[1] ?? '', 16)])
    expect(theirs).toHaveLength(5)
    const ours = must(elf.symbols()).map((symbol) => [
      symbol.name,
      bindings[symbol.binding],
      symbol.section === 0 ? 'UND' : String(symbol.section),
      Number(symbol.value),
    ])
    expect(ours).toEqual(theirs)
  })

  it('reads every symbol of a program that has many', () => {
    const theirs = readelf('-s', process.execPath)
      .split('\n')
      .filter((line) => /^ *\d+: [0-9a-f]{8,16} /.test(line)).length
    const elf = must(readElf(readFileSync(process.execPath)))
    expect(must(elf.symbols()).length + must(elf.symbols('dynamic')).length).toBe(theirs)
  })
})

describe('a program without section headers', () => {
  const strip = (bytes: Buffer, sectionOffset: bigint): Buffer => {
    const copy = Buffer.from(bytes)
    copy.writeBigUInt64LE(sectionOffset, 40)
    if (sectionOffset === 0n) copy.writeUInt32LE(0, 60)
    return copy
  }

  it('still tells what it needs, whether the table is gone or damaged', () => {
    const bytes = readFileSync(realpathSync('/bin/ls'))
    const whole = must(must(readElf(bytes)).dynamic())
    expect(whole?.needed).toContain('libc.so.6')
    const gone = must(readElf(strip(bytes, 0n)))
    expect(must(gone.sections())).toEqual([])
    expect(must(gone.symbols())).toEqual([])
    expect(must(gone.dynamic())).toEqual(whole)
    const damaged = must(readElf(strip(bytes, 0xffff_ffff_ffff_fff0n)))
    expect(damaged.sections()).toMatchObject({ ok: false, error: { type: 'truncated' } })
    expect(must(damaged.dynamic())).toEqual(whole)
  })
})

describe('extended numbering (gABI 4.1)', () => {
  const shape: Shape = { class: 64, byteOrder: 'little', machine: 62 }

  it('finds the section count, the names and a symbol’s section beyond 16 bits', () => {
    const count = 0x1_0005
    const sections = Array.from({ length: count }, (_, index) => ({
      name: index % 2 === 0 ? '.even' : '.odd',
      content: Buffer.alloc(0),
    }))
    const indices = Buffer.alloc(8)
    indices.writeUInt32LE(0xfff1, 4)
    sections.push({ name: '.symtab_shndx', content: indices })
    const last = sections[sections.length - 1]
    const symtab = sections.length + 1
    if (last !== undefined) Object.assign(last, { type: 18, link: symtab })
    const bytes = assembleObject(
      shape,
      sections.map((section) => section),
      [{ name: 'far' }],
    )
    // What an assembler does: 0 and SHN_XINDEX in the header, the real values in section 0.
    const table = Number(bytes.readBigUInt64LE(40))
    bytes.writeUInt16LE(0, 60)
    bytes.writeUInt16LE(0xffff, 62)
    bytes.writeBigUInt64LE(BigInt(count + 5), table + 32)
    bytes.writeUInt32LE(count + 4, table + 40)
    const symbols = Number(bytes.readBigUInt64LE(table + symtab * 64 + 24))
    bytes.writeUInt16LE(0xffff, symbols + 24 + 6)

    const elf = must(readElf(bytes))
    expect(must(elf.sections()).length).toBe(count + 5)
    expect(must(elf.sections())[2]?.name).toBe('.odd')
    expect(must(elf.symbols())[1]).toMatchObject({ name: 'far', section: 0xfff1 })
  })

  it('keeps a reserved index apart from a section of that number', () => {
    const bytes = assembleObject(shape, [{ name: '.text', content: Buffer.alloc(0) }], [{ name: 'constant' }])
    const symtab = must(must(readElf(bytes)).sections()).find(({ name }) => name === '.symtab')
    bytes.writeUInt16LE(0xfff1, (symtab?.offsetBytes ?? 0) + 24 + 6)
    expect(must(must(readElf(bytes)).symbols())[1]?.section).toBe(reservedSection.absolute)
  })
})

describe('damaged input', () => {
  it.each([
    ['nothing at all', Buffer.alloc(0), 'not-elf', 0],
    ['text', Buffer.from('#!/bin/sh\n'), 'not-elf', 0],
    ['the magic alone', Buffer.from('\x7fELF', 'latin1'), 'unsupported', 4],
    ['a third class', Buffer.from('\x7fELF\x03\x01\x01', 'latin1'), 'unsupported', 4],
    ['a third byte order', Buffer.from('\x7fELF\x02\x03\x01', 'latin1'), 'unsupported', 5],
    ['a second version', Buffer.from('\x7fELF\x02\x01\x02', 'latin1'), 'unsupported', 6],
    [
      'half a header',
      Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(40)]),
      'truncated',
      0,
    ],
  ])('%s is a typed error with its offset', (_, bytes, type, offsetBytes) => {
    expect(readElf(bytes)).toMatchObject({ ok: false, error: { type, offsetBytes } })
  })

  it('says where a section lies that leaves the file', () => {
    const bytes = assembleObject({ class: 64, byteOrder: 'big', machine: 22 }, [
      { name: '.modinfo', content: Buffer.from('license=GPL\0') },
    ])
    const table = Number(bytes.readBigUInt64BE(40))
    bytes.writeBigUInt64BE(1n << 40n, table + 64 + 32)
    const result = must(readElf(bytes)).sectionData('.modinfo')
    expect(result).toEqual({
      ok: false,
      error: {
        type: 'truncated',
        offsetBytes: 64,
        message: `section 1 (.modinfo) (${2 ** 40} bytes at offset 64) reaches past the end of the file (${bytes.length} bytes)`,
      },
    })
  })

  it('does not decode a quadratic number of bytes of names', () => {
    // One string of 200 kB without an end until the last byte, named at every offset: 20 GB if decoded.
    const shape: Shape = { class: 32, byteOrder: 'little', machine: 40 }
    const symbols = Array.from({ length: 200_000 }, (_, index) => ({
      name: index === 0 ? 'x'.repeat(200_000) : '',
    }))
    const bytes = assembleObject(shape, [], symbols)
    const symtab = must(must(readElf(bytes)).sections()).find(({ name }) => name === '.symtab')
    for (let index = 1; index <= 200_000; index++) {
      pack(shape, [4, index]).copy(bytes, (symtab?.offsetBytes ?? 0) + index * 16)
    }
    expect(must(readElf(bytes)).symbols()).toMatchObject({ ok: false, error: { type: 'malformed' } })
  })

  it('is an answer or a typed error for any change of any bytes, never an exception', () => {
    const ls = readFileSync(realpathSync('/bin/sh'))
    const originals = [
      ls,
      ...shapes.map((shape) =>
        assembleObject(
          shape,
          [{ name: '.text', content: Buffer.alloc(16) }],
          [{ name: 'a', section: '.text' }],
        ),
      ),
    ]
    const change = fc.record({ at: fc.nat(), value: fc.nat(255), near: fc.boolean() })
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (original, changes, keep, cut) => {
          const bytes = Buffer.from(cut ? original.subarray(0, Math.floor(original.length * keep)) : original)
          // Half of the changes go where the tables are: the header and the end of the file.
          for (const { at, value, near } of changes) {
            if (bytes.length === 0) break
            const window = Math.min(bytes.length, 600)
            const position = !near
              ? at % bytes.length
              : at % 2
                ? at % window
                : bytes.length - 1 - (at % window)
            bytes[position] = value
          }
          const elf = readElf(bytes)
          if (!elf.ok) return
          const answers = [
            elf.value.sections(),
            elf.value.segments(),
            elf.value.symbols(),
            elf.value.symbols('dynamic'),
            elf.value.dynamic(),
            elf.value.sectionData('.text'),
          ]
          for (const answer of answers) {
            if (!answer.ok) expect(answer.error.offsetBytes).toBeGreaterThanOrEqual(0)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})

it('names machines and types, known or not', () => {
  expect([elfMachineName(183), elfMachineName(8), elfMachineName(9999)]).toEqual([
    'AArch64',
    'MIPS',
    'machine 9999',
  ])
  expect([elfTypeName(3), elfTypeName(77)]).toEqual(['shared object', 'type 77'])
})
