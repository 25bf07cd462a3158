import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Condition, holds } from './condition.ts'
import { askMake, type Config, configsOf, fixed, kbuildOf } from './test/make.ts'

const objects = (listed: readonly { path: string; when: Condition }[], config: Config): readonly string[] =>
  [
    ...new Set(
      listed.filter(({ when }) => holds(when, (name) => config[name] ?? 'n')).map(({ path }) => path),
    ),
  ].sort()

/** Reads the Makefile for all configurations at once and for each alone, and holds both against GNU make. */
function expectAsMake(makefile: string, configs: readonly Config[]): void {
  const open = kbuildOf({ Kbuild: makefile }).directories.get('')
  for (const config of configs) {
    const judge = askMake(makefile, config)
    const isObject = (name: string): boolean => name.endsWith('.o')
    // what is in obj-y is no module, see scripts/Makefile.lib
    const modules = judge.m.filter((name) => !judge.y.includes(name))
    const expected = { y: judge.y.filter(isObject), m: modules.filter(isObject) }
    const alone = kbuildOf({ Kbuild: makefile }, fixed(config)).directories.get('')
    for (const directory of [open, alone])
      expect(
        { y: objects(directory?.builtin ?? [], config), m: objects(directory?.modules ?? [], config) },
        `${JSON.stringify(config)}\n${makefile}`,
      ).toEqual(expected)
  }
}

const cases: Readonly<Record<string, string>> = {
  'plain lists':
    'obj-$(CONFIG_A) += a.o b.o\nobj-y += c.o\nobj-$(CONFIG_B) += \\\n\td.o \\\n\te.o # and no more\nobj-m := $(obj-m) f.o',
  'symbols put together':
    'obj-$(CONFIG_A)$(CONFIG_B) += both.o\nobj-$(subst m,y,$(CONFIG_A)) += builtin.o\nobj-$(subst y,$(CONFIG_A),$(CONFIG_B)) += lower.o',
  'ifdef and else':
    'ifdef CONFIG_A\nobj-y += a.o\nelse ifdef CONFIG_B\nobj-y += b.o\nelse\nobj-m += neither.o\nendif\nifndef CONFIG_B\nobj-m += nob.o\nendif',
  'ifeq in its spellings':
    'ifeq ($(CONFIG_A),y)\nobj-y += a.o\nendif\nifneq ($(CONFIG_A)$(CONFIG_B),)\nobj-m += ab.o\nendif\nifeq "$(CONFIG_B)" "m"\nobj-y += b.o\nelse ifeq (\'$(CONFIG_B)\',\'y\')\nobj-m += by.o\nendif\nifeq (${CONFIG_A},$(CONFIG_B))\nobj-y += same.o\nendif',
  'lists in variables, late and early':
    'list = $(later) early.o\nnow := $(later) now.o\nlater := later.o\nobj-$(CONFIG_A) += $(list)\nobj-$(CONFIG_B) := $(now)',
  'a variable set by symbols':
    'name-$(CONFIG_A) := one\nname-$(CONFIG_B) := two\nobj-y += $(name-y).o $(name-m).o\nname-y += three\nobj-m += $(addsuffix .o,$(name-y))',
  'defaults that are there or not':
    'ifdef CONFIG_A\nx := a.o\nendif\nx ?= otherwise.o\nobj-y += $(x)\nundefine x\nx ?= again.o\nobj-m += $(x)',
  filters:
    'all := a.o b.o c.o\nskip-$(CONFIG_A) := a.o\nobj-y += $(filter-out $(skip-y),$(all))\nobj-m += $(filter $(skip-y) $(skip-m) %c.o,$(all))',
  patterns:
    'objs := x.c y.c z.o\nobj-$(CONFIG_A) += $(objs:.c=.o)\nobj-m += $(patsubst %.c,m-%.o,$(objs)) $(objs:y.%=q.%)',
  'if, or, and':
    'obj-y += $(if $(CONFIG_A),a.o,b.o) $(or $(CONFIG_B),none).o\nobj-m += $(and $(CONFIG_A),$(CONFIG_B),both.o)',
  'names and places in a list':
    'l-$(CONFIG_A) := one.o\nl-y += two.o three.o\nobj-y += $(firstword $(l-y)) w$(words $(l-y)).o\nobj-m += $(lastword $(l-y)) $(word 2,$(l-y)) $(addprefix m,$(wordlist 2,3,$(l-y)))',
  'paths and affixes':
    'obj-y += $(addprefix p-,a.o $(CONFIG_A).o) $(notdir x/y/n.o) $(dir q/r)f.o $(basename b.o.c) s$(suffix t.o) $(join j k,.o l.o)',
  'loops and functions of their own':
    'twice = $(1)-$(2).o $(2)-$(1).o\nobj-m += $(call twice,a,$(CONFIG_A))\nobj-y += $(foreach x,p q,$(x)$(CONFIG_B).o)',
  'define and eval':
    'define rule\nobj-$(2) += $(1).o\nendef\n$(eval $(call rule,a,$(CONFIG_A)))\n$(foreach each,b c,$(eval obj-$(CONFIG_B) += $(each).o))',
  'finding, sorting, stripping':
    'obj-y += $(sort b.o a.o b.o) $(if $(findstring m,$(CONFIG_A)),found.o)\nifeq ($(strip  $(CONFIG_A)  ),y)\nobj-m += strip.o\nendif',
  'rules and recipes in between':
    'obj-$(CONFIG_A) += a.o\n$(obj)/x.h: $(src)/x.in FORCE\n\tobj-y := no\nifdef CONFIG_B\n\techo\nendif\ny.o: flags := z\nobj-y += b.o\n\tobj-y += tab.o',
  'dollars, comments and continued lines':
    'obj-y += a.o#comment\nx := \\#\nobj-y += b$(words $(x)).o \\\n  c.o\nobj-y += $$d.o\ny = $(subst $$,,$$e.o)\nobj-m += $(y)',
  'origin and flavor':
    'ifeq ($(origin CONFIG_A),undefined)\nobj-y += unset.o\nendif\nx := 1\ny = 1\nobj-y += $(flavor x).o $(flavor y).o $(flavor z).o',
}

describe('a Makefile says what GNU make says of it', () => {
  for (const [name, makefile] of Object.entries(cases))
    it(name, () => expectAsMake(makefile, configsOf(['A', 'B'])))

  it('made up at random', () => {
    const symbol = fc.constantFrom('A', 'B', 'C').map((name) => `$(CONFIG_${name})`)
    const word = fc.constantFrom('a.o', 'b.o', 'c.o', 'd.o')
    const variable = fc.constantFrom('u', 'v', 'w-y', 'w-m')
    const value = fc.oneof(
      word,
      variable.map((name) => `$(${name})`),
      fc.tuple(word, word).map((words) => words.join(' ')),
      fc.tuple(symbol, word, word).map(([a, b, c]) => `$(if ${a},${b},${c})`),
      fc.tuple(word, variable).map(([a, b]) => `$(filter-out ${a},$(${b}))`),
      fc.tuple(symbol, variable).map(([a, b]) => `$(addprefix x${a},$(${b}))`),
    )
    const target = fc.oneof(
      variable,
      symbol.map((each) => `w-${each}`),
      symbol.map((each) => `obj-${each}`),
      fc.constantFrom('obj-y', 'obj-m'),
    )
    // a variable that holds itself late is an error, in make and here
    const assignment = fc
      .tuple(target, fc.constantFrom(':=', '+=', '?='), value)
      .map(([name, operator, text]) =>
        operator === '+=' || operator === ':=' ? `${name} ${operator} ${text}` : `${name} ?= d.o`,
      )
    const test = fc.oneof(
      symbol.map((each) => `ifdef ${each.slice(2, -1)}`),
      fc.tuple(symbol, fc.constantFrom('y', 'm', '')).map(([a, b]) => `ifeq (${a},${b})`),
      variable.map((each) => `ifneq ($(${each}),)`),
    )
    const block = fc.letrec<{ lines: readonly string[] }>((tie) => ({
      lines: fc.array(
        fc.oneof(
          { maxDepth: 2 },
          assignment,
          fc
            .tuple(test, tie('lines'), tie('lines'))
            .map(([head, yes, no]) => [head, ...yes, 'else', ...no, 'endif'].join('\n')),
        ),
        { maxLength: 6 },
      ),
    })).lines
    const start = 'u :=\nv :=\nw-y :=\nw-m :=\n'
    fc.assert(
      fc.property(block, fc.constantFrom(...configsOf(['A', 'B', 'C'])), (lines, config) =>
        expectAsMake(start + lines.join('\n'), [config]),
      ),
      { numRuns: 200 },
    )
  })
})
