import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mergeOverlay, printDevicetree, readDevicetree } from '../../devicetree/index.ts'
import { type Engine, openEngine } from '../../engine/index.ts'
import type { DeviceTreeText } from '../../system/index.ts'
import { compiledTree } from './tree-source.ts'

let folder = ''
let engine: Engine

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tree-source-'))
  engine = await openEngine({ storeFolder: join(folder, 'store') })
  await mkdir(join(folder, 'board'))
  await mkdir(join(folder, 'bindings/dt-bindings'), { recursive: true })
  await writeFile(join(folder, 'bindings/dt-bindings/speed.h'), '#define SPEED 115200\n')
  await writeFile(join(folder, 'board/chip.dtsi'), '/ { uart: serial@1000 { reg = <0x1000>; }; };\n')
  await writeFile(
    join(folder, 'board/board.dts'),
    `/dts-v1/;
#include <dt-bindings/speed.h>
/include/ "chip.dtsi"
/ { #address-cells = <1>; #size-cells = <0>; };
&uart { current-speed = <SPEED>; };
`,
  )
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

async function compiled(source: DeviceTreeText) {
  const tree = readDevicetree(await engine.read(await compiledTree(engine, source)))
  if (!tree.ok) throw new Error(tree.error.message)
  return tree.value
}
const board = () => ({ file: join(folder, 'board/board.dts'), includes: [join(folder, 'bindings')] })

it('compiles a source with what it includes, beside itself and from other folders', async () => {
  const text = printDevicetree(await compiled(board()))
  expect(text).toContain('current-speed = <0x1c200>')
})

it('compiles an overlay from its text, which lies over the tree as fdtoverlay lays it', async () => {
  const text = '/dts-v1/; /plugin/; &uart { status = "okay"; };'
  const merged = mergeOverlay(await compiled(board()), await compiled({ text }))
  if (!merged.ok) throw new Error(merged.error.message)
  await writeFile(join(folder, 'base.dtb'), await engine.read(await compiledTree(engine, board())))
  await writeFile(join(folder, 'over.dtbo'), await engine.read(await compiledTree(engine, { text })))
  execFileSync('fdtoverlay', ['-i', 'base.dtb', '-o', 'both.dtb', 'over.dtbo'], { cwd: folder })
  const both = execFileSync('fdtget', ['both.dtb', '/serial@1000', 'status'], { cwd: folder }).toString()
  expect(printDevicetree(merged.value)).toContain(`status = "${both.trim()}"`)
  expect(await compiled({ file: join(folder, 'both.dtb') })).toBeDefined()
})

it('says what the compiler said of a source that is none', async () => {
  await writeFile(join(folder, 'board/broken.dts'), '/dts-v1/; / { nonsense\n')
  await expect(compiledTree(engine, { file: join(folder, 'board/broken.dts') })).rejects.toMatchObject({
    diagnostics: [{ why: expect.stringContaining('syntax error') }],
  })
})
