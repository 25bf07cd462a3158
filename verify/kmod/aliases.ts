import { type KmodSource, lookUp } from '../../src/kmod/index.ts'
import type { Random } from '../../test/seeded-random.ts'
import { forEach, type Modprobe } from './modprobe.ts'

const characters = 'abcxyzABCXYZ0123456789:,._-'

/** A string that a pattern stands for: every `*`, `?` and `[…]` filled in. */
export function concreteAlias(pattern: string, random: Random): string {
  const any = (): string => characters.charAt(random(characters.length))
  return pattern.replaceAll(/\*|\?|\[([^\]]*)\]/g, (special, set: string | undefined) => {
    if (special === '*') return Array.from({ length: random(5) }, any).join('')
    return special === '?' || set === undefined ? any() : oneOf(set, random)
  })
}

/** One character of what stands between brackets: `0-9a-f`. */
function oneOf(set: string, random: Random): string {
  const choices: string[] = []
  for (let at = 0; at < set.length; at++) {
    const last = set[at + 1] === '-' && at + 2 < set.length ? at + 2 : at
    for (let code = set.charCodeAt(at); code <= set.charCodeAt(last); code++) {
      choices.push(String.fromCharCode(code))
    }
    at = last
  }
  return choices[random(choices.length)] ?? ''
}

/** The same with one character changed, left out or doubled: mostly nobody answers to it. */
export function nearMiss(alias: string, random: Random): string {
  const at = random(alias.length)
  const instead = ['', characters.charAt(random(characters.length)), alias.charAt(at).repeat(2)][random(3)]
  return alias.slice(0, at) + instead + alias.slice(at + 1)
}

/** All patterns of a kernel, those of what is built in included. */
export async function aliasPatterns(source: KmodSource): Promise<readonly string[]> {
  const patterns = new Set<string>()
  for (const name of source.names.keys()) {
    const kmod = await source.load(name)
    if (kmod.ok) for (const alias of kmod.value.aliases) patterns.add(alias)
  }
  for (const { aliases } of source.builtinKmods.values()) for (const alias of aliases) patterns.add(alias)
  return [...patterns].sort()
}

/** Aliases to which others answer here than with modprobe. */
export async function compareAliases(
  source: KmodSource,
  modprobe: Modprobe,
  aliases: readonly string[],
): Promise<readonly string[]> {
  const different: string[] = []
  await forEach(aliases, async (alias) => {
    const theirs = await modprobe.resolve(alias)
    const found = await lookUp(source, alias)
    const ours = found.ok ? [...found.value].sort() : [found.error.message]
    if (ours.join() !== theirs.join()) different.push(`${alias}: ${ours.join()} instead of ${theirs.join()}`)
  })
  return different.sort()
}
