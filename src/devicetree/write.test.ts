import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSource, dtcText } from './conformance.ts'
import { type DeviceNode, EMPTY_TREE, type Property } from './model.ts'
import { printDevicetree } from './print.ts'
import { readDevicetree } from './read.ts'
import { cellsValue, EMPTY_VALUE } from './value.ts'
import { writeDevicetree } from './write.ts'

function treeWith(...names: readonly string[]) {
  const properties = names.map((name) => ({ name, value: EMPTY_VALUE }))
  return { ...EMPTY_TREE, root: { name: '', properties, children: [] } }
}

const nameArbitrary = fc.stringMatching(/^[a-zA-Z0-9,._+?#-]{1,12}$/)
const propertiesArbitrary: fc.Arbitrary<readonly Property[]> = fc.uniqueArray(
  fc.record({ name: nameArbitrary, value: fc.uint8Array({ maxLength: 20 }) }),
  { selector: ({ name }) => name, maxLength: 5 },
)
// dtc wants names of nodes to begin with a letter, to compile them from text.
const nodeName = fc.stringMatching(/^[a-z][a-z0-9,._+-]{0,8}(@[0-9a-f]{1,8})?$/)
function nodeArbitrary(depth: number): fc.Arbitrary<DeviceNode> {
  const children = depth === 0 ? fc.constant([]) : fc.array(nodeArbitrary(depth - 1), { maxLength: 3 })
  return fc.record({
    name: nodeName,
    properties: propertiesArbitrary,
    children: children.map((nodes) => [...new Map(nodes.map((node) => [node.name, node])).values()]),
  })
}
const treeArbitrary = fc.record({
  reservations: fc.array(
    fc.record({ address: fc.bigInt(1n, (1n << 64n) - 1n), sizeBytes: fc.bigInt(0n, (1n << 64n) - 1n) }),
    { maxLength: 3 },
  ),
  bootCpuId: fc.nat(),
  root: nodeArbitrary(3).map((node) => ({ ...node, name: '' })),
})

describe('writing a flattened device tree', () => {
  it('writes what is read back as the same tree, and what dtc prints as we do', () => {
    fc.assert(
      fc.property(treeArbitrary, (tree) => {
        const written = writeDevicetree(tree)
        const again = readDevicetree(written)
        if (!again.ok) throw new Error(again.error.message)
        expect(printDevicetree(again.value)).toBe(printDevicetree(tree))
        expect(writeDevicetree(again.value)).toEqual(written)
        expect(again.value.reservations).toEqual(tree.reservations)
        expect(again.value.bootCpuId).toBe(tree.bootCpuId)
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(treeArbitrary, (tree) => {
        // dtc takes an empty reservation for the end of the list, which the specification (5.3.2) has at 0, 0 only.
        fc.pre(tree.reservations.every(({ sizeBytes }) => sizeBytes > 0n))
        const theirs = dtcText(writeDevicetree(tree), '-f').text
        expect(printDevicetree(tree).replaceAll('", "', '\\0')).toBe(theirs.replaceAll('", "', '\\0'))
      }),
      { numRuns: 60 },
    )
  })

  it('shares the tails of names, whatever their order', () => {
    const stringsBytes = (...names: readonly string[]) => writeDevicetree(treeWith(...names)).readUInt32BE(32)
    expect(stringsBytes('reg', 'bootreg')).toBe('bootreg\0'.length)
    expect(stringsBytes('bootreg', 'reg')).toBe('bootreg\0'.length)
    expect(stringsBytes('g', 'eg', 'reg', 'bootreg', 'xeg', 'ge')).toBe('bootreg\0xeg\0ge\0'.length)
    const tree = treeWith('g', 'eg', 'reg', 'bootreg', 'xeg', 'ge')
    const again = readDevicetree(writeDevicetree(tree))
    expect(again.ok && again.value.root.properties.map(({ name }) => name)).toEqual(
      tree.root.properties.map(({ name }) => name),
    )
  })

  it('leaves room when asked, which counts as the tree', () => {
    const tight = writeDevicetree(treeWith('model'))
    const roomy = writeDevicetree(treeWith('model'), { roomBytes: 0x3000, alignBytes: 4096 })
    expect(tight.readUInt32BE(4)).toBe(tight.length)
    expect(roomy.readUInt32BE(4)).toBe(roomy.length)
    expect(roomy.length).toBe(Math.ceil((tight.length + 0x3000) / 4096) * 4096)
    expect(writeDevicetree(treeWith('model'), { alignBytes: tight.length }).length).toBe(tight.length)
  })

  it('is as short as dtc for a tree without shared tails', () => {
    const source = '/dts-v1/; / { a = <1>; b = "x"; c { d; }; };'
    const theirs = compileSource(source)
    const tree = readDevicetree(theirs)
    expect(tree.ok && writeDevicetree(tree.value).length).toBe(theirs.length)
  })

  it('throws for a name that no reader would take, since no verb makes one', () => {
    expect(() => writeDevicetree(treeWith('a/b'))).toThrow(TypeError)
  })
})

describe('printing source text', () => {
  it('guesses types as dtc does', () => {
    const source = `/dts-v1/;
/memreserve/ 0x10 0x20;
/ {
  text = "a", "tab\\there \\"q\\" back\\\\slash";
  bell = "\\a\\b\\t\\n\\v\\f\\r";
  empty-string = "";
  holes = "a", "", "b";
  few-holes = "abcdef", "", "b";
  cells = <1 0xdeadbeef>;
  bytes = [01 02 03];
  accent = "\\xe9";
  nothing;
  node@1 { only { }; };
};`
    const bytes = compileSource(source)
    const tree = readDevicetree(bytes)
    if (!tree.ok) throw new Error(tree.error.message)
    const printed = printDevicetree(tree.value)
    expect(printed.replaceAll('", "', '\\0')).toBe(dtcText(bytes).text.replaceAll('", "', '\\0'))
    expect(compileSource(printed)).toEqual(bytes)
    expect(printed).toContain('few-holes = "abcdef", "", "b";')
  })

  it('prints an unused tree', () => {
    expect(printDevicetree(EMPTY_TREE)).toBe('/dts-v1/;\n\n/ {\n};\n')
    expect(cellsValue()).toHaveLength(0)
  })
})
