import { type Diagnostic, UserError } from '../diagnostics/index.ts'
import type { HostSource } from './host-sources.ts'

/** Where packages of one release come from. Base addresses, in the order of preference; never written to a lock. */
export interface Mirrors {
  readonly archive: readonly string[]
  readonly security: readonly string[]
}

/** A suite of the private root and the mirrors that have it. */
export interface Suite {
  readonly name: string
  readonly mirrors: readonly string[]
}

/**
 * Names that a Debian source may have for a suite, so that a source which says nothing about its key can be told
 * from another project's. (One that is taken for Debian's by mistake is refused by apt: the keyring is always named.)
 */
const debianSuite =
  /^(old-?)*(stable|testing|unstable|experimental|sid|buster|bullseye|bookworm|trixie|forky|duke)(-(updates|proposed-updates|backports|backports-sloppy|security))?(\/updates)?$/

/** Unstable has neither updates nor security suites beside it. */
const rolling = new Set(['sid', 'unstable', 'experimental'])

/**
 * Chooses Debian's mirrors among the host's sources: what is signed by Debian's archive keyring, or does not say
 * what signs it and names a suite of Debian's. Which release the host follows does not matter.
 *
 * `FIRMWRIGHT_MIRROR` and `FIRMWRIGHT_SECURITY_MIRROR` (addresses separated by spaces) take the place of the
 * host's, for hosts that are not Debian.
 *
 * @throws UserError when there is none.
 */
export function chooseMirrors(
  sources: readonly HostSource[],
  environment: Readonly<Record<string, string | undefined>>,
): Mirrors {
  const fromEnvironment = (name: string) => {
    const value = environment[name]
    return value === undefined ? undefined : value.split(/\s+/).filter((uri) => uri !== '')
  }
  const given = fromEnvironment('FIRMWRIGHT_MIRROR')
  const givenSecurity = fromEnvironment('FIRMWRIGHT_SECURITY_MIRROR')
  if (given !== undefined && given.length > 0) {
    return { archive: checked(given), security: checked(givenSecurity ?? []) }
  }

  const debian = sources.filter(isDebian)
  const isSecurity = (source: HostSource) => /-security$|\/updates$/.test(source.suite)
  const archive = unique(debian.filter((source) => !isSecurity(source)).map((source) => source.uri))
  const security = givenSecurity ?? unique(debian.filter(isSecurity).map((source) => source.uri))
  if (archive.length === 0) {
    const others = unique(sources.map((source) => source.suite))
    throw new UserError({
      what: "this host's apt has no mirror of Debian's archive",
      why:
        others.length === 0
          ? 'there are no sources of binary packages under /etc/apt'
          : `its sources (${others.join(', ')}) are signed by other keys, or have suites that are not Debian's`,
      fix: 'add a Debian source signed by debian-archive-keyring to the host, or set FIRMWRIGHT_MIRROR (and FIRMWRIGHT_SECURITY_MIRROR) to the address of a mirror',
    })
  }
  return { archive: checked(archive), security: checked(security) }
}

function isDebian(source: HostSource): boolean {
  if (!source.components.includes('main')) return false
  if (source.signedBy === undefined) return debianSuite.test(source.suite)
  return source.signedBy.some((key) => /(^|\/)debian-archive-[^/]*$/.test(key))
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values.map((value) => value.replace(/\/+$/, '')))]
}

/** An address goes into a line of apt's configuration: it must be one word there. */
function checked(uris: readonly string[]): readonly string[] {
  const wrong = uris.filter((uri) => !/^[a-z][a-z0-9+.-]*:[^\s[\]"]+$/i.test(uri))
  if (wrong.length > 0) {
    const diagnostics: Diagnostic[] = wrong.map((uri) => ({
      what: `${JSON.stringify(uri)} is not the address of a mirror`,
      fix: 'write it as a URI, for example file:/srv/mirror/debian',
    }))
    throw new UserError(...diagnostics)
  }
  return uris
}

/** The suites that make up a release: the release itself, its updates, and its security updates. */
export function suitesOf(release: string, mirrors: Mirrors): readonly Suite[] {
  const base = { name: release, mirrors: mirrors.archive }
  if (rolling.has(release)) return [base]
  return [
    base,
    { name: `${release}-updates`, mirrors: mirrors.archive },
    ...(mirrors.security.length > 0 ? [{ name: `${release}-security`, mirrors: mirrors.security }] : []),
  ]
}
