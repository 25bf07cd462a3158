import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AssembledKmod, assembleKmod } from '../src/elf/test/assemble-kmod.ts'
import { firmwright, temporaryFolder } from './firmwright.ts'

const release = '6.1.0-test'
const vermagic = `vermagic=${release} SMP mod_unload modversions aarch64`
const modules: Readonly<Record<string, AssembledKmod>> = {
  base: {
    modinfo: ['name=base', 'license=GPL', 'depends=', vermagic, 'firmware=base.bin'],
    exports: [{ name: 'base_api', crc: 1 }],
  },
  user: {
    modinfo: ['name=user', 'license=GPL', 'depends=base', vermagic, 'alias=x-user'],
    imports: [
      { name: 'base_api', crc: 1 },
      { name: 'printk', crc: 2 },
    ],
  },
  odd: {
    modinfo: ['name=odd', 'license=GPL', 'depends=base', vermagic],
    imports: [{ name: 'base_api', crc: 9 }],
  },
}

let folder = ''
let tree = ''
beforeAll(() => {
  folder = temporaryFolder()
  tree = join(folder, 'lib/modules', release)
  mkdirSync(join(tree, 'kernel'), { recursive: true })
  for (const [name, kmod] of Object.entries(modules)) {
    writeFileSync(join(tree, 'kernel', `${name}.ko`), assembleKmod(kmod))
  }
  writeFileSync(join(tree, 'modules.builtin'), 'kernel/crypto/aes.ko\n')
  writeFileSync(join(folder, 'Module.symvers'), '0x00000002\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n')
  writeFileSync(join(folder, 'empty.symvers'), '')
  mkdirSync(join(folder, 'firmware'))
})

const kmod = (...args: readonly string[]) => firmwright(['kmod', ...args, '--modules', tree])

describe('kmod plan', () => {
  it('prints paths in load order, and beside them what is built in', async () => {
    expect(await kmod('plan', 'x-user', 'aes')).toEqual({
      exitCode: 0,
      stdout: 'kernel/base.ko\nkernel/user.ko',
      stderr: 'aes is built in',
    })
  })

  it('as JSON says why each is there, back to what was asked for', async () => {
    const { stdout } = await kmod('plan', 'user', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      steps: [
        { name: 'base', path: 'kernel/base.ko', why: ['user depends on it', 'asked for as user'] },
        { name: 'user', why: ['asked for as user'] },
      ],
    })
  })

  it('draws', async () => {
    expect((await kmod('plan', 'user', '--graph', 'dot')).stdout).toContain('"user" -> "base"')
    expect((await kmod('plan', 'user', '--graph', 'svg')).stdout).toMatch(/^<svg [\s\S]*<\/svg>$/)
  })

  it('of a target that is nowhere names those that are near', async () => {
    const { exitCode, stderr } = await kmod('plan', 'bas')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no module or alias bas in this kernel')
    expect(stderr).toContain('did you mean base')
  })
})

describe('kmod match', () => {
  it('says for each modalias of a list what answers to it, and never that nothing does', async () => {
    writeFileSync(join(folder, 'modaliases'), 'x-user\nof:NnothingT(null)Cnobody\n\nx-user\n')
    const { exitCode, stdout } = await kmod('match', '--modalias', join(folder, 'modaliases'))
    expect(exitCode).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'x-user: user',
      'of:NnothingT(null)Cnobody: unknown: no module; a driver may be built in',
      '2 modaliases, 1 without a module',
    ])
  })

  it('refuses what is no device tree, and nothing at all', async () => {
    expect((await kmod('match', '--dtb', join(folder, 'Module.symvers'))).stderr).toContain(
      'is no device tree',
    )
    expect((await kmod('match')).stderr).toContain('there is nothing to match')
  })
})

describe('kmod check', () => {
  it('ends with 0 only when all is proved', async () => {
    const proved = await kmod('check', 'user', '--symvers', join(folder, 'Module.symvers'))
    expect(proved).toMatchObject({
      exitCode: 0,
      stdout: '2 modules, 2 imports proved, 0 errors, 0 warnings',
    })
    const unproved = await kmod('check', 'user')
    expect(unproved.exitCode).toBe(1)
    expect(unproved.stdout).toContain('not-proved: 1 imports of 1 modules from vmlinux are not proved')
  })

  it('looks at every module, at firmware where it is told where that is, and speaks JSON', async () => {
    const all = ['check', '--symvers', join(folder, 'Module.symvers'), '--json']
    const withFirmware = [...all, '--firmware', join(folder, 'firmware')]
    const { exitCode, stdout } = await kmod(...withFirmware)
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      modules: 3,
      findings: [
        { type: 'crc-mismatch', module: 'odd', crc: 9, exported: 1 },
        { type: 'firmware-missing', module: 'base', file: 'base.bin' },
      ],
    })
    const waived = await kmod(...withFirmware, '--waive-firmware', 'base.bin')
    expect(JSON.parse(waived.stdout).findings).toHaveLength(1)
  })

  it('refuses a file that says nothing of what a kernel exports', async () => {
    const { exitCode, stderr } = await kmod('check', '--symvers', join(folder, 'empty.symvers'))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('has no exported symbol in it')
  })
})
