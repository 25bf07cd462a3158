import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { compileSource, findFiles, verifyEdits, verifyMutations, verifyRoundTrips } from './conformance.ts'

// A fixed-seed share of what the long verification does with every tree of a distribution's kernels.
const SOURCES = [
  '/dts-v1/; / { };',
  `/dts-v1/; /memreserve/ 0x80000000 0x4000; / { #address-cells = <2>; #size-cells = <2>;
    model = "Board"; compatible = "vendor,board", "vendor,soc"; chosen { bootargs = "console=ttyS0"; };
    aliases { serial0 = &uart; }; cpus { #address-cells = <1>; #size-cells = <0>;
      cpu@0 { device_type = "cpu"; reg = <0>; }; cpu@1 { device_type = "cpu"; reg = <1>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x20000000>; };
    soc { compatible = "simple-bus"; #address-cells = <2>; #size-cells = <2>; ranges;
      uart: serial@11002000 { reg = <0 0x11002000 0 0x400>; mac = [00 11 22 33 44 55]; interrupts = <0 91 4>; }; }; };`,
  `/dts-v1/; / { ${Array.from({ length: 40 }, (_, index) => `n${index} { v = <${index}>; t${index} = "x"; };`).join(' ')} };`,
]

const OVERLAY = `/dts-v1/; /plugin/; &uart { status = "okay"; a: a { p = <&b &uart>; }; b: b { p = <&a>; }; };`

const folder = mkdtempSync(join(tmpdir(), 'devicetree-test-'))
for (const [index, source] of SOURCES.entries())
  writeFileSync(join(folder, `${index}.dtb`), compileSource(source, '-@'))
writeFileSync(join(folder, 'overlay.dtbo'), compileSource(OVERLAY, '-@'))
const files = findFiles(folder, '.dtb')
afterAll(() => rmSync(folder, { recursive: true }))

it('writes what it reads, as dtc sees it, no larger than dtc, and prints as dtc does', () => {
  expect(verifyRoundTrips(files)).toEqual({ checked: 3, refused: 0, failures: [] })
})

it('edits as fdtput does: 100 random sequences', () => {
  const done = verifyEdits(files, 20240611, 100)
  expect(done.failures).toEqual([])
  expect(done.refused).toBeGreaterThan(10)
})

it('refuses or reads 20,000 mutated files', () => {
  const done = verifyMutations([...files.slice(1), join(folder, 'overlay.dtbo')], 20240611, 20_000)
  expect(done.failures).toEqual([])
  expect(done.refused).toBeGreaterThan(5000)
})
