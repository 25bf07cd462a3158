import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSource } from './conformance.ts'
import { type DeviceNode, type DeviceTree, EMPTY_TREE, MAX_DEPTH } from './model.ts'
import { readDevicetree } from './read.ts'
import { cellsValue } from './value.ts'
import { writeDevicetree } from './write.ts'

const SOURCE = `/dts-v1/;
/memreserve/ 0x40000000 0x1000;
/memreserve/ 0x123456789abcdef0 0x10;
/ { model = "one"; empty; bus@0 { reg = <0 1>; leaf {}; }; other {}; };`

const small = compileSource(SOURCE)

function patched(offset: number, word: number): Buffer {
  const bytes = Buffer.from(small)
  bytes.writeUInt32BE(word, offset)
  return bytes
}

function errorOf(bytes: Uint8Array) {
  const result = readDevicetree(bytes)
  return result.ok ? undefined : { type: result.error.type, offsetBytes: result.error.offsetBytes }
}

function read(bytes: Uint8Array): DeviceTree {
  const result = readDevicetree(bytes)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

describe('reading a flattened device tree', () => {
  it('gives reservations, properties and children in the order of the file', () => {
    const tree = read(small)
    expect(tree.reservations).toEqual([
      { address: 0x40000000n, sizeBytes: 0x1000n },
      { address: 0x123456789abcdef0n, sizeBytes: 0x10n },
    ])
    expect(tree.root.properties.map(({ name }) => name)).toEqual(['model', 'empty'])
    expect(tree.root.children.map(({ name }) => name)).toEqual(['bus@0', 'other'])
    expect(tree.root.children[0]?.children[0]?.name).toBe('leaf')
  })

  it('reads version 16, whose header does not have the size of the structure block', () => {
    const old = compileSource(SOURCE, '-V', '16')
    expect(old.readUInt32BE(20)).toBe(16)
    expect(writeDevicetree(read(old))).toEqual(writeDevicetree(read(small)))
  })

  it('ignores padding and whatever follows the tree', () => {
    const padded = compileSource(SOURCE, '-p', '1000')
    expect(writeDevicetree(read(Buffer.concat([padded, Buffer.from('kernel')])))).toEqual(
      writeDevicetree(read(small)),
    )
  })

  it('reads the boot CPU', () => {
    expect(read(compileSource(SOURCE, '-b', '3')).bootCpuId).toBe(3)
  })

  it('skips FDT_NOP', () => {
    const structure = small.readUInt32BE(8)
    // The leaf (begin, name, padding, end) becomes nothing: its name's word is a NOP as well.
    const leaf = small.indexOf(Buffer.from('leaf\0\0\0\0'), structure)
    const bytes = Buffer.from(small)
    for (let at = leaf - 4; at < leaf + 12; at += 4) bytes.writeUInt32BE(4, at)
    expect(read(bytes).root.children[0]?.children).toEqual([])
  })

  it('keeps its own copy of the bytes', () => {
    const bytes = Buffer.from(small)
    const tree = read(bytes)
    bytes.fill(0)
    expect(writeDevicetree(tree)).toEqual(writeDevicetree(read(small)))
  })

  it.each([
    ['another magic number', Buffer.from('not a tree at all'), 'not-a-devicetree', 0],
    ['no bytes', Buffer.alloc(0), 'not-a-devicetree', 0],
    ['a header cut short', small.subarray(0, 39), 'truncated', 39],
    ['a file shorter than totalsize', small.subarray(0, small.length - 1), 'truncated', 4],
    ['a totalsize less than the header', patched(4, 39), 'bad-block', 4],
    ['version 15', patched(20, 15), 'unsupported-version', 20],
    ['a version that 17 cannot read', patched(24, 18), 'unsupported-version', 20],
    ['a structure block outside the file', patched(8, 0xfffffffc), 'bad-block', 8],
    ['a structure block that is too long', patched(36, 0xfffffffc), 'bad-block', 8],
    ['a structure block at an odd place', patched(8, small.readUInt32BE(8) + 1), 'bad-block', 8],
    ['a strings block outside the file', patched(12, small.length + 1), 'bad-block', 12],
    ['reservations outside the file', patched(16, 0x7ffffff8), 'bad-block', 16],
    ['reservations not on 8 bytes', patched(16, 44), 'bad-block', 16],
    ['reservations inside the header', patched(16, 0), 'bad-block', 16],
  ])('refuses %s', (_name, bytes, type, offsetBytes) => {
    expect(errorOf(bytes)).toEqual({ type, offsetBytes })
  })

  it('refuses tokens that do not exist or are out of place, and says where', () => {
    const structure = small.readUInt32BE(8)
    expect(errorOf(patched(structure, 5))).toEqual({ type: 'bad-token', offsetBytes: structure })
    expect(errorOf(patched(structure, 2))).toEqual({ type: 'bad-token', offsetBytes: structure })
    expect(errorOf(patched(structure, 3))).toEqual({ type: 'bad-token', offsetBytes: structure })
    expect(errorOf(patched(structure, 9))).toEqual({ type: 'bad-token', offsetBytes: structure })
    const last = structure + small.readUInt32BE(36) - 4
    expect(errorOf(patched(last, 4))).toEqual({ type: 'truncated', offsetBytes: last + 4 })
    expect(errorOf(patched(last - 4, 9))).toEqual({ type: 'bad-token', offsetBytes: last - 4 })
    expect(errorOf(patched(last, 1))?.type).toBe('truncated')
  })

  it('refuses a property whose value or name lies outside', () => {
    const property = small.readUInt32BE(8) + 8
    expect(errorOf(patched(property + 4, 0xffffffff))).toEqual({
      type: 'truncated',
      offsetBytes: property + 12,
    })
    expect(errorOf(patched(property + 8, 0xffffffff))).toEqual({
      type: 'truncated',
      offsetBytes: property + 8,
    })
  })

  it('refuses two properties or two children of the same name', () => {
    const twice = writeDevicetree({
      ...EMPTY_TREE,
      root: { name: '', properties: [], children: [leaf('a'), leaf('a')] },
    })
    expect(errorOf(twice)?.type).toBe('duplicate-name')
    const property = { name: 'p', value: cellsValue(1) }
    const root = { name: '', properties: [property, property], children: [] }
    expect(errorOf(writeDevicetree({ ...EMPTY_TREE, root }))?.type).toBe('duplicate-name')
  })

  it('refuses names that cannot be, and a root with a name', () => {
    const good = writeDevicetree({
      ...EMPTY_TREE,
      root: { name: '', properties: [], children: [leaf('ab')] },
    })
    for (const bad of ['a/', 'a b', 'a\u00e9', '\0b']) {
      const bytes = Buffer.from(good)
      bytes.write(bad, good.indexOf('ab'), 'latin1')
      expect(errorOf(bytes)?.type).toBe('bad-name')
    }
    const structure = good.readUInt32BE(8)
    const named = Buffer.from(good)
    named.write('x', structure + 4)
    expect(errorOf(named)).toEqual({ type: 'bad-name', offsetBytes: structure + 4 })
  })

  it('takes nesting as deep as Linux does and no deeper', () => {
    const nested = (depth: number): DeviceNode => {
      let node: DeviceNode = leaf('n')
      for (let level = 2; level < depth; level++) node = { name: 'n', properties: [], children: [node] }
      return { name: '', properties: [], children: [node] }
    }
    expect(readDevicetree(writeDevicetree({ ...EMPTY_TREE, root: nested(MAX_DEPTH) })).ok).toBe(true)
    expect(errorOf(writeDevicetree({ ...EMPTY_TREE, root: nested(MAX_DEPTH + 1) }))?.type).toBe('too-deep')
    const hostile = Buffer.concat([small.subarray(0, 40), Buffer.alloc(16), Buffer.alloc(8 << 20)])
    for (let at = 56; at < hostile.length; at += 8) hostile.writeUInt32BE(1, at)
    const header = [0xd00dfeed, hostile.length, 56, 40, 40, 17, 16, 0, 0, hostile.length - 56]
    for (const [index, word] of header.entries()) hostile.writeUInt32BE(word, index * 4)
    expect(errorOf(hostile)?.type).toBe('bad-name')
  })

  it('bounds the names, which may overlap: a small file cannot ask for much memory', () => {
    const long = 'x'.repeat(256)
    const bytes = Buffer.from(
      writeDevicetree({
        ...EMPTY_TREE,
        root: { name: '', properties: [{ name: long.slice(1), value: cellsValue() }], children: [] },
      }),
    )
    expect(readDevicetree(bytes).ok).toBe(true)
    const longer = Buffer.concat([bytes.subarray(0, -1), Buffer.from('x\0')])
    longer.writeUInt32BE(longer.length, 4)
    longer.writeUInt32BE(bytes.readUInt32BE(32) + 1, 32)
    expect(errorOf(longer)?.type).toBe('bad-name')
  })

  it('refuses or reads any bytes after a right header, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const bytes = Buffer.concat([small.subarray(0, 56), noise])
        bytes.writeUInt32BE(bytes.length, 4)
        const result = readDevicetree(bytes)
        return result.ok || result.error.offsetBytes <= bytes.length
      }),
    )
  })
})

function leaf(name: string): DeviceNode {
  return { name, properties: [], children: [] }
}
