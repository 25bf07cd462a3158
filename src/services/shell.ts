import type { Action } from './service.ts'

/**
 * A word for a POSIX shell that means exactly `text`, whatever it holds (but for a zero byte, which no argument
 * can hold): POSIX.1-2017, Shell Command Language, 2.2.2.
 */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ')
}

/**
 * A command line that does `action`. Shell text goes through `eval`, so that a mistake in it fails that action
 * and not the script around it.
 */
export function command(action: Action): string {
  return typeof action === 'string' ? `eval ${quote(action)}` : quoteAll(action)
}
