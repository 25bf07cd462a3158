/** Kconfig files as nobody would write them: real ones with damage, and noise. */
import { createRandom } from '../src/kconfig/index.ts'

/** The tree that a case is: files by name, with `Kconfig` on top. */
export type MutatedTree = ReadonlyMap<string, string>

const fragments = [
  'config A\n\tbool "a"\n\tdepends on A\n',
  'if A\n',
  'endif\n',
  'menu "m"\n',
  'endmenu\n',
  'choice\n\tprompt "c"\n',
  'endchoice\n',
  'source "Kconfig"\n',
  'source "$(SRCARCH)/Kconfig"\n',
  'a = $(a)$(a)\n',
  'b := $(b,$(1)$(1),$(2))\n',
  'x := $(shell,touch /)\n',
  '$(error-if,y,stop)\n',
  '\thelp\n',
  '\tdefault "$(b,$(a),y)" if A = B || !C && (D != y)\n',
  '\tselect A if B\n\timply C\n\trange 0x10 -5\n',
  '\tdepends on (((((((A\n',
  '\\\n',
  '"',
  "'",
  '$(',
  '\0',
  '\xff\xfe',
]

/**
 * @param corpus real files by name
 * @returns one damaged tree for each number, the same for the same number
 */
export function mutatedTree(corpus: readonly (readonly [string, string])[], seed: number): MutatedTree {
  const random = createRandom(seed)
  const below = (limit: number): number => (limit === 0 ? 0 : random() % limit)
  const bytes = (length: number): string =>
    Array.from({ length }, () => String.fromCharCode(below(256))).join('')
  const files = new Map<string, string>()
  const pick = (): readonly [string, string] => corpus[below(corpus.length)] ?? ['Kconfig', '']
  if (below(8) === 0) return files.set('Kconfig', bytes(below(2000)))
  for (let count = 1 + below(3); count > 0; count--) {
    const [name, text] = pick()
    files.set(files.size === 0 ? 'Kconfig' : name, damaged(text))
  }
  return files

  function damaged(text: string): string {
    let lines = text.split('\n').slice(0, 400)
    for (let count = 1 + below(12); count > 0; count--) {
      const at = below(lines.length)
      const line = lines[at] ?? ''
      const place = below(line.length + 1)
      switch (below(9)) {
        case 0:
          lines.splice(at, 1 + below(5))
          break
        case 1:
          lines.splice(below(lines.length), 0, ...lines.slice(at, at + 1 + below(30)))
          break
        case 2:
          lines.splice(at, 0, ...(fragments[below(fragments.length)] ?? '').split('\n'))
          break
        case 3:
          lines[at] = line.slice(0, place) + (fragments[below(fragments.length)] ?? '') + line.slice(place)
          break
        case 4:
          lines[at] = line.slice(0, place) + bytes(1 + below(4)) + line.slice(place)
          break
        case 5:
          lines[at] = line.slice(0, place)
          break
        case 6:
          lines[at] = line.replace(/[A-Z_0-9]{3,}/, pick()[1].match(/[A-Z_0-9]{3,}/)?.[0] ?? 'Y')
          break
        case 7:
          lines[at] = line.split(' ').reverse().join(' ')
          break
        default:
          lines = lines.slice(0, at + 1)
      }
    }
    return lines.join('\n')
  }
}
