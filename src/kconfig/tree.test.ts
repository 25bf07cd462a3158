import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeConfig } from './config-file.ts'
import { createConfiguration } from './configuration.ts'
import { type Dialect, linux61, linux612 } from './dialect.ts'
import { answerAll } from './modes.ts'
import { configured, readTree, treeOf } from './test-tree.ts'
import { parseKconfig } from './tree.ts'

const modules = 'config MODULES\n\tbool "modules"\n\tmodules\n\tdefault y\n'
const messagesOf = (text: string, dialect = linux612) => readTree(text, dialect).messages

describe('reading a tree', () => {
  it('expands macros in words, strings and conditions', () => {
    const result = readTree(
      'greet = hello $(1)\nNAME := A_$(ARCH)\nconfig $(NAME)\n\tbool "$(greet,world) in $(filename):$(lineno)"\n',
      linux612,
      { ARCH: 'x' },
    )
    expect(result.ok && result.value.byName.get('A_x')?.nodes[0]?.prompt?.text).toBe(
      'hello world in Kconfig:4',
    )
    expect(result.ok && [...result.value.environment]).toEqual([['ARCH', 'x']])
  })

  it('lists the commands it needs and never one that depends on another', () => {
    const tree = 'a := $(shell,first)\nb := $(shell,second $(a))\nc := $(shell,third)\n'
    const asked = (known: Record<string, string>) => {
      const result = readTreeWith(tree, known)
      return result.ok || result.error.type !== 'unanswered' ? [] : result.error.commands
    }
    expect(asked({})).toEqual(['first', 'third'])
    expect(asked({ first: '1', third: '3' })).toEqual(['second 1'])
    expect(asked({ first: '1', third: '3', 'second 1': '2' })).toEqual([])
  })

  it('says where a statement is unknown, and goes on to the next line', () => {
    expect(messagesOf('wat is this\nconfig A\n\tbool\n\tnonsense\n', linux612)).toEqual([
      'Kconfig:1: syntax error',
      'Kconfig:1: unknown statement "wat"',
      'Kconfig:4: syntax error',
      'Kconfig:4: unknown statement "nonsense"',
    ])
  })

  it('names the block that is not closed', () => {
    expect(messagesOf('menu "m"\nconfig A\n\tbool\n').at(-1)).toBe(
      'Kconfig:1: missing end statement for this entry',
    )
  })

  it('tells of a file that includes itself by way of another', () => {
    const files = { Kconfig: 'source "a"\n', a: '\nsource "Kconfig"\n' }
    const result = readTree(files)
    expect(!result.ok && result.error.message).toBe(
      'Recursive inclusion detected.\nInclusion path:\n  current file : Kconfig\n' +
        '  included from: a:2\n  included from: Kconfig:1',
    )
  })

  it('warns of what the kernel warns of', () => {
    const text = 'config A\n\tint "a"\n\tdefault x\n\tbool\nconfig B\n'
    expect(messagesOf(text, linux61)).toEqual([
      "Kconfig:1:warning: ignoring type redefinition of 'A' from 'integer' to 'bool'",
      "Kconfig:3:warning: 'A': number is invalid",
      'Kconfig:5:warning: config symbol defined without type',
    ])
  })

  it('refuses symbols that depend on themselves', () => {
    const result = readTree(
      'config A\n\tbool "a"\n\tdepends on B\nconfig B\n\tbool "b"\n\tdepends on A\n',
      linux612,
    )
    expect(!result.ok && result.error.message).toContain('error: recursive dependency detected!')
    expect(!result.ok && result.error.message).toContain('symbol A depends on B')
  })
})

describe('dialects', () => {
  const old = { ...linux61, wideWords: true, boundsAsSpelled: false }
  const uboot: Dialect = {
    ...old,
    dependencies: 'direct, imply to y',
    layout: 'no ends',
    escapesStrings: false,
  }
  const busybox: Dialect = { ...old, dependencies: 'none', answers: 'in turn', layout: 'all symbols' }
  const optional = `${modules}choice\n\tprompt "c"\n\toptional\nconfig A\n\tbool "a"\nendchoice\n`
  it('knows optional choices before 6.9 and calls them a mistake later', () => {
    expect(readTree(optional, linux61).ok).toBe(true)
    expect(readTree(optional, linux612).ok).toBe(false)
  })
  it('takes values from the environment the older way', () => {
    const older = { ...linux61, optionLines: true }
    const result = readTree('config A\n\tstring\n\toption env="ARCH"\n', older, { ARCH: 'x' })
    const symbol = result.ok ? result.value.byName.get('A') : undefined
    expect(result.ok && symbol && configured(result.value).text(symbol)).toBe('x')
  })
  it('reads the dialect of busybox: bare texts, old names of keywords, every symbol written', () => {
    const text =
      'mainmenu Things\nconfig A\n\tboolean first\n\tdefault y\nconfig B\n\tint second\n\trequires !A\nsource lib/Config.in\n'
    const files = {
      Kconfig: text,
      'lib/Config.in': 'config C\n\tbool "third"\n\tenable D\nconfig D\n\tbool\n',
    }
    const result = readTree(files, busybox, { KERNELVERSION: '1.35.0' })
    if (!result.ok) throw new Error(result.error.message)
    const configuration = createConfiguration(result.value)
    answerAll(configuration, 'yes')
    expect(writeConfig(configuration)).toBe(
      "#\n# Automatically generated make config: don't edit\n# Busybox version: 1.35.0\n#\n" +
        'CONFIG_A=y\nCONFIG_B=0\nCONFIG_C=y\nCONFIG_D=y\n',
    )
  })
  it('reads the dialect of U-Boot: strings as they are, numbers in place of bounds, no ends of menus', () => {
    const text =
      'menu m\nconfig A\n\tstring "a"\n\tdefault "\\\\n"\nconfig B\n\thex "b"\n\trange 0x010 0x20\n\tdefault 0\nendmenu\n'
    expect(writeConfig(configured(treeOf(text, uboot)))).toContain('\nCONFIG_A="\\n"\nCONFIG_B=0x10\n')
    expect(writeConfig(configured(treeOf(text, uboot)))).not.toContain('end of')
  })
  it('gives a number without a default no value, or nought', () => {
    const text = 'config A\n\tint "a"\nconfig B\n\thex "b"\n'
    expect(writeConfig(configured(treeOf(text, linux61)))).toContain('CONFIG_A=\nCONFIG_B=\n')
    expect(writeConfig(configured(treeOf(text, linux612)))).toContain('CONFIG_A=0\nCONFIG_B=0x0\n')
  })
})

describe('hostile trees', () => {
  const settled = (text: string) => {
    const result = readTree(text, linux61)
    if (result.ok) writeConfig(configured(result.value))
    else expect(result.error.message).toMatch(/:\d+: |file/)
    return result.ok
  }
  it('ends macros that call themselves or double themselves', () => {
    expect(settled('a = $(a)\nb := $(a)\n')).toBe(false)
    const bomb = Array.from({ length: 40 }, (_, i) => `a${i + 1} = $(a${i})$(a${i})\n`).join('')
    expect(settled(`a0 = x\n${bomb}config A\n\tbool "$(a40)"\n`)).toBe(false)
    expect(settled(`f = $(f,$(1)$(1))\nx := $(f,y)\n`)).toBe(false)
  })
  it('ends parentheses, blocks and operands without end', () => {
    expect(settled(`config A\n\tbool\n\tdepends on ${'('.repeat(100_000)}\n`)).toBe(false)
    expect(settled('if A\n'.repeat(5000))).toBe(false)
    expect(settled(`config A\n\tbool "a"\n\tdepends on ${'B && '.repeat(20_000)}C\n`)).toBe(false)
    expect(settled(`config A\n\tbool "a"\n${'\tdepends on B\n\tdepends on !C\n'.repeat(5000)}`)).toBe(false)
  })
  it('calculates chains of any length', () => {
    const chain = Array.from(
      { length: 20_000 },
      (_, i) => `config A${i}\n\tbool\n\tdefault A${i + 1}\n`,
    ).join('')
    const tree = treeOf(`${chain}config A20000\n\tdef_bool y\n`, linux61)
    expect(writeConfig(configured(tree))).toContain('CONFIG_A0=y')
  })
  it('never throws, whatever the bytes', () => {
    const words = fc.constantFrom(
      ...'config|menu|endmenu|if|endif|choice|endchoice|bool|tristate|int|default|depends on|select|A|B|y|m|"x"|&&|(|)|=|!|$(A)|$(shell,x)|help|\n|\n\t|\t|range|1|source "Kconfig"|:=|comment|visible if|\\'.split(
        '|',
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ maxLength: 4 })), { maxLength: 60 }), (parts) => {
        settled(parts.join(' '))
      }),
      { numRuns: 2000 },
    )
  })
})

function readTreeWith(text: string, known: Record<string, string>) {
  return parseKconfig({
    top: 'Kconfig',
    dialect: linux612,
    readFile: (name) => (name === 'Kconfig' ? text : undefined),
    environment: () => undefined,
    shell: (command) => known[command],
  })
}
