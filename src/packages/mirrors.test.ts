import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic, UserError } from '../diagnostics/index.ts'
import { parseAptConfigDump } from './apt-host.ts'
import { parseListFile, parseSourcesFile } from './host-sources.ts'
import { chooseMirrors, suitesOf } from './mirrors.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

describe('the host’s sources', () => {
  it('are read in the deb822 style', () => {
    const text = `# comment\nTypes: deb deb-src\nURIs: http://a.invalid/debian\n  http://b.invalid/debian\nSuites: bookworm bookworm-updates\n# in between\nComponents: main contrib\nSigned-By: ${keyring}\n\nTypes: deb-src\nURIs: http://c.invalid\nSuites: x\n\nEnabled: no\nTypes: deb\nURIs: http://d.invalid\nSuites: x\nComponents: main\n`
    expect(parseSourcesFile(text)).toEqual(
      ['http://a.invalid/debian', 'http://b.invalid/debian'].flatMap((uri) =>
        ['bookworm', 'bookworm-updates'].map((suite) => ({
          uri,
          suite,
          components: ['main', 'contrib'],
          signedBy: [keyring],
        })),
      ),
    )
  })

  it('are read in the one-line style', () => {
    const text = `# deb http://no.invalid x main\ndeb-src http://no.invalid x main\ndeb [ arch=amd64 signed-by=${keyring} ] http://a.invalid/debian bookworm main contrib # why\n  deb http://b.invalid/debian stable main\ndeb file:/srv/flat ./\n`
    expect(parseListFile(text)).toEqual([
      {
        uri: 'http://a.invalid/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        signedBy: [keyring],
      },
      { uri: 'http://b.invalid/debian', suite: 'stable', components: ['main'] },
      { uri: 'file:/srv/flat', suite: './', components: [] },
    ])
  })

  it('may be any text', () => {
    const noise = fc.array(
      fc.constantFrom('deb', ' ', '[', ']', 'http://x', '\n', '#', 'Types:', 'URIs:', 'Suites:', 'main', '='),
    )
    fc.assert(
      fc.property(noise, (parts) => {
        const text = parts.join('')
        for (const { uri, suite } of [...parseListFile(text), ...parseSourcesFile(text)]) {
          expect(uri).toMatch(/^\S+$/)
          expect(suite).toMatch(/^\S+$/)
        }
      }),
    )
  })

  it('are understood as apt-config dumps them', () => {
    expect(parseAptConfigDump('APT "";\nAcquire::http::Proxy "http://p:3128";\nA::List:: "x y";\n')).toEqual([
      ['Acquire::http::Proxy', 'http://p:3128'],
      ['A::List::', 'x y'],
    ])
  })
})

describe('mirrors', () => {
  const debian = { components: ['main'], signedBy: [keyring] }
  const archive = { ...debian, uri: 'http://a.invalid/debian', suite: 'bookworm' }
  const security = { ...debian, uri: 'http://a.invalid/debian-security/', suite: 'bookworm-security' }

  it('are those that Debian’s keyring signs; other projects’ are left out', () => {
    const chosen = chooseMirrors(
      [
        { ...archive, uri: 'http://vendor.invalid', signedBy: ['/usr/share/keyrings/vendor.gpg'] },
        { uri: 'http://vendor2.invalid', suite: 'nodistro', components: ['main'] },
        { uri: 'http://vendor3.invalid', suite: 'bookworm', components: ['stable'] },
        archive,
        { ...archive, suite: 'bookworm-updates' },
        security,
      ],
      {},
    )
    expect(chosen).toEqual({
      archive: ['http://a.invalid/debian'],
      security: ['http://a.invalid/debian-security'],
    })
  })

  it('may say nothing about their key, if the suite is one of Debian’s', () => {
    const plain = { uri: 'http://a.invalid/debian', suite: 'oldstable-backports', components: ['main'] }
    expect(chooseMirrors([plain], {}).archive).toEqual([plain.uri])
  })

  it('come from the environment where it names them', () => {
    const environment = { FIRMWRIGHT_MIRROR: 'file:/srv/debian http://b.invalid/debian' }
    expect(chooseMirrors([archive, security], environment)).toEqual({
      archive: ['file:/srv/debian', 'http://b.invalid/debian'],
      security: [],
    })
    expect(chooseMirrors([archive, security], { FIRMWRIGHT_SECURITY_MIRROR: '' })).toEqual({
      archive: [archive.uri],
      security: [],
    })
  })

  it('must be addresses', () => {
    for (const FIRMWRIGHT_MIRROR of ['nonsense', 'http://x]y', 'http://"x"']) {
      expect(() => chooseMirrors([], { FIRMWRIGHT_MIRROR })).toThrow('is not the address of a mirror')
    }
  })

  it('that are none are an error that names the environment variable', () => {
    const ubuntu = { uri: 'http://u.invalid', suite: 'noble', components: ['main', 'universe'] }
    let told = ''
    try {
      chooseMirrors([ubuntu], {})
    } catch (error) {
      if (error instanceof UserError) told = error.diagnostics.map((one) => formatDiagnostic(one)).join('\n')
    }
    expect(told).toContain('has no mirror of Debian')
    expect(told).toContain('noble')
    expect(told).toContain('FIRMWRIGHT_MIRROR')
  })

  it('give a release its updates and its security updates, whatever the host follows', () => {
    const mirrors = { archive: ['a:x'], security: ['s:x'] }
    expect(suitesOf('trixie', mirrors)).toEqual([
      { name: 'trixie', mirrors: ['a:x'] },
      { name: 'trixie-updates', mirrors: ['a:x'] },
      { name: 'trixie-security', mirrors: ['s:x'] },
    ])
    expect(suitesOf('sid', mirrors)).toEqual([{ name: 'sid', mirrors: ['a:x'] }])
  })
})
