/**
 * Help texts. Most of a tree is help that nobody asks for in this run, so reading a tree only finds out where a text
 * ends; what it says is worked out when somebody wants to see it.
 *
 * HELP-INDENTATION: the first line with text sets the indentation; the text ends before the first line that is indented
 * less. A line at the very left always ends it. Blank lines at the end are part of it.
 */

/** Where a help text stands: the text of a file, and the position behind the line `help`. */
export interface HelpBlock {
  readonly text: string
  readonly start: number
}

interface Extent {
  /** position of the first character behind it */
  readonly end: number
  readonly lines: number
  /** there is nothing but white space in it */
  readonly blank: boolean
}

const NEWLINE = 10
const TAB = 9
const SPACE = 32

const isBlank = (code: number): boolean => code === SPACE || code === TAB

/** Goes through a help text, which is put into `out` when there is one. */
function walk(text: string, start: number, out: string[] | undefined): Extent {
  const { length } = text
  let position = start
  let lines = 0
  let blank = true
  let indentation = 0
  let lastIndentation = 0
  for (;;) {
    let at = position
    let columns = 0
    let code = text.charCodeAt(at)
    while (isBlank(code)) {
      columns = code === SPACE ? columns + 1 : (columns & ~7) + 8
      code = text.charCodeAt(++at)
    }
    const indented = at > position
    if (at >= length) {
      if (indented && indentation > 0 && columns > indentation) out?.push(' '.repeat(columns - indentation))
      return { end: at, lines, blank }
    }
    if (code === NEWLINE) {
      lines++
      position = at + 1
      const following = text.charCodeAt(position)
      if (position < length && following !== NEWLINE && !isBlank(following))
        return { end: position, lines, blank }
      out?.push('\n')
      continue
    }
    if (indented) {
      lastIndentation = columns
      if (indentation > 0) {
        if (columns < indentation) return { end: at, lines, blank }
        out?.push(' '.repeat(columns - indentation))
      }
    }
    let end = text.indexOf('\n', at)
    if (end < 0) end = length
    // Form feeds and their like are text here, and white space to the one who looks for words.
    if (blank) blank = code <= SPACE && /^[ \f\r\t\v]*$/.test(text.slice(at, end))
    if (out !== undefined) {
      let last = end
      while (last > at && isBlank(text.charCodeAt(last - 1))) last--
      out.push(text.slice(at, last))
    }
    if (indentation === 0) indentation = lastIndentation
    position = end
  }
}

export const helpExtent = ({ text, start }: HelpBlock): Extent => walk(text, start, undefined)

/** What a help text says, as a byte string, without its indentation. */
export function helpBlockText({ text, start }: HelpBlock): string {
  const out: string[] = []
  walk(text, start, out)
  return out.join('')
}
