import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { firmwright, folderWith } from './firmwright.ts'

const tree = {
  Kconfig: `mainmenu "Tiny"
config MODULES
	bool "modules"
	modules
config NET
	bool "network"
config TUN
	tristate "tunnels"
	depends on NET
config WORD
	int "bits"
	default 64 if "$(ARCH)" = "x86_64"
	default 32
config LAST
	bool "last"
	depends on WORD > 32
config BIG_ENDIAN
	bool "big endian"
	default y
config DEBUG
	bool "debugging"
	default y
source "arch/$(SRCARCH)/Kconfig"
`,
  'arch/arm64/Kconfig': '',
  'arch/mips/Kconfig': 'config FIRMWARE\n\tbool "firmware"\n',
  'arch/powerpc/Kconfig': '',
  'arch/x86/Kconfig': '',
  'arch/x86/configs/x86_64_defconfig': 'CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_TUN=m\n',
  'arch/powerpc/Makefile': 'ppc64le_defconfig:\n\t$(call merge_into_defconfig,ppc64_defconfig,le)\n',
  'arch/powerpc/configs/ppc64_defconfig': 'CONFIG_NET=y\nCONFIG_BIG_ENDIAN=y\n',
  'arch/powerpc/configs/le.config': '# CONFIG_BIG_ENDIAN is not set\n',
  'kernel/configs/tiny-base.config': 'CONFIG_NET=y\n',
  'kernel/configs/tiny.config': '# CONFIG_DEBUG is not set\n',
  'kernel/configs/tunnels.config': 'CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_TUN=m\n',
  'old.config': 'CONFIG_NET=y\nCONFIG_GONE=y\nCONFIG_LAST=y\nCONFIG_TUN=m\n',
}
const heading = '#\n# Automatically generated file; DO NOT EDIT.\n# Tiny\n#\n'

describe('firmwright kconfig', () => {
  const cwd = folderWith(tree)
  const kconfig = (words: string, input?: string) => {
    const [command = '', ...rest] = words.split(' ')
    const args = ['kconfig', command, '--srctree', cwd, ...rest]
    return firmwright(args, input === undefined ? { cwd } : { cwd, input })
  }
  const wrote = (name: string) => readFileSync(join(cwd, name), 'utf8')

  it.each([
    ['allnoconfig', ['# CONFIG_NET is not set', 'CONFIG_WORD=32']],
    ['allyesconfig', ['CONFIG_TUN=y']],
    ['allmodconfig', ['CONFIG_TUN=m']],
    ['alldefconfig', ['CONFIG_DEBUG=y', '# CONFIG_NET is not set']],
    ['tinyconfig', ['CONFIG_NET=y', '# CONFIG_DEBUG is not set']],
    ['allnoconfig --fragment tunnels.config', ['CONFIG_TUN=m']],
    ['randconfig --seed 7', ['CONFIG_WORD=32']],
  ])('%s', async (words, lines) => {
    const { exitCode, stdout } = await kconfig(`${words} --arch arm64`)
    expect(exitCode).toBe(0)
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(lines))
  })
  it('passes over what cannot be looked into in PATH, as a shell does', async () => {
    const env = { PATH: `/etc/passwd:${process.env.PATH}` }
    const { exitCode, stderr } = await firmwright(
      ['kconfig', 'allnoconfig', '--srctree', cwd, '--arch', 'arm64'],
      {
        cwd,
        env,
      },
    )
    expect(exitCode, stderr).toBe(0)
  })
  it('gives the same for the same seed, and refuses one that is no number', async () => {
    const [one, two] = [await kconfig('randconfig --seed 7'), await kconfig('randconfig --seed 7')]
    expect(one.stdout).toBe(two.stdout)
    expect((await kconfig('randconfig --seed many')).exitCode).toBe(2)
  })
  it('takes what make takes for ARCH, and finds defconfigs by name', async () => {
    const { stdout } = await kconfig('defconfig --arch x86_64 x86_64_defconfig')
    expect(stdout).toContain(heading.trimEnd())
    expect(stdout).toContain('CONFIG_TUN=m\nCONFIG_WORD=64\n')
  })
  it('puts defconfigs together that are no files', async () => {
    const { stdout } = await kconfig('defconfig --arch powerpc ppc64le_defconfig')
    expect(stdout).toContain('CONFIG_NET=y\n')
    expect(stdout).toContain('# CONFIG_BIG_ENDIAN is not set\n')
  })
  it('says which defconfig it cannot find', async () => {
    const { exitCode, stderr } = await kconfig('defconfig --arch powerpc ppc_defconfig')
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: 'cannot find the configuration ppc_defconfig',
    })
  })
  it('shortens a configuration to what differs from the defaults', async () => {
    await kconfig('defconfig --arch x86_64 x86_64_defconfig -o full.config')
    const { stdout } = await kconfig('savedefconfig --arch x86_64 full.config')
    expect(stdout).toBe('CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_TUN=m')
  })
  it('completes a configuration with fragments over it, and reports what became of the old values', async () => {
    const words = 'olddefconfig --arch arm64 --config old.config --report -o new.config'
    const { stdout } = await kconfig(words)
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'changed  TUN: m -> y',
        'gone     GONE=y: no entry of this tree defines it',
        'lost     LAST=y: WORD [=32]>32',
        'new      DEBUG=y',
        'new      MODULES=n',
      ]),
    )
    expect(wrote('new.config')).toContain('CONFIG_TUN=y\n')
    await kconfig('olddefconfig --config old.config --fragment tunnels.config -o new.config')
    expect(wrote('new.config')).toContain('CONFIG_TUN=m\n')
  })
  it('lists what is new, and asks about it', async () => {
    const { stdout } = await kconfig('listnewconfig --config old.config')
    expect(stdout).toBe('CONFIG_MODULES=n\nCONFIG_WORD=32\nCONFIG_BIG_ENDIAN=y\nCONFIG_DEBUG=y')
    const help = await kconfig('helpnewconfig --config old.config')
    expect(help.stdout).toContain('Symbol: WORD [=32]')
    const asked = await kconfig('oldconfig --config old.config -o asked.config', 'y\n16\n\nn\n')
    expect(asked.stdout).toContain('bits (WORD) [32] (NEW) 16')
    expect(wrote('asked.config')).toContain('CONFIG_WORD=16\n')
    expect(wrote('asked.config')).toContain('# CONFIG_DEBUG is not set\n')
    const all = await kconfig('oldaskconfig --config asked.config', 'n\nn\n\n\n\n\n\n')
    expect(all.exitCode).toBe(0)
    expect(wrote('asked.config')).toContain('# CONFIG_NET is not set\n')
  })
  it('writes nothing when nobody answers', async () => {
    const { exitCode, stderr } = await kconfig('oldconfig --config old.config -o ended.config', '')
    expect(stderr).toContain('the answers ended before the questions did; nothing was written')
    expect(exitCode).toBe(1)
    expect(() => wrote('ended.config')).toThrow()
  })
  it('resolves: with reasons, as lines to paste, as JSON, and with alternatives', async () => {
    const words = 'resolve --arch arm64 TUN=m'
    const { stdout, exitCode } = await kconfig(words)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('CONFIG_NET=y\n    TUN depends on NET (Kconfig:')
    expect(stdout).toContain('2 symbols added: none can be left out, and no answer adds fewer')
    const pasted = await kconfig(`${words} --fragment`)
    expect(pasted.stdout.split('\n').sort()).toEqual(['CONFIG_MODULES=y', 'CONFIG_NET=y', 'CONFIG_TUN=m'])
    const { ok, fewest, alternatives } = JSON.parse(
      (await kconfig(`${words} --json --alternatives 3`)).stdout,
    )
    expect({ ok, fewest, alternatives }).toEqual({ ok: true, fewest: true, alternatives: [] })
    const refused = await kconfig('resolve --arch arm64 NET=n TUN=m')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('TUN=m needs NET (Kconfig:')
  })
  it('names near symbols, and the architectures of one that is not there', async () => {
    const near = await kconfig('explain --arch arm64 DEBUGG')
    expect(near).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('near names: DEBUG') })
    const elsewhere = await kconfig('explain --arch arm64 FIRMWARE')
    expect(elsewhere.stderr).toContain('FIRMWARE is defined for mips')
    const { architectures } = JSON.parse((await kconfig('explain --arch arm64 --json FIRMWARE')).stdout)
    expect(architectures).toEqual(['mips'])
  })
  it('says what differs between two configurations', async () => {
    await kconfig('olddefconfig --config old.config -o one.config')
    await kconfig('olddefconfig --config old.config --fragment tunnels.config -o two.config')
    const { stdout } = await firmwright(['kconfig', 'diff', 'one.config', 'two.config'], { cwd })
    expect(stdout).toBe(' CONFIG_MODULES: n -> y\n CONFIG_TUN: y -> m')
  })
})
