import { describe, expect, it } from 'vitest'
import { compileSource } from './conformance.ts'
import {
  addNode,
  addReservation,
  appendToProperty,
  deleteNode,
  deleteProperty,
  deleteReservation,
  ensureNode,
  ensurePhandle,
  renameNode,
  renameProperty,
  setProperty,
  setReg,
} from './edit.ts'
import { reserveMemory } from './memory.ts'
import { type DeviceTree, EMPTY_TREE, MAX_DEPTH } from './model.ts'
import { printDevicetree } from './print.ts'
import { findNode } from './query.ts'
import { readDevicetree } from './read.ts'
import type { EditError, Result } from './result.ts'
import { cellsValue, stringValue } from './value.ts'
import { writeDevicetree } from './write.ts'

function compile(body: string): DeviceTree {
  const tree = readDevicetree(compileSource(`/dts-v1/; ${body}`, '-f'))
  if (!tree.ok) throw new Error(tree.error.message)
  return tree.value
}

const tree = compile(`/ { #address-cells = <1>; #size-cells = <1>;
  a { p = <1>; q = <2>; b@1 { }; }; c { }; phandled { phandle = <7>; }; };`)
const text = printDevicetree(tree)

function edited(result: Result<DeviceTree, EditError>): DeviceTree {
  if (!result.ok) throw new Error(result.error.message)
  expect(printDevicetree(tree)).toBe(text)
  return result.value
}

function expectSame(actual: DeviceTree, body: string): void {
  expect(printDevicetree(actual)).toBe(printDevicetree(compile(body)))
}

const HEAD = '#address-cells = <1>; #size-cells = <1>;'
const TAIL = 'c { }; phandled { phandle = <7>; };'

describe('editing gives a new tree and leaves the old one', () => {
  it('setting a property keeps its place, a new one goes last', () => {
    expectSame(
      edited(
        setProperty(edited(setProperty(tree, '/a', 'p', stringValue('x', 'y'))), '/a', 'r', cellsValue(3)),
      ),
      `/ { ${HEAD} a { p = "x", "y"; q = <2>; r = <3>; b@1 { }; }; ${TAIL} };`,
    )
  })

  it('appending adds bytes, or makes the property', () => {
    expectSame(
      edited(
        appendToProperty(edited(appendToProperty(tree, '/a', 'q', cellsValue(3))), '/a', 'r', cellsValue(4)),
      ),
      `/ { ${HEAD} a { p = <1>; q = <2 3>; r = <4>; b@1 { }; }; ${TAIL} };`,
    )
  })

  it('deleting and renaming properties', () => {
    expectSame(
      edited(renameProperty(edited(deleteProperty(tree, '/a', 'p')), '/a', 'q', 'z')),
      `/ { ${HEAD} a { z = <2>; b@1 { }; }; ${TAIL} };`,
    )
  })

  it('adding, renaming and deleting nodes', () => {
    const renamed = edited(renameNode(edited(addNode(tree, '/a/new@2')), '/a/b', 'B@1'))
    expectSame(renamed, `/ { ${HEAD} a { p = <1>; q = <2>; B@1 { }; new@2 { }; }; ${TAIL} };`)
    expectSame(edited(deleteNode(tree, '/a')), `/ { ${HEAD} ${TAIL} };`)
    expectSame(
      edited(ensureNode(tree, '/c/d/e')),
      `/ { ${HEAD} a { p = <1>; q = <2>; b@1 { }; };
      c { d { e { }; }; }; phandled { phandle = <7>; }; };`,
    )
    expect(edited(ensureNode(tree, '/a/b@1'))).toBe(tree)
  })

  it('gives a phandle above all others, and keeps one', () => {
    expect(ensurePhandle(tree, '/phandled')).toMatchObject({ ok: true, value: { tree, phandle: 7 } })
    const given = ensurePhandle(tree, '/c')
    expect(given).toMatchObject({ ok: true, value: { phandle: 8 } })
    const full = edited(setProperty(tree, '/c', 'phandle', cellsValue(0xfffffffe)))
    expect(ensurePhandle(full, '/a')).toMatchObject({ ok: false, error: { type: 'no-phandle-left' } })
  })

  it('writes reg in the cells of the parent, and refuses what does not fit', () => {
    const reg = edited(setReg(tree, '/c', [{ address: 0x80000000n, sizeBytes: 0x1000n }]))
    const ref = findNode(reg, '/c')
    expect(ref.ok && ref.value.node.properties).toEqual([
      { name: 'reg', value: cellsValue(0x80000000, 0x1000) },
    ])
    expect(setReg(tree, '/c', [{ address: 1n << 32n, sizeBytes: 0n }])).toMatchObject({
      error: { type: 'does-not-fit', message: expect.stringContaining('address 0x100000000') },
    })
    expect(setReg(tree, '/', [])).toMatchObject({ error: { type: 'root-node' } })
  })

  it('adds and deletes memory reservations', () => {
    const entry = { address: 0x8000000000000000n, sizeBytes: 0x1000n }
    const with1 = edited(addReservation(tree, entry))
    expect(with1.reservations).toEqual([entry])
    const again = readDevicetree(writeDevicetree(with1))
    expect(again.ok && again.value.reservations).toEqual([entry])
    expect(edited(deleteReservation(with1, entry)).reservations).toEqual([])
    expect(deleteReservation(tree, entry)).toMatchObject({ error: { type: 'reservation-not-found' } })
    for (const bad of [
      { address: 0n, sizeBytes: 0n },
      { address: -1n, sizeBytes: 5n },
      { address: 1n, sizeBytes: (1n << 64n) - 1n + 1n },
    ]) {
      expect(addReservation(tree, bad)).toMatchObject({ error: { type: 'does-not-fit' } })
    }
  })

  it('refuses what cannot be, by name', () => {
    const refusals: readonly (readonly [Result<unknown, EditError>, EditError['type']])[] = [
      [setProperty(tree, '/none', 'p', cellsValue()), 'node-not-found'],
      [setProperty(tree, '/a', 'p q', cellsValue()), 'bad-name'],
      [setProperty(tree, '/a', '', cellsValue()), 'bad-name'],
      [appendToProperty(tree, 'alias', 'p', cellsValue()), 'unknown-alias'],
      [deleteProperty(tree, '/a', 'none'), 'property-not-found'],
      [renameProperty(tree, '/a', 'none', 'x'), 'property-not-found'],
      [renameProperty(tree, '/a', 'p', 'q'), 'property-exists'],
      [renameProperty(tree, '/a', 'p', 'a/b'), 'bad-name'],
      [addNode(tree, '/'), 'root-node'],
      [addNode(tree, 'bare'), 'bad-name'],
      [addNode(tree, '/a/'), 'bad-name'],
      [addNode(tree, '/none/x'), 'node-not-found'],
      [addNode(tree, '/a'), 'node-exists'],
      [addNode(tree, `/a/${'x'.repeat(256)}`), 'bad-name'],
      [ensureNode(tree, 'relative'), 'node-not-found'],
      [ensureNode(tree, '/a/b c'), 'bad-name'],
      [ensureNode(tree, '/x'.repeat(MAX_DEPTH)), 'too-deep'],
      [deleteNode(tree, '/'), 'root-node'],
      [deleteNode(tree, '/none'), 'node-not-found'],
      [renameNode(tree, '/', 'x'), 'root-node'],
      [renameNode(tree, '/a', 'c'), 'node-exists'],
      [renameNode(tree, '/a', 'x y'), 'bad-name'],
    ]
    for (const [result, type] of refusals) expect(result).toMatchObject({ ok: false, error: { type } })
    expect(ensureNode(tree, '/x'.repeat(MAX_DEPTH - 1)).ok).toBe(true)
  })
})

describe('reserving memory', () => {
  const options = {
    name: 'phram-rootfs',
    address: 0x1_4000_0000n,
    sizeBytes: 0x600000n,
    compatible: 'phram',
    noMap: true,
  }

  it('makes /reserved-memory as the kernel wants it', () => {
    const wide = compile('/ { #address-cells = <2>; #size-cells = <2>; };')
    const reserved = reserveMemory(wide, options)
    if (!reserved.ok) throw new Error(reserved.error.message)
    expectSame(
      reserved.value,
      `/ { #address-cells = <2>; #size-cells = <2>;
        reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
          phram-rootfs@140000000 { reg = <1 0x40000000 0 0x600000>; compatible = "phram"; no-map; }; }; };`,
    )
    expect(reserveMemory(reserved.value, options)).toMatchObject({ error: { type: 'node-exists' } })
    const second = reserveMemory(reserved.value, { ...options, address: 0x1000n })
    expect(second.ok && findNode(second.value, '/reserved-memory/phram-rootfs@1000').ok).toBe(true)
  })

  it('refuses an address that the cells cannot hold and a parent that the kernel would refuse', () => {
    expect(reserveMemory(tree, options)).toMatchObject({ error: { type: 'does-not-fit' } })
    const odd = compile(
      `/ { ${HEAD} reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; }; };`,
    )
    expect(reserveMemory(odd, options)).toMatchObject({ error: { type: 'bad-value' } })
    expect(reserveMemory(tree, { ...options, address: 0n, name: 'a b' })).toMatchObject({
      error: { type: 'bad-name' },
    })
  })

  it('can make a tree cross a page: it is measured after the last edit', () => {
    const base = setProperty(EMPTY_TREE, '/', 'filler', Buffer.alloc(4096 - 100))
    if (!base.ok) throw new Error(base.error.message)
    expect(writeDevicetree(base.value).length).toBeLessThanOrEqual(4096)
    const reserved = reserveMemory(base.value, { ...options, address: 0x1000n, sizeBytes: 0x1000n })
    expect(reserved.ok && writeDevicetree(reserved.value).length).toBeGreaterThan(4096)
  })
})
