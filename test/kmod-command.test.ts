import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AssembledKmod, assembleKmod } from '../src/elf/test/assemble-kmod.ts'
import { firmwright, folderWith, temporaryFolder } from './firmwright.ts'

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

  it('of a module that the kernel was built without says which symbol it takes', async () => {
    const source = folderWith({
      'linux/Makefile': 'VERSION = 6\nPATCHLEVEL = 1\n',
      'linux/Kconfig': 'config HOT\n\ttristate "hot"\n',
      'linux/Kbuild': 'obj-$(CONFIG_HOT) += drivers-hot.o\n',
      'linux/arch/arm64/Makefile': '',
      config: '# Linux/arm64 6.1.7 Kernel Configuration\n# CONFIG_HOT is not set\n',
    })
    const options = ['--srctree', join(source, 'linux'), '--config', join(source, 'config')]
    const { exitCode, stderr } = await kmod('plan', 'drivers_hot', ...options)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('the source has it as drivers-hot.ko, which takes HOT=m; this kernel has HOT=n')
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
    ])
  })

  describe('with the source of the kernel', () => {
    const table = (name: string): string =>
      `static const struct of_device_id t[] = { { .compatible = "${name}" }, {} };\nMODULE_DEVICE_TABLE(of, t);\n`
    const files: Readonly<Record<string, string>> = {
      Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n',
      Kconfig: 'config UART\n\tbool "uart"\nconfig HOT\n\ttristate "hot"\n',
      Kbuild: 'obj-$(CONFIG_UART) += uart.o\nobj-$(CONFIG_HOT) += hot.o\n',
      'arch/arm64/Makefile': '',
      'uart.c': table('v,uart'),
      'hot.c': table('v,hot'),
    }
    const board = `/dts-v1/; / { compatible = "v,board";
      uart@1 { reg = <1>; compatible = "v,uart"; }; hot { compatible = "v,hot"; }; odd { compatible = "v,odd"; }; };`
    let paths: Readonly<Record<'linux' | 'dtb' | 'config' | 'other', string>>
    beforeAll(() => {
      paths = {
        linux: join(folder, 'linux'),
        dtb: join(folder, 'board.dtb'),
        config: join(folder, 'config'),
        other: join(folder, 'other'),
      }
      mkdirSync(join(paths.linux, 'arch/arm64'), { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(join(paths.linux, name), text)
      writeFileSync(paths.config, '# Linux/arm64 6.1.7 Kernel Configuration\nCONFIG_UART=y\n')
      writeFileSync(paths.other, '# Linux/arm64 6.12.1 Kernel Configuration\nCONFIG_UART=y\n')
      execFileSync('dtc', ['-q', '-O', 'dtb', '-o', paths.dtb], { input: board })
    })

    it('says what is built in, which symbol would give a driver, and when nothing would', async () => {
      const { dtb, linux, config } = paths
      const unknown = await kmod('match', '--dtb', dtb)
      expect(unknown.stdout).toContain('/uart@1: unknown: no module for v,uart; a driver may be built in')
      const { stdout, exitCode } = await kmod('match', '--dtb', dtb, '--srctree', linux, '--config', config)
      expect(exitCode).toBe(0)
      expect(stdout.split('\n')).toEqual([
        '/uart@1: built in (uart.c)',
        '/hot: no driver in this kernel; HOT=y|m would give one (hot.c)',
        '/odd: none: nothing that is built in, and no driver of its source, knows v,odd',
        '3 devices, 3 without a module: 1 have a driver that is built in, 1 one that is off',
      ])
    })

    it('refuses a source of another version, and one without its configuration', async () => {
      const { dtb, linux, other } = paths
      const { stderr, exitCode } = await kmod('match', '--dtb', dtb, '--srctree', linux, '--config', other)
      expect(exitCode).toBe(1)
      expect(stderr).toContain('it is of Linux 6.1, and the kernel of Linux 6.12')
      expect((await kmod('match', '--dtb', dtb, '--srctree', linux)).stderr).toContain(
        `the configuration of the kernel of ${tree} is not known`,
      )
    })
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
