import { describe, expect, it } from 'vitest'
import { getRanges, getReg, translateAddress } from './cells.ts'
import { compileSource } from './conformance.ts'
import { memoryBanks, reservedMemory } from './memory.ts'
import type { DeviceTree, NodeRef } from './model.ts'
import {
  findByCompatible,
  findByPhandle,
  findNode,
  getCells,
  getString,
  getStrings,
  getU32,
  getU64,
  isEnabled,
  labelsOf,
} from './query.ts'
import { readDevicetree } from './read.ts'

function compile(source: string, ...options: readonly string[]): DeviceTree {
  const tree = readDevicetree(compileSource(`/dts-v1/;\n${source}`, ...options))
  if (!tree.ok) throw new Error(tree.error.message)
  return tree.value
}

const tree = compile(
  `/ {
  #address-cells = <2>; #size-cells = <2>;
  aliases { serial0 = &uart; loop = "loop"; gone = "/nowhere"; bad = <1>; };
  memory@880000000 { device_type = "memory"; reg = <0x8 0x80000000 0x1 0x0>, <0 0x40000000 0 0x20000000>; };
  memory@0 { device_type = "memory"; reg = <0 0 0 0>; };
  soc {
    #address-cells = <1>; #size-cells = <1>;
    ranges = <0x10000000 0x1 0x00000000 0x01000000>, <0x20000000 0x2 0x0 0x1000>;
    uart: serial@10001000 {
      compatible = "vendor,uart-2", "ns16550a"; reg = <0x10001000 0x100>; status = "disabled";
      clock-frequency = /bits/ 64 <0x123456789>; interrupt-parent = <&pic>;
    };
    pic: intc@20000800 { compatible = "vendor,pic"; reg = <0x20000800 0x900>; status = "okay"; };
    bridge { #address-cells = <1>; #size-cells = <0>; child@5 { reg = <5>; }; };
    odd { reg = <1 2 3>; };
    pci@30000000 {
      #address-cells = <3>; #size-cells = <2>; reg = <0x10002000 0x100>;
      ranges = <0x02000000 0x0 0x40000000 0x10000000 0x0 0x100000>;
      dev@0 { reg = <0x02000000 0x0 0x40000010 0x0 0x10>; };
    };
  };
  cpus { #address-cells = <9>; cpu { reg = <0>; }; cpu@0 { reg = <0>; }; };
};`,
  '-@',
  '-f',
)

function found(reference: string): NodeRef {
  const ref = findNode(tree, reference)
  if (!ref.ok) throw new Error(ref.error.message)
  return ref.value
}

describe('finding a node', () => {
  it.each([
    ['/', '/'],
    ['/soc/serial@10001000', '/soc/serial@10001000'],
    ['/soc/serial', '/soc/serial@10001000'],
    ['//soc//serial/', '/soc/serial@10001000'],
    ['/memory', '/memory@880000000'],
    ['/cpus/cpu', '/cpus/cpu'],
    ['serial0', '/soc/serial@10001000'],
    ['&pic', '/soc/intc@20000800'],
  ])('%s is %s', (reference, path) => {
    expect(found(reference).path).toBe(path)
  })

  it.each([
    ['/soc/none', 'node-not-found', 'there is no node "/soc/none": "/soc" has no child "none"'],
    ['serial9', 'unknown-alias', '"serial9" is neither a path nor in /aliases'],
    ['loop', 'bad-value', '"loop" in /aliases is not a path'],
    ['bad', 'bad-value', '"bad" in /aliases is not a path'],
    ['gone', 'node-not-found', 'there is no node "/nowhere": "/" has no child "nowhere"'],
    ['&none', 'unknown-label', 'no node has the label &none'],
    ['', 'unknown-alias', '"" is neither a path nor in /aliases'],
  ])('%s: %s', (reference, type, message) => {
    expect(findNode(tree, reference)).toMatchObject({ ok: false, error: { type, message } })
  })

  it('says why a tree without labels has none', () => {
    const error = findNode(compile('/ { a: b {}; };'), '&a')
    expect(error).toMatchObject({ ok: false, error: { type: 'unknown-label' } })
    expect(error.ok ? '' : error.error.message).toContain('dtc -@')
  })

  it('by phandle, by compatible, and the labels of one', () => {
    const phandle = getU32(found('&uart'), 'interrupt-parent')
    expect(phandle.ok && findByPhandle(tree, phandle.value)?.path).toBe('/soc/intc@20000800')
    expect(findByPhandle(tree, 0x999)).toBeUndefined()
    expect(findByCompatible(tree, 'ns16550a').map(({ path }) => path)).toEqual(['/soc/serial@10001000'])
    expect(labelsOf(tree, '/soc/intc@20000800')).toEqual(['pic'])
  })
})

describe('typed properties', () => {
  it('are read as what they are', () => {
    const uart = found('serial0')
    expect(getStrings(uart, 'compatible')).toEqual({ ok: true, value: ['vendor,uart-2', 'ns16550a'] })
    expect(getU64(uart, 'clock-frequency')).toEqual({ ok: true, value: 0x123456789n })
    expect(getCells(uart, 'reg')).toEqual({ ok: true, value: [0x10001000, 0x100] })
    expect(getString(uart, 'status')).toEqual({ ok: true, value: 'disabled' })
    expect([isEnabled(uart.node), isEnabled(found('&pic').node), isEnabled(tree.root)]).toEqual([
      false,
      true,
      true,
    ])
  })

  it('are refused as what they are not', () => {
    const uart = found('serial0')
    expect(getU32(uart, 'reg')).toMatchObject({ ok: false, error: { type: 'bad-value', property: 'reg' } })
    expect(getString(uart, 'compatible')).toMatchObject({ ok: false, error: { type: 'bad-value' } })
    expect(getStrings(found('/soc/odd'), 'reg')).toMatchObject({ ok: false, error: { type: 'bad-value' } })
    expect(getU32(uart, 'none')).toMatchObject({ ok: false, error: { type: 'property-not-found' } })
  })
})

describe('reg and ranges', () => {
  it('take their cells from the parent, and addresses have 64 bits', () => {
    expect(getReg(found('/memory'))).toEqual({
      ok: true,
      value: [
        { address: 0x880000000n, sizeBytes: 0x100000000n },
        { address: 0x40000000n, sizeBytes: 0x20000000n },
      ],
    })
    expect(getReg(found('/soc/bridge/child'))).toEqual({ ok: true, value: [{ address: 5n, sizeBytes: 0n }] })
    expect(getRanges(found('/soc'))).toMatchObject({
      value: [
        { childAddress: 0x10000000n, parentAddress: 0x100000000n, sizeBytes: 0x1000000n },
        { childAddress: 0x20000000n, parentAddress: 0x200000000n, sizeBytes: 0x1000n },
      ],
    })
  })

  it('are refused where they do not come out even, or the parent gives impossible counts', () => {
    expect(getReg(found('/soc/odd'))).toMatchObject({
      ok: false,
      error: { type: 'bad-value', property: 'reg' },
    })
    expect(getReg(found('/cpus/cpu'))).toMatchObject({
      error: { type: 'bad-value', property: '#address-cells' },
    })
    expect(getReg(found('/soc'))).toMatchObject({ error: { type: 'property-not-found' } })
  })

  it('are translated through every bus up to the root', () => {
    expect(translateAddress(found('serial0'), 0x10001000n)).toEqual({ ok: true, value: 0x100001000n })
    expect(translateAddress(found('/memory'), 0x880000000n)).toEqual({ ok: true, value: 0x880000000n })
    const device = found('/soc/pci@30000000/dev@0')
    const reg = getReg(device)
    if (!reg.ok) throw new Error(reg.error.message)
    expect(translateAddress(device, reg.value[0]?.address ?? 0n)).toEqual({ ok: true, value: 0x100000010n })
  })

  it('are not translated outside a window, or where a bus has none', () => {
    expect(translateAddress(found('&pic'), 0x20000800n, 0x800n)).toMatchObject({ ok: true })
    expect(translateAddress(found('&pic'), 0x20000800n, 0x900n)).toMatchObject({
      ok: false,
      error: { type: 'not-translatable' },
    })
    expect(translateAddress(found('/soc/bridge/child'), 5n)).toMatchObject({
      error: { type: 'not-translatable' },
    })
  })
})

describe('memory', () => {
  it('is every entry of every memory node that is not empty', () => {
    const banks = memoryBanks(tree)
    expect(banks.ok && banks.value.map(({ address }) => address)).toEqual([0x880000000n, 0x40000000n])
  })

  it('that is reserved comes from the header and from /reserved-memory', () => {
    const reserved = reservedMemory(
      compile(`/memreserve/ 0x1000 0x2000;
/ { #address-cells = <1>; #size-cells = <1>;
  reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
    tz@3000 { reg = <0x3000 0x1000>; no-map; }; pool { size = <0x400000>; reusable; };
    off@9000 { reg = <0x9000 0x1000>; status = "disabled"; }; }; };`),
    )
    expect(reserved).toEqual({
      ok: true,
      value: [
        { type: 'reservation', address: 0x1000n, sizeBytes: 0x2000n },
        {
          type: 'static',
          path: '/reserved-memory/tz@3000',
          noMap: true,
          reusable: false,
          address: 0x3000n,
          sizeBytes: 0x1000n,
        },
        { type: 'dynamic', path: '/reserved-memory/pool', sizeBytes: 0x400000n },
      ],
    })
  })
})
