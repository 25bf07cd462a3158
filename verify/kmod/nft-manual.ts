import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/**
 * What nft(8) says there is: the words of its synopses and of its tables of keywords, section by section. Of the page's
 * source (groff's man macros, tables of tbl), as Debian ships it.
 */
export interface ManualSection {
  readonly title: string
  /** What a line must have that is about this section: the first word of its synopsis. */
  readonly subject: string
  readonly words: readonly string[]
}

/** The chapters about expressions and statements. */
const chapters: ReadonlySet<string> = new Set(['PRIMARY EXPRESSIONS', 'PAYLOAD EXPRESSIONS', 'STATEMENTS'])

/** A section whose synopsis begins otherwise than its lines; a pattern. */
const subjects: Readonly<Record<string, string>> = {
  'EXTENSION HEADER EXPRESSIONS': 'hbh|frag|rt|dst|mh|srh|tcp option|ip option|exthdr',
  'EXTENSION HEADER STATEMENT': 'option',
  'FLOW STATEMENT': 'flow add',
  'HASH EXPRESSIONS': 'jhash|symhash',
  'IPCOMP HEADER EXPRESSION': 'comp',
  'META EXPRESSIONS': '',
  'NAT STATEMENTS': 'snat|dnat|masquerade|redirect',
  'RAW PAYLOAD EXPRESSION': '',
  'SET STATEMENT': 'add|update',
  'VERDICT STATEMENT': '',
}

/** Words in the manual's tables and synopses that nobody writes in a rule, each with the reason. */
export const notWritten: Readonly<Record<string, string>> = {
  'QUEUE STATEMENT: hash': 'written jhash',
  'TPROXY STATEMENT: address': 'stands for a value',
  'TPROXY STATEMENT: port': 'stands for a value',
  'XT STATEMENT: match': 'nft only shows what iptables-nft made',
  'XT STATEMENT: target': 'nft only shows what iptables-nft made',
  'XT STATEMENT: watcher': 'nft only shows what iptables-nft made',
  'XT STATEMENT: xt': 'nft only shows what iptables-nft made',
}

export function readManual(file: string): readonly ManualSection[] {
  const text = gunzipSync(readFileSync(file)).toString().replaceAll('\\&', '').replaceAll('\\-', '-')
  const sections: ManualSection[] = []
  let chapter = ''
  for (const part of text.split(/^(?=\.S[HS] )/m)) {
    const [, kind, title = ''] = /^\.S([HS]) "?([^"\n]*)"?\n/.exec(part) ?? []
    if (kind === 'H') chapter = title
    if (kind !== 'S' || !chapters.has(chapter)) continue
    const words = [...new Set([...synopsisWords(part), ...tableWords(part)])]
    sections.push({ title, subject: subjects[title] ?? words[0]?.split(' ')[0] ?? '', words })
  }
  return sections
}

/** What a synopsis prints bold; punctuation is not a word of its own. */
function synopsisWords(section: string): readonly string[] {
  const [, synopsis = ''] = /^\.nf\n([\s\S]*?)^\.fi/m.exec(section) ?? []
  return [...synopsis.matchAll(/\\fB(.*?)\\fR/g)].flatMap(([, bold = '']) => {
    const word = bold.trim()
    // `dup to`, `tcp option`: as they stand. In capitals: not a word of the language.
    return /^[a-z@]/.test(word) ? [word] : []
  })
}

/** First column of the tables of what can be written; the others describe values. */
function tableWords(section: string): readonly string[] {
  const words: string[] = []
  for (const [, table = ''] of section.matchAll(/^\.TS\n([\s\S]*?)^\.TE/gm)) {
    const cells = [...table.matchAll(/^T\{\n(?:\.sp\n)?(.*)\nT\}/gm)].map(([, cell = '']) => cell)
    if (!/^(Keyword|Flag|Name|Base|Variant)$/.test(cells[0] ?? '')) continue
    words.push(...cells.slice(1))
  }
  return words
}

/** Words of the manual that no ruleset uses in a line about their section; empty where all are. */
export function unused(sections: readonly ManualSection[], rulesets: readonly string[]): readonly string[] {
  const lines = rulesets.flatMap((text) => text.split('\n'))
  return sections.flatMap(({ title, subject, words }) => {
    const about = lines.filter((line) => wordPattern(subject).test(line))
    const wanted = words.length === 0 ? [subject] : words
    return wanted
      .filter((word) => !about.some((line) => word.split(' ').every((part) => wordPattern(part).test(line))))
      .map((word) => `${title}: ${word}`)
  })
}

function wordPattern(word: string): RegExp {
  if (word === '') return /./
  const end = /\w$/.test(word) ? '(?![a-zA-Z0-9_-])' : ''
  return new RegExp(`(?<![\\w-])(?:${word})${end}`)
}
