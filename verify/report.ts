import type { Judgement } from './verification.ts'

/** A table in Markdown, with the notes below it. */
export function markdown({ columns, rows, notes = [] }: Judgement): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
  return [table, ...notes].join('\n\n')
}

/** In a few words, how it went: `no differences; NOT JUDGED: 6.1.0-50-armmp (…)`. */
export function verdict({ failures, notJudged = [] }: Judgement): string {
  const found = failures === 0 ? 'no differences' : `${failures} DIFFERENCES`
  return notJudged.length === 0 ? found : `${found}; NOT JUDGED: ${notJudged.join(', ')}`
}

const start = (name: string) => `<!-- ${name} -->`
const end = (name: string) => `<!-- /${name} -->`

/** The document with the section of this name replaced, or added at its end. */
export function withSection(document: string, name: string, section: string): string {
  const from = document.indexOf(start(name))
  const to = document.indexOf(end(name))
  const text = `${start(name)}\n\n${section.trim()}\n\n${end(name)}`
  if (from < 0 || to < from) return `${document.trimEnd()}\n\n${text}\n`
  return document.slice(0, from) + text + document.slice(to + end(name).length)
}
