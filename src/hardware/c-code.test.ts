import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { readCCode, type SymbolValue } from './c-code.ts'

const config: Readonly<Record<string, SymbolValue>> = { YES: 'y', MODULAR: 'm', NO: 'n' }
const source = `/* a comment with "quotes" and
 #if 0 */
int first; // another "one
#ifdef CONFIG_YES
int yes;
#else
int not_yes;
#endif
#ifndef CONFIG_NO
int not_no;
#endif
#if defined(CONFIG_MODULAR)
int modular;
#elif defined CONFIG_MODULAR_MODULE && \\
	!defined(CONFIG_NO)
int modular_module; char *text = "/* no comment */ // nor this";
#elif defined(CONFIG_YES)
int never;
#else
int nor_this;
#endif
#if IS_ENABLED(CONFIG_MODULAR) && !(IS_BUILTIN(CONFIG_MODULAR) || IS_MODULE(CONFIG_YES))
int enabled;
#endif
#if IS_REACHABLE(CONFIG_MODULAR)
int reachable;
#endif
#ifdef MODULE
int as_module;
#endif
#if 0
#if 1
int nested;
#else
int other_nested;
#endif
#elif 1
int elif;
#endif
#define OURS
#ifdef OURS
int ours;
#endif
`

it.each([true, false])('what is compiled is what cpp leaves (MODULE: %s)', (asModule) => {
  const ours = readCCode(source, { symbol: (name) => config[name] ?? 'n', asModule }).text
  const header = '#define CONFIG_YES 1\n#define CONFIG_MODULAR_MODULE 1\n'
  // What include/linux/kconfig.h makes of them, which takes a compiler's tricks.
  const judged = source.replaceAll(/IS_(\w+)\(CONFIG_(\w+)\)/g, (_, macro: string, name: string) => {
    const value = config[name]
    const counts = { ENABLED: 'ym', BUILTIN: 'y', MODULE: 'm', REACHABLE: asModule ? 'ym' : 'y' }[macro] ?? ''
    return value !== undefined && counts.includes(value) ? '1' : '0'
  })
  const theirs = execFileSync('cpp', ['-P', ...(asModule ? ['-DMODULE'] : [])], {
    input: `${header}${judged}`,
    encoding: 'utf8',
  })
  const tokens = (text: string) => text.split(/\s+/).filter((token) => token !== '')
  expect(tokens(ours)).toEqual(tokens(theirs))
})

it('lines under a condition of which nothing is known are kept, on both of its sides', () => {
  const text =
    '#if LINUX > 3\nint a;\n#else\nint b;\n#endif\n#ifdef CONFIG_X\nint c;\n#endif\n#if 1 +\nint d;\n#endif'
  expect(readCCode(text, {}).text.match(/[abcd](?=;)/g)).toEqual(['a', 'b', 'c', 'd'])
})

it.each([
  '#else\n#endif\n#endif\n#elif\nint x;',
  '#if (((\nint x;',
  '#define\n#if defined(\nint x;',
  '#if !\nint x;\n#if',
])('damaged conditions are no reason to stop: %j', (text) =>
  expect(readCCode(text, {}).text).toContain('int x;'),
)
