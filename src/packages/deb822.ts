/**
 * Debian's control file syntax (deb822(5)): paragraphs of `Field: value` separated by empty lines, values that go
 * on in lines beginning with white space. It is the syntax of package indexes, Release files, `*.sources` files and
 * the control file of a package.
 */

/** One paragraph: field names in lower case (they are case-insensitive) to values, continuation lines joined by `\n`. */
export type Paragraph = ReadonlyMap<string, string>

/**
 * Reads all paragraphs. Total: a line that is no field and continues nothing is skipped, because what reads these
 * files must go on working when a newer apt adds something, and what matters is checked by whoever needs a field.
 *
 * @param comments whether lines beginning with `#` are comments (they are in `*.sources`, not in a package index)
 */
export function parseDeb822(text: string, { comments = false } = {}): readonly Paragraph[] {
  const paragraphs: Paragraph[] = []
  let current = new Map<string, string>()
  let field: string | undefined
  const finish = () => {
    if (current.size > 0) paragraphs.push(current)
    current = new Map()
    field = undefined
  }
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (comments && line.startsWith('#')) continue
    if (line.trim() === '') {
      finish()
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (field !== undefined) current.set(field, `${current.get(field) ?? ''}\n${line.trim()}`)
    } else {
      const colon = line.indexOf(':')
      if (colon <= 0) {
        field = undefined
        continue
      }
      field = line.slice(0, colon).trim().toLowerCase()
      current.set(field, line.slice(colon + 1).trim())
    }
  }
  finish()
  return paragraphs
}

/** The white-space separated words of a value; none when the field is absent. */
export function words(value: string | undefined): readonly string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '')
}
