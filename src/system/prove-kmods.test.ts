import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import { usualKmod, usualVermagic } from '../elf/test/assemble-kmod.ts'
import { type Engine, openEngine } from '../engine/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { createKmodSource, parseSymvers } from '../kmod/index.ts'
import { proveKmods } from './prove-kmods.ts'

const here: Origin = { file: '/system.ts', line: 7 }
let folder: string
let engine: Engine
const warnings: string[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-prove-'))
  warnings.length = 0
  engine = await openEngine({
    storeFolder: join(folder, 'store'),
    onEvent: (event) => {
      if (event.type === 'step-warning') warnings.push(event.text)
    },
  })
})
afterEach(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

/** A build that loads `base`, and after it `odd`; what it ends with, and what it warns of. */
async function build(odd: Buffer, builtinModinfo = ''): Promise<readonly Diagnostic[]> {
  const exports = [{ name: 'base_api', crc: 1, gplOnly: true }]
  const files = new Map([
    ['odd.ko', odd],
    ['base.ko', usualKmod('base', { exports })],
    ...['a', 'b', 'c'].map((name) => [`${name}.ko`, usualKmod(name)] as const),
  ])
  const symvers =
    '0x0000000a\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x00000009\tbase_api\tdrivers/old\tEXPORT_SYMBOL\t'
  const content = { type: 'text', text: symvers } as const
  const kernel: Kernel = {
    name: 'linux-test 6.1.0',
    release: '6.1.0-test',
    // Results are known again by the kernel's image.
    image: { type: 'text', text: odd.toString('base64') + builtinModinfo },
    configFile: { type: 'text', text: '' },
    config: new Map(),
    modules: createKmodSource({
      paths: files.keys(),
      builtinModinfo: Buffer.from(builtinModinfo),
      read: (path) => files.get(path) ?? Buffer.alloc(0),
    }),
    moduleContent: () => content,
    symvers: { content, read: async () => parseSymvers(symvers) },
    origin: { file: '/system.ts', line: 1 },
  }
  const reason = { type: 'target', target: 'odd' } as const
  const steps = ['base', 'odd'].map((name) => ({ name, path: `${name}.ko`, reason, required: true }))
  const plan = {
    name: 'radio',
    origins: [here],
    steps,
    builtin: [{ name: 'usbhost', reason }],
    staying: [],
    notes: [],
  }
  try {
    await proveKmods(engine, kernel, [plan], { tree: new Map(), waived: [] })
    return []
  } catch (error) {
    if (error instanceof UserError) return error.diagnostics
    throw error
  }
}

const importing = [{ name: 'base_api', crc: 1 }]

it.each<readonly [string, () => Buffer, string]>([
  [
    'was built for another kernel',
    () => usualKmod('odd', { info: ['vermagic=5.10.0 SMP mod_unload aarch64'] }),
    `odd was built for “5.10.0 SMP mod_unload aarch64”, and this kernel is “${usualVermagic}”`,
  ],
  [
    'was built against another version of a symbol',
    () => usualKmod('odd', { info: ['depends=base'], imports: [{ name: 'base_api', crc: 9 }] }),
    'odd was built against another base_api: it wants version 0x00000009, and base exports 0x00000001; 0x00000009 is what drivers/old exports according to Module.symvers',
  ],
  [
    'is not free and uses what is for free modules',
    () => usualKmod('odd', { info: ['license=Proprietary', 'depends=base'], imports: importing }),
    'odd has the licence “Proprietary”, and base exports base_api to GPL modules only',
  ],
  [
    'uses what nobody exports',
    () => usualKmod('odd', { imports: [{ name: 'gone', crc: 1 }] }),
    'odd imports gone, which neither vmlinux nor any module of this kernel exports',
  ],
  ['is no module', () => Buffer.from('# not a module\n'), 'odd.ko: not an ELF file'],
  [
    'asks for firmware that is not there',
    () => usualKmod('odd', { info: ['firmware=radio.bin'] }),
    'odd asks for /lib/firmware/radio.bin, which is not there',
  ],
])('a build ends where a module %s, and says who loads it', async (_, odd, what) => {
  const [found, ...more] = await build(odd())
  expect(more).toEqual([])
  expect(found).toMatchObject({
    what,
    where: [here, { line: 1 }],
    why: 'radio would load it, and the kernel is linux-test 6.1.0',
  })
})

it('a build ends where a module is cut short, or for another architecture', async () => {
  const whole = usualKmod('odd')
  const [cut] = await build(whole.subarray(0, whole.length - 100))
  expect(cut?.what).toMatch(/^odd\.ko: .* reaches past the end of the file/)
  const foreign = Buffer.from(whole)
  // e_machine: RISC-V.
  foreign.writeUInt16LE(243, 18)
  const [other] = await build(foreign)
  expect(other?.what).toMatch(/^odd is for another architecture: RISC-V, 64 bit, .*, and this kernel is for /)
})

it('a build ends where a built-in driver that somebody wants has no firmware', async () => {
  const found = await build(usualKmod('odd'), 'usbhost.firmware=host.bin\0other.firmware=other.bin\0')
  expect(found.map(({ what }) => what)).toEqual([
    'the built-in driver usbhost asks for /lib/firmware/host.bin, which is not there',
  ])
})

it('a build goes on, and says so, where softdeps or depends= are not what they should be', async () => {
  const info = ['softdep=base pre: gone', 'depends=a', 'firmware=radio-*.bin']
  expect(await build(usualKmod('odd', { info }))).toEqual([])
  expect(warnings).toEqual([
    'softdep of odd (base pre: gone): base without pre: or post:, loaded before it; modprobe ignores that',
    'softdep of odd (base pre: gone): nothing in this kernel is or answers to gone',
    'depends= of odd names a, of which it uses nothing',
    'nothing under /lib/firmware matches radio-*.bin, which odd may ask for',
  ])
})
