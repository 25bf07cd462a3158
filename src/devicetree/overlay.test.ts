import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compileSource, verifyOverlays } from './conformance.ts'
import type { DeviceTree } from './model.ts'
import { mergeOverlay } from './overlay.ts'
import { findNode, getCells, getString, getU32, phandleOf } from './query.ts'
import { readDevicetree } from './read.ts'

const folder = mkdtempSync(join(tmpdir(), 'overlay-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const BASE = `/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;
  aliases { bus0 = &bus; };
  bus: bus@1000 { #address-cells = <1>; #size-cells = <1>; ranges;
    uart: serial@10 { reg = <0x10 0x10>; status = "disabled"; interrupt-parent = <&pic>; };
    pic: intc@20 { reg = <0x20 0x10>; }; }; bare { }; };`

function compile(source: string, ...options: readonly string[]): DeviceTree {
  const tree = readDevicetree(compileSource(source, ...options))
  if (!tree.ok) throw new Error(tree.error.message)
  return tree.value
}

function overlay(body: string): string {
  return `/dts-v1/; /plugin/; ${body}`
}

let files = 0
function file(source: string, ...options: readonly string[]): string {
  const name = join(folder, `${files++}.dtb`)
  writeFileSync(name, compileSource(source, ...options))
  return name
}

const AGREEMENTS: readonly (readonly [string, string])[] = [
  ['sets properties through a label', overlay('&uart { status = "okay"; clock = <&pic 5>; };')],
  [
    'adds nodes that refer to each other',
    overlay('&bus { x: x@30 { y = <&z>; }; z: z@40 { x = <&x>, <&uart>; }; };'),
  ],
  ['goes by target-path', overlay('&{/bus@1000/serial@10} { status = "okay"; };')],
  [
    'goes by an alias in target-path',
    overlay('/ { fragment@0 { target-path = "bus0"; __overlay__ { p; l: q { }; }; }; };'),
  ],
  [
    'lays a node without unit address over one that has it',
    overlay('&bus { serial { status = "okay"; }; };'),
  ],
  ['lays over the root', overlay('&{/} { top: top { p = <&top>; }; };')],
  [
    'sets the label of a target itself',
    overlay('/ { fragment@0 { target-path = "/bare"; me: __overlay__ { p; }; }; };'),
  ],
  [
    'takes fragments in order, later ones over earlier ones',
    overlay('&{/} { new { a; }; }; &{/} { new { b; }; };'),
  ],
  ['ignores a fragment without __overlay__', overlay('/ { fragment@0 { target-path = "/none"; }; };')],
  ['refuses an unknown label', overlay('&none { };')],
  ['refuses a target-path that is not there', overlay('&{/none} { p; };')],
  ['refuses a fragment without target', overlay('/ { fragment@0 { __overlay__ { p; }; }; };')],
  ['refuses fixups that point nowhere', overlay('/ { __fixups__ { uart = "/none:p:0"; }; };')],
  ['refuses fixups beyond the property', overlay('/ { f { p = <1>; }; __fixups__ { uart = "/f:p:4"; }; };')],
  ['refuses fixups without an offset', overlay('/ { f { p = <1>; }; __fixups__ { uart = "/f:p"; }; };')],
  ['refuses local fixups of what is not there', overlay('/ { __local_fixups__ { none { p = <0>; }; }; };')],
]

describe('merging an overlay', () => {
  it.each(AGREEMENTS)('%s, as fdtoverlay does', (_name, source) => {
    const base = file(BASE, '-@')
    // Phandles that only an overlay's own nodes have, so that both sides keep those of the base.
    expect(verifyOverlays([[base, file(source, '-@', '-f')]]).failures).toEqual([])
  })

  it('changes neither the base nor the overlay', () => {
    const base = compile(BASE, '-@')
    const over = compile(overlay('&uart { status = "okay"; };'), '-@')
    const [before, beforeOver] = [structuredClone(base), structuredClone(over)]
    const merged = mergeOverlay(base, over)
    expect(merged.ok).toBe(true)
    expect(structuredClone(base)).toEqual(before)
    expect(structuredClone(over)).toEqual(beforeOver)
  })

  it('lets a node of the base keep its phandle, and sends the overlay there', () => {
    const base = compile(BASE, '-@')
    const over = compile(overlay('&bus { again: intc@20 { extra; }; x { parent = <&again>; }; };'), '-@')
    const merged = mergeOverlay(base, over)
    if (!merged.ok) throw new Error(merged.error.message)
    const pic = findNode(merged.value, '&pic')
    const uart = findNode(merged.value, '&uart')
    const x = findNode(merged.value, '/bus@1000/x')
    if (!pic.ok || !uart.ok || !x.ok) throw new Error('a node is missing')
    const phandle = phandleOf(pic.value.node)
    expect(getU32(uart.value, 'interrupt-parent')).toEqual({ ok: true, value: phandle })
    expect(getCells(x.value, 'parent')).toEqual({ ok: true, value: [phandle] })
    expect(findNode(merged.value, '&again')).toMatchObject({ value: { path: '/bus@1000/intc@20' } })
  })

  it('can be laid over its own result', () => {
    let tree = compile(BASE, '-@')
    for (const body of [
      '&bus { one: n@1 { }; };',
      '&one { under: m { status = "okay"; }; };',
      '&under { deep { }; };',
    ]) {
      const merged = mergeOverlay(tree, compile(overlay(body), '-@'))
      if (!merged.ok) throw new Error(merged.error.message)
      tree = merged.value
    }
    const under = findNode(tree, '&under')
    expect(under.ok && getString(under.value, 'status')).toEqual({ ok: true, value: 'okay' })
    expect(findNode(tree, '/bus@1000/n@1/m/deep').ok).toBe(true)
  })

  it('names the label that the base does not have', () => {
    const merged = mergeOverlay(compile(BASE, '-@'), compile(overlay('&none { };')))
    expect(merged).toMatchObject({ ok: false, error: { type: 'unknown-label', label: 'none' } })
    const unlabelled = mergeOverlay(compile(BASE), compile(overlay('&uart { };')))
    expect(unlabelled).toMatchObject({ ok: false, error: { type: 'unknown-label' } })
  })
})
