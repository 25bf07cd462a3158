import { type Paragraph, parseDeb822, words } from './deb822.ts'

/**
 * A place the host's apt takes binary packages from, as its configuration says (sources.list(5)), reduced to what
 * tells Debian's own mirrors from others.
 */
export interface HostSource {
  /** Base address, as written: `https://…`, `file:…`, `mirror+file:…`. */
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
  /**
   * What the source says its signatures must come from: paths of keyrings or fingerprints. Absent when it does not
   * say, which means every key the host's apt trusts.
   */
  readonly signedBy?: readonly string[]
}

/** Reads a file in the deb822 style (`*.sources`). What is disabled or only for source packages is left out. */
export function parseSourcesFile(text: string): readonly HostSource[] {
  return parseDeb822(text, { comments: true }).flatMap(sourcesOfParagraph)
}

function sourcesOfParagraph(paragraph: Paragraph): readonly HostSource[] {
  const enabled = (paragraph.get('enabled') ?? 'yes').trim().toLowerCase()
  if (['no', 'false', 'without', 'off', 'disable', '0'].includes(enabled)) return []
  if (!words(paragraph.get('types')).includes('deb')) return []
  const components = words(paragraph.get('components'))
  const signedBy = paragraph.get('signed-by')
  return words(paragraph.get('uris')).flatMap((uri) =>
    words(paragraph.get('suites')).map((suite) => ({
      uri,
      suite,
      components,
      // An embedded key is many words, none of which names Debian's keyring: it falls out as somebody else's.
      ...(signedBy === undefined ? {} : { signedBy: words(signedBy.replaceAll(',', ' ')) }),
    })),
  )
}

/** Reads a file in the one-line style (`*.list`). Lines that are not understood are left out. */
export function parseListFile(text: string): readonly HostSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)\s*$/.exec(withoutComment(line))
    const [, options = '', uri, suite, components = ''] = match ?? []
    if (uri === undefined || suite === undefined || uri.startsWith('[')) return []
    const signedBy = words(options)
      .filter((option) => option.startsWith('signed-by='))
      .flatMap((option) => option.slice('signed-by='.length).split(','))
    return [{ uri, suite, components: words(components), ...(signedBy.length > 0 ? { signedBy } : {}) }]
  })
}

function withoutComment(line: string): string {
  const hash = line.indexOf('#')
  return hash < 0 ? line : line.slice(0, hash)
}
