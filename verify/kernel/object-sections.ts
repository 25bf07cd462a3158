/**
 * Whether two object files are the same code, as binutils show them: sections with their attributes and content, what
 * relocations refer to, and names that others can see. Left out: debug information, comments, notes about the build, and
 * names of what no other file sees, which a compiler numbers as it likes.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'

const left = /^\.(?:rela?\.)?(?:debug|comment$|note\.GNU-stack$|note\.gnu\.build-id$)/
const tables = /^(?:NULL|SYMTAB|STRTAB|RELA?)$/

/** @param toolPrefix of readelf and objdump */
export function sectionsDigest(path: string, toolPrefix: string): string {
  const text = (program: string, ...args: readonly string[]): string =>
    execFileSync(`${toolPrefix}${program}`, [...args, path], { encoding: 'latin1', maxBuffer: 1 << 28 })
  const listing = text('readelf', '-W', '-S', '-s', '-r')
  const sections = sectionLines(listing)
  const nameOf = (number: string): string => sections.get(number)?.name ?? number
  const symbols = symbolLines(listing, nameOf)
  const hash = createHash('sha256')
  for (const { name, type, rest } of sections.values())
    if (!tables.test(type) && !left.test(name)) hash.update(`${name} ${type} ${rest}\n`)
  for (const block of text('objdump', '-s')
    .split(/^Contents of section /m)
    .slice(1))
    if (!left.test(block.slice(0, block.indexOf(':')))) hash.update(withoutCharacters(block))
  for (const line of relocationLines(listing, symbols)) hash.update(`${line}\n`)
  for (const line of visibleNames(symbols)) hash.update(`${line}\n`)
  return hash.digest('hex')
}

interface Section {
  readonly name: string
  readonly type: string
  /** size, size of an entry, flags, alignment */
  readonly rest: string
}

/** `  [ 1] .text PROGBITS 0000000000000000 000040 0012a4 00 AX 0 0 4`, by number. */
function sectionLines(listing: string): ReadonlyMap<string, Section> {
  const line =
    /^ {2}\[ *(\d+)\] (\S+) +(\S+) +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) +(\S*) +(\d+) +(\d+) +(\d+)$/gm
  return new Map(
    [...listing.matchAll(line)].map(
      ([, number = '', name = '', type = '', size, entry, flags, , , alignment]) => [
        number,
        { name, type, rest: `${size} ${entry} ${flags} ${alignment}` },
      ],
    ),
  )
}

interface ObjectSymbol {
  /** what a relocation that refers to it means, whatever the symbol is called */
  readonly meaning: string
  /** how others see it; undefined where they do not */
  readonly visible: string | undefined
}

/** `    12: 0000000000000000    36 FUNC    GLOBAL DEFAULT    1 name`, by number. */
function symbolLines(listing: string, nameOf: (number: string) => string): readonly ObjectSymbol[] {
  const line = /^ *\d+: ([0-9a-f]+) +(\S+) (\S+) +(\S+) +(\S+)(?: \[.*\])? +(\S+)(?: (.*))?$/gm
  return [...listing.matchAll(line)].map(
    ([, value, size, type, binding, visibility, section = '', name = '']) => {
      const local = binding === 'LOCAL'
      return {
        meaning: local ? `${nameOf(section)}+${value}` : name,
        visible: local
          ? undefined
          : `${name} ${type} ${binding} ${visibility} ${nameOf(section)} ${value} ${size}`,
      }
    },
  )
}

const visibleNames = (symbols: readonly ObjectSymbol[]): readonly string[] =>
  symbols.flatMap(({ visible }) => visible ?? []).sort()

/** `0000000000000014  000000460000011b R_AARCH64_CALL26 0000000000000000 name + 0`: the number of the symbol comes first. */
function relocationLines(listing: string, symbols: readonly ObjectSymbol[]): readonly string[] {
  const found: string[] = []
  let section = ''
  for (const line of listing.split('\n')) {
    section = /^Relocation section '(\S+)'/.exec(line)?.[1] ?? section
    const [, offset, number = '', type] = /^([0-9a-f]{16}) +([0-9a-f]{8})[0-9a-f]{8} (\S+) /.exec(line) ?? []
    if (offset === undefined || left.test(section)) continue
    const [addend = ''] = /(?:[+-] )?[0-9a-f]+$/.exec(line) ?? []
    found.push(`${section} ${offset} ${type} ${symbols[Number.parseInt(number, 16)]?.meaning} ${addend}`)
  }
  return found
}

/** A line of objdump is an address, at most 35 characters of digits, and the same bytes as characters. */
const withoutCharacters = (block: string): string => block.replace(/^( [0-9a-f]+ .{35}).*$/gm, '$1')
