import { describe, expect, it } from 'vitest'
import { type ClosureFacts, closureOf } from './closure.ts'
import type { ElfFacts, PackageContent, PackageFile } from './content.ts'
import { layOver } from './namespace.ts'

// Packages in memory: what a file is and needs is said here, not read from one.

let offset = 0
const data = {
  kind: 'file' as const,
  digest: { sha256: 'da'.repeat(32), sizeBytes: 1 << 30 },
  executable: false,
}

function file(
  path: string,
  facts: { elf?: Partial<ElfFacts>; shebang?: string; mode?: number } = {},
): PackageFile {
  const { elf, shebang, mode = 0o755 } = facts
  const [interpreter = '', argument] = shebang?.split(' ', 2) ?? []
  offset += 512
  return {
    ...{ type: 'file', path, mode, uid: 0, gid: 0, offsetBytes: offset, sizeBytes: 10 },
    ...(elf && { elf: { class: 64, machine: 183, needed: [], rpath: [], runpath: [], ...elf } }),
    ...(shebang !== undefined && { shebang: { interpreter, ...(argument && { argument }) } }),
  } as PackageFile
}
const elf = (path: string, ...needed: readonly string[]) => file(path, { elf: { needed } })
const link = (path: string, target: string): PackageFile => ({
  type: 'symlink',
  path,
  target,
  mode: 0o777,
  uid: 0,
  gid: 0,
})
const directory = (path: string, mode = 0o755): PackageFile => ({
  type: 'directory',
  path,
  mode,
  uid: 0,
  gid: 0,
})

function content(name: string, ...files: readonly PackageFile[]): PackageContent {
  const pin = { name, version: '1', architecture: 'arm64', sha256: '', sizeBytes: 0, filename: '' }
  return { package: pin, data, files: new Map(files.map((one) => [one.path, one])) }
}

function closure(
  roots: readonly string[],
  contents: readonly PackageContent[],
  provided: readonly string[] = [],
): ClosureFacts {
  return closureOf({ space: layOver(contents), architecture: 'arm64', provided: new Set(provided) }, roots)
}
const paths = (facts: ClosureFacts) => facts.files.map(({ path }) => path)
const lacks = (facts: ClosureFacts) => facts.lacks.map(({ kind, name }) => `${kind} ${name}`)

const lib = '/usr/lib/aarch64-linux-gnu'
const libc = content(
  'libc6',
  directory('/usr/lib'),
  link('/usr/lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu/ld-linux-aarch64.so.1'),
  elf(`${lib}/ld-linux-aarch64.so.1`),
  elf(`${lib}/libc.so.6`, 'ld-linux-aarch64.so.1'),
  elf(`${lib}/libm.so.6`, 'libc.so.6'),
)

describe('the closure of files', () => {
  it('has the interpreter and the libraries, recursively, with the links that lead to them, and nothing else', () => {
    const tool = content(
      'tool',
      file('/usr/bin/tool', { elf: { interpreter: '/lib/ld-linux-aarch64.so.1', needed: ['libt.so.1'] } }),
      file('/usr/share/doc/tool/README'),
    )
    const libt = content(
      'libt1',
      link(`${lib}/libt.so.1`, 'libt.so.1.2'),
      elf(`${lib}/libt.so.1.2`, 'libc.so.6'),
    )
    const facts = closure(['/usr/bin/tool'], [tool, libt, libc])
    expect(facts.files.map(({ path, neededBy }) => [path, ...neededBy])).toEqual([
      ['/usr/bin/tool'],
      [`${lib}/ld-linux-aarch64.so.1`, '/usr/bin/tool'],
      [`${lib}/libc.so.6`, '/usr/bin/tool', `${lib}/libt.so.1.2`],
      [`${lib}/libt.so.1`, '/usr/bin/tool'],
      [`${lib}/libt.so.1.2`, '/usr/bin/tool'],
      ['/usr/lib/ld-linux-aarch64.so.1', '/usr/bin/tool'],
    ])
    expect(facts.lacks).toEqual([])
  })

  it('tells every root that needs a file', () => {
    const tools = content('t', elf('/usr/bin/a', 'libc.so.6'), elf('/usr/bin/b', 'libm.so.6'))
    const facts = closure(['/usr/bin/a', '/usr/bin/b'], [tools, libc])
    expect(facts.files.map(({ path, roots }) => [path, roots])).toEqual([
      ['/usr/bin/a', [0]],
      ['/usr/bin/b', [1]],
      [`${lib}/ld-linux-aarch64.so.1`, [0, 1]],
      [`${lib}/libc.so.6`, [0, 1]],
      [`${lib}/libm.so.6`, [1]],
    ])
  })

  it('names a missing library once for each file that needs it, with the chain', () => {
    const tools = content('t', elf('/usr/bin/a', 'libx.so.1'), elf(`${lib}/libx.so.1`, 'libgone.so.9'))
    const facts = closure(['/usr/bin/a'], [tools])
    expect(facts.lacks).toEqual([
      { kind: 'library', name: 'libgone.so.9', neededBy: ['/usr/bin/a', `${lib}/libx.so.1`], roots: [0] },
    ])
  })

  it('does not miss what the system has from elsewhere', () => {
    const tools = content('t', elf('/usr/bin/a', 'libgone.so.9'), file('/usr/bin/s', { shebang: '/bin/sh' }))
    expect(lacks(closure(['/usr/bin/a', '/usr/bin/s'], [tools]))).toEqual([
      'interpreter /usr/bin/sh',
      'library libgone.so.9',
    ])
    const provided = [`${lib}/libgone.so.9`, '/usr/bin/sh']
    expect(lacks(closure(['/usr/bin/a', '/usr/bin/s'], [tools], provided))).toEqual([])
  })

  it('passes over a library of another word size or machine', () => {
    const tools = content(
      't',
      file('/usr/bin/a', { elf: { needed: ['libx.so'], runpath: ['/opt/32', '/opt/64'] } }),
      file('/opt/32/libx.so', { elf: { class: 32, machine: 40 } }),
      file('/opt/64/libx.so', { elf: {} }),
      file(`${lib}/libx.so`, { elf: {} }),
    )
    expect(paths(closure(['/usr/bin/a'], [tools]))).toEqual(['/opt/64/libx.so', '/usr/bin/a'])
  })

  it('knows $ORIGIN, and that a runpath is for one file and an rpath for what that loads too', () => {
    const make = (kind: 'rpath' | 'runpath') =>
      content(
        't',
        file('/opt/t/bin/a', { elf: { needed: ['libx.so'], [kind]: ['$ORIGIN/../lib'] } }),
        elf('/opt/t/lib/libx.so', 'liby.so'),
        elf('/opt/t/lib/liby.so'),
      )
    expect(paths(closure(['/opt/t/bin/a'], [make('rpath')]))).toEqual([
      '/opt/t/bin/a',
      '/opt/t/lib/libx.so',
      '/opt/t/lib/liby.so',
    ])
    expect(lacks(closure(['/opt/t/bin/a'], [make('runpath')]))).toEqual(['library liby.so'])
  })

  it('follows absolute and relative links, through directories that are links', () => {
    const tools = content(
      't',
      link('/usr/bin/a', '/etc/alternatives/a'),
      link('/etc/alternatives/a', '../../opt/current/bin/a'),
      link('/opt/current', 'v2'),
      file('/opt/v2/bin/a'),
      link('/usr/bin/loop', 'loop'),
      link('/usr/bin/gone', '/sbin/nowhere'),
    )
    expect(paths(closure(['/usr/bin/a'], [tools]))).toEqual([
      '/etc/alternatives/a',
      '/opt/current',
      '/opt/v2/bin/a',
      '/usr/bin/a',
    ])
    const dangling = closure(['/usr/bin/loop', '/usr/bin/gone'], [tools])
    expect(paths(dangling)).toEqual(['/usr/bin/gone', '/usr/bin/loop'])
    expect(lacks(dangling)).toEqual(['link-target /usr/bin/loop', 'link-target /usr/sbin/nowhere'])
  })

  it('has what a script is run with, through env too', () => {
    const tools = content(
      't',
      file('/usr/bin/a', { shebang: '/usr/bin/env -S' }),
      file('/usr/bin/b', { shebang: '/usr/bin/env python3' }),
      file('/usr/bin/c', { shebang: '/usr/bin/env nothing' }),
      link('/usr/bin/python3', 'python3.11'),
      file('/usr/bin/python3.11'),
      file('/usr/bin/env'),
    )
    expect(paths(closure(['/usr/bin/b'], [tools]))).toEqual([
      '/usr/bin/b',
      '/usr/bin/env',
      '/usr/bin/python3',
      '/usr/bin/python3.11',
    ])
    expect(lacks(closure(['/usr/bin/a', '/usr/bin/c'], [tools]))).toEqual(['interpreter /usr/bin/nothing'])
  })

  it('takes a directory for everything below it, in its package', () => {
    const tools = content('t', directory('/etc/t'), file('/etc/t/a'), file('/etc/t/b/c'), file('/etc/tt'))
    const others = content('o', file('/etc/t/other'))
    expect(paths(closure(['/etc/t'], [tools, others]))).toEqual(['/etc/t', '/etc/t/a', '/etc/t/b/c'])
  })

  it('has the directories above a file where their mode is not the usual one', () => {
    const tools = content(
      't',
      directory('/var/spool', 0o755),
      directory('/var/spool/t', 0o1730),
      file('/var/spool/t/a'),
    )
    const facts = closure(['/var/spool/t/a'], [tools])
    expect(facts.files.map(({ path, node }) => [path, 'mode' in node && node.mode])).toEqual([
      ['/var/spool/t', 0o1730],
      ['/var/spool/t/a', 0o755],
    ])
  })

  it('has one file and hard links to it where a file has several names', () => {
    const one = file('/usr/bin/a')
    const tools = content('t', one, { ...one, path: '/usr/bin/b' }, file('/usr/bin/c'))
    const facts = closure(['/usr/bin/b', '/usr/bin/a', '/usr/bin/c'], [tools])
    expect(facts.files.map(({ node }) => node.type)).toEqual(['file', 'hardlink', 'file'])
    expect(facts.files[1]?.node).toEqual({ type: 'hardlink', target: '/usr/bin/a' })
    expect(closure(['/usr/bin/b'], [tools]).files.map(({ node }) => node.type)).toEqual(['file'])
  })

  it('has the data that a package’s programs cannot do without', () => {
    const iptables = content(
      'iptables',
      link('/usr/sbin/iptables', 'xtables-nft-multi'),
      file('/usr/sbin/xtables-nft-multi'),
      file(`${lib}/xtables/libxt_state.so`),
      file('/usr/share/iptables/iptables.xslt'),
    )
    expect(paths(closure(['/usr/sbin/iptables'], [iptables]))).toEqual([
      `${lib}/xtables/libxt_state.so`,
      '/usr/sbin/iptables',
      '/usr/sbin/xtables-nft-multi',
    ])
    expect(paths(closure(['/usr/share/iptables/iptables.xslt'], [iptables]))).toHaveLength(1)
  })
})
