import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Diagnostic, UserError } from '../diagnostics/index.ts'
import { type AptRoot, runApt, sourcesList } from './apt-root.ts'
import { type Paragraph, parseDeb822, words } from './deb822.ts'
import type { Suite } from './mirrors.ts'

/** Where what is worth knowing, but no failure, goes. */
export interface Reporter {
  note(text: string): void
  warn(text: string): void
}

/**
 * Fetches the package indexes of the root's suites. Afterwards every suite has a verified index, or is known not to
 * be made for the architecture (then a note says so).
 *
 * An index that cannot be fetched now may still be there from before: it serves, with a warning, as long as it is
 * valid (its Release file's `Valid-Until`).
 *
 * @throws UserError naming each suite that has no index.
 */
export async function refreshIndex(root: AptRoot, signal: AbortSignal, report: Reporter): Promise<void> {
  const run = await runApt(root, signal, 'apt-get', ['update', '-q', '--error-on=any'])
  const problems: Diagnostic[] = []
  for (const suite of root.suites) {
    const state = await suiteState(root, signal, suite)
    const about = run.complaints.filter((line) => mentions(line, suite.name))
    if (state === 'no-architecture') {
      report.note(
        `${suite.name} is not made for ${root.architecture}: nothing is taken from it${
          suite.name.endsWith('-security') ? '; security updates come with the point releases' : ''
        }`,
      )
    } else if (state === 'missing' || state === 'expired') {
      problems.push(noIndex(root, suite, state, about.length > 0 ? about : run.complaints))
    } else if (run.exitCode !== 0 && about.some((line) => /^(E|W|Err)/.test(line))) {
      report.warn(
        `the package index of ${suite.name} for ${root.architecture} could not be fetched; one from before, or from another mirror, serves (${about.find((line) => !line.startsWith('N')) ?? ''})`,
      )
    }
  }
  if (problems.length > 0) throw new UserError(...problems)
  await writeFile(stamp(root), await readFile(sourcesList(root), 'utf8'))
}

/**
 * Milliseconds since the index was last fetched without failing; undefined when it never was, or from other mirrors.
 */
export async function indexAge(root: AptRoot): Promise<number | undefined> {
  try {
    const [made, of, is] = await Promise.all([
      stat(stamp(root)),
      readFile(stamp(root), 'utf8'),
      readFile(sourcesList(root), 'utf8'),
    ])
    return of === is ? Math.max(0, Date.now() - made.mtimeMs) : undefined
  } catch {
    return undefined
  }
}

/** Written after a refresh, with the sources it was for. */
function stamp(root: AptRoot): string {
  return join(root.folder, 'refreshed')
}

type SuiteState = 'usable' | 'no-architecture' | 'expired' | 'missing'

async function suiteState(root: AptRoot, signal: AbortSignal, suite: Suite): Promise<SuiteState> {
  // Lists what is configured *and* there: an index of a mirror that is no longer configured does not count.
  const targets = await runApt(root, signal, 'apt-get', [
    'indextargets',
    '--format',
    '$(RELEASE) $(FILENAME)',
  ])
  const indexes = targets.stdout
    .split('\n')
    .filter((line) => line.startsWith(`${suite.name} `))
    .map((line) => basename(line))
  const files = await readdir(root.lists)
  let state: SuiteState = 'missing'
  for (const name of files) {
    const prefix = name.endsWith(`_dists_${suite.name}_InRelease`)
      ? name.slice(0, -'InRelease'.length)
      : name.endsWith(`_dists_${suite.name}_Release`)
        ? name.slice(0, -'Release'.length)
        : undefined
    if (prefix === undefined) continue
    const paragraphs = parseDeb822(await readFile(join(root.lists, name), 'utf8'))
    const release = paragraphs.find((paragraph) => paragraph.has('architectures'))
    if (release === undefined) continue
    const there = indexes.some((index) => index.startsWith(prefix)) || isEmpty(release, root.architecture)
    if (there) {
      if (!root.checkValidUntil || !(Date.parse(release.get('valid-until') ?? '') < Date.now()))
        return 'usable'
      state = 'expired'
    } else if (state === 'missing' && !words(release.get('architectures')).includes(root.architecture)) {
      state = 'no-architecture'
    }
  }
  return state
}

/** An index without packages, as a new release's updates have, apt does not even fetch. */
function isEmpty(release: Paragraph, architecture: string): boolean {
  const index = `main/binary-${architecture}/Packages`
  return (release.get('sha256') ?? '').split('\n').some((line) => {
    const [, size, name] = words(line)
    return name === index && size === '0'
  })
}

/** Whether a line of apt's output is about a suite: its name is a word of the line or a part of an address. */
function mentions(line: string, suite: string): boolean {
  return new RegExp(`(^|[\\s/_])${suite}([\\s/_]|$)`).test(line)
}

function noIndex(
  root: AptRoot,
  suite: Suite,
  state: 'missing' | 'expired',
  complaints: readonly string[],
): Diagnostic {
  const why = complaints.filter((line) => !line.startsWith('N:')).slice(0, 4)
  return {
    what: `the package index of ${suite.name} for ${root.architecture} cannot be fetched`,
    why: [...(state === 'expired' ? ['the one from before is past its Valid-Until date'] : []), ...why].join(
      '\n',
    ),
    fix: complaints.some((line) => /NO_PUBKEY|not signed|invalid signature|BADSIG|EXPKEYSIG/i.test(line))
      ? "take a mirror whose indexes are signed by Debian's archive keyring (FIRMWRIGHT_MIRROR, or the host's apt sources)"
      : `check the network, and the mirrors in the host's apt sources or FIRMWRIGHT_MIRROR; a mirror being updated is whole again later${
          suite.name.endsWith('-security')
            ? '. Another mirror: FIRMWRIGHT_SECURITY_MIRROR; set it empty to go without security updates'
            : ''
        }`,
  }
}
