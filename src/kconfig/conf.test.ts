import { describe, expect, it } from 'vitest'
import { type ConfHost, parseSeed, runConf } from './conf.ts'
import { linux61, linux612 } from './dialect.ts'
import { readTree } from './test-tree.ts'

const tree = `config MODULES
	bool "modules"
	modules
	default y
config A
	tristate "first"
config B
	int "number"
	depends on A
	range 1 9
	default 3
menu "inner"
config C
	bool "inner one"
	default y
endmenu
`

async function run(
  args: string[],
  options: { config?: string; keys?: string; env?: Record<string, string>; dialect?: typeof linux61 } = {},
) {
  const lines = (options.keys ?? '').split(/(?<=\n)/).filter((line) => line !== '')
  const files = new Map<string, string>()
  if (options.config !== undefined) files.set('.config', options.config)
  let out = ''
  let err = ''
  const host: ConfHost = {
    environment: (name) => options.env?.[name],
    open: async () => readTree(tree, options.dialect ?? linux612),
    readFile: (name) => files.get(name),
    writeFile: (name, content) => files.set(name, content),
    keepOld: (name, old) => files.set(old, files.get(name) ?? ''),
    write: (text) => {
      out += text
    },
    writeError: (text) => {
      err += text
    },
    readLine: () => lines.shift(),
    isTerminal: false,
  }
  const status = await runConf([...args, 'Kconfig'], host)
  return { status, out, err, config: files.get('.config'), files }
}

describe('conf', () => {
  it('asks, takes answers, and asks again what a new answer brings up', async () => {
    const { out, config } = await run(['--oldconfig'], { config: 'CONFIG_MODULES=y\n', keys: 'm\n20\n5\n\n' })
    expect(out).toContain('first (A) [N/m/y/?] (NEW) m\n')
    expect(out).toContain('number (B) [3] (NEW) 20\n')
    expect(out).toContain('inner one (C) [Y/n/?] (NEW) \n')
    expect(config).toContain('CONFIG_A=m\nCONFIG_B=5\n')
  })
  it('prints help for a question mark', async () => {
    const { out } = await run(['--oldaskconfig'], { keys: '\n?\n\n\n' })
    expect(out).toContain('Symbol: A [=n]\nType  : tristate\nDefined at Kconfig:5\n  Prompt: first\n')
  })
  it('ends when the answers end', async () => {
    const { err } = await run(['--oldconfig'], { config: '' })
    expect(err).toContain('Error in reading or end of file.')
  })
  it('keeps the old file and tells when nothing changed', async () => {
    const first = await run(['--olddefconfig'], { config: 'CONFIG_A=y\n' })
    expect(first.files.get('.config.old')).toBe('CONFIG_A=y\n')
    const again = await run(['--olddefconfig'], { config: first.config ?? '' })
    expect(again.out).toBe('#\n# No change to .config\n#\n')
  })
  it('lists what is new', async () => {
    expect((await run(['--listnewconfig'], { config: 'CONFIG_MODULES=y\n' })).out).toBe(
      'CONFIG_A=n\nCONFIG_C=y\n',
    )
  })
  it('writes what a build includes', async () => {
    const { files } = await run(['--alldefconfig'], { dialect: linux61 })
    expect(files.get('include/generated/autoconf.h')).toContain('#define CONFIG_MODULES 1\n')
    expect(files.get('include/config/auto.conf')).toContain('CONFIG_C=y\n')
  })
  it('refuses a seed that is none', async () => {
    expect(await run(['--randconfig'], { env: { KCONFIG_SEED: '12monkeys' } })).toMatchObject({ status: 1 })
    expect([parseSeed('0x1f'), parseSeed('017'), parseSeed('-1'), parseSeed('08')]).toEqual([
      31,
      15,
      0xffffffff,
      undefined,
    ])
  })
})
