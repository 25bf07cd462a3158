import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatDiagnostic, UserError } from '../diagnostics/index.ts'
import { type Engine, type EngineEvent, openEngine } from '../engine/index.ts'
import {
  openPackages,
  type PackageRequest,
  type PackagesContext,
  resolvePackages,
  updatePackages,
} from './index.ts'
import { parseLock } from './lock.ts'
import { filesBelow, hostOf, makeKey, publish, type TestKey, type TestPackage } from './test/repository.ts'

// The real apt, on a repository in a folder. `copy:` is apt's method for a mirror that is a folder.

let key: TestKey
beforeAll(async () => {
  key = await makeKey()
})
afterAll(async () => {
  await key.close()
})

let folder: string
let engine: Engine
let events: EngineEvent[]
let context: PackagesContext
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'apt-'))
  events = []
  engine = await openEngine({ storeFolder: join(folder, 'store'), onEvent: (event) => events.push(event) })
  context = {
    engine,
    lockFile: join(folder, 'firmwright.lock'),
    cacheFolder: join(folder, 'cache'),
    environment: {},
    aptHost: hostOf(join(folder, 'mirror'), key.keyring),
  }
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const feature = (name: string) => ({ feature: name, file: '/system.ts', line: 3 })
function request(install: readonly string[], only: readonly string[] = []): PackageRequest {
  const named = (name: string) => ({ name, origins: [feature(`uses-${name}`)] })
  return { release: 'bookworm', architecture: 'amd64', install: install.map(named), only: only.map(named) }
}

async function publishAll(
  packages: readonly TestPackage[],
  options: {
    validUntil?: Date
    security?: readonly TestPackage[]
    key?: TestKey
    securityFor?: string[]
  } = {},
): Promise<void> {
  const { validUntil, security = [], securityFor = ['amd64'] } = options
  const architectures = ['amd64']
  const about = { architectures, ...(validUntil && { validUntil }) }
  const mirror = join(folder, 'mirror')
  await Promise.all([
    publish(mirror, options.key ?? key, { suite: 'bookworm', packages, ...about }),
    publish(mirror, key, { suite: 'bookworm-updates', packages: [], ...about }),
    publish(mirror, key, {
      suite: 'bookworm-security',
      packages: security,
      ...about,
      architectures: securityFor,
    }),
  ])
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof UserError)) throw new Error('no UserError', { cause: error })
  return error.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n')
}

const texts = (type: 'step-note' | 'step-warning') =>
  events.flatMap((event) => (event.type === type ? [event.text] : []))

const tool: TestPackage = {
  name: 'tool',
  version: '2:1.0-1',
  control: ['Depends: libthing (>= 1)'],
  files: { 'usr/bin/tool': '#!/bin/sh\necho tool\n', 'usr/share/doc/tool/README': 'read me\n' },
}
const libthing: TestPackage = { name: 'libthing', version: '1.5', files: { 'usr/lib/thing': 'thing\n' } }
const other: TestPackage = { name: 'other', architecture: 'all', files: { 'etc/other.conf': 'x=1\n' } }

describe('resolving', () => {
  it('pins what apt solves, with the SHA-256 of the index, and writes no mirror into the lock', async () => {
    await publishAll([tool, libthing, other])
    const set = await resolvePackages(context, request(['tool'], ['other']))
    expect(set.packages.map((pin) => [pin.name, pin.version, pin.architecture, pin.alone])).toEqual([
      ['libthing', '1.5', 'amd64', undefined],
      ['other', '1.0', 'all', true],
      ['tool', '2:1.0-1', 'amd64', undefined],
    ])
    const text = await readFile(context.lockFile, 'utf8')
    expect(text).not.toContain(folder)
    expect(parseLock(text, 'firmwright.lock').sets).toEqual([set])
  })

  it('takes the newer version of the security suite', async () => {
    await publishAll([tool, libthing], { security: [{ ...libthing, version: '1.5+deb12u1' }] })
    const set = await resolvePackages(context, request(['tool']))
    expect(set.packages.map((pin) => pin.version)).toEqual(['1.5+deb12u1', '2:1.0-1'])
  })

  it('does not ask apt when the lock answers the request', async () => {
    await publishAll([tool, libthing])
    const first = await resolvePackages(context, request(['tool']))
    await rm(join(folder, 'cache'), { recursive: true })
    const { aptHost: _, ...withoutHost } = context
    expect(await resolvePackages({ ...withoutHost, offline: true }, request(['tool']))).toEqual(first)
  })

  it('keeps existing pins when a package is added', async () => {
    await publishAll([tool, libthing, other])
    const first = await resolvePackages(context, request(['tool']))
    await publishAll([tool, libthing, { ...libthing, version: '1.6' }, other])
    await rm(join(folder, 'cache'), { recursive: true })
    const second = await resolvePackages(context, request(['tool', 'other']))
    expect(second.packages.filter((pin) => pin.name !== 'other')).toEqual(first.packages)
  })

  it('gives a system that is new beside others the versions that they have, in pins of its own', async () => {
    await publishAll([tool, libthing])
    const first = await resolvePackages({ ...context, setName: 'router' }, request(['tool']))
    await publishAll([tool, libthing, { ...libthing, version: '1.6' }, other])
    await rm(join(folder, 'cache'), { recursive: true })
    const a = await resolvePackages({ ...context, setName: 'router/a' }, request(['tool']))
    const b = await resolvePackages({ ...context, setName: 'router/b' }, request(['tool', 'other']))
    expect(a.packages).toEqual(first.packages)
    expect(b.packages.filter((pin) => pin.name !== 'other')).toEqual(first.packages)
    const { sets } = parseLock(await readFile(context.lockFile, 'utf8'), 'firmwright.lock')
    expect(sets.map(({ name }) => name)).toEqual(['router/a', 'router/b'])
  })

  it('names the update command when an added package cannot be had with the pins', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    const needsNewer = { ...other, control: ['Depends: libthing (>= 1.6)'] }
    await publishAll([tool, libthing, { ...libthing, version: '1.6' }, needsNewer])
    await rm(join(folder, 'cache'), { recursive: true })
    const text = await failure(resolvePackages(context, request(['tool', 'other'])))
    expect(text).toContain('cannot be installed together with the versions that firmwright.lock pins')
    expect(text).toContain('firmwright update')
  })

  it('drops pins that are no longer wanted', async () => {
    await publishAll([tool, libthing, other])
    await resolvePackages(context, request(['tool', 'other']))
    const set = await resolvePackages(context, request(['other']))
    expect(set.packages.map((pin) => pin.name)).toEqual(['other'])
  })

  it('names an unknown package, who asked for it, and near names', async () => {
    await publishAll([tool, libthing])
    const text = await failure(resolvePackages(context, request(['tooll', 'tool'])))
    expect(text).toContain('there is no package tooll for amd64 in Debian bookworm')
    expect(text).toContain('uses-tooll (/system.ts:3)')
    expect(text).toContain('did you mean tool?')
  })

  it('does not take a name for a pattern', async () => {
    await publishAll([tool, libthing])
    expect(await failure(resolvePackages(context, request(['to.l'])))).toContain('there is no package to.l')
  })

  it('says what apt says when there is no solution', async () => {
    await publishAll([tool])
    const text = await failure(resolvePackages(context, request(['tool'])))
    expect(text).toContain('apt finds no way to install tool for amd64')
    expect(text).toContain('libthing')
  })

  it('takes the package that a kernel metapackage stands for, alone', async () => {
    const kernel = { name: 'linux-image-6.1.0-9-amd64', control: ['Depends: initramfs-tools'] }
    const meta = { name: 'linux-image-amd64', control: [`Depends: ${kernel.name} (= 1.0)`] }
    await publishAll([kernel, meta])
    const set = await resolvePackages(context, request([], ['linux-image-amd64']))
    expect(set.packages.map((pin) => pin.name)).toEqual([kernel.name])
    expect(set.metapackages).toEqual({ 'linux-image-amd64': kernel.name })
    const packages = await openPackages(context, request([], ['linux-image-amd64']))
    expect(packages.concreteName('linux-image-amd64')).toBe(kernel.name)
  })

  it('keeps the sets of two systems apart', async () => {
    await publishAll([tool, libthing, other])
    await resolvePackages({ ...context, setName: 'a.ts' }, request(['tool']))
    await resolvePackages({ ...context, setName: 'b.ts' }, request(['other']))
    const lock = parseLock(await readFile(context.lockFile, 'utf8'), 'firmwright.lock')
    expect(lock.sets.map((set) => [set.name, set.packages.length])).toEqual([
      ['a.ts', 2],
      ['b.ts', 1],
    ])
  })

  it('works with two processes on one private root at once', async () => {
    await publishAll([tool, libthing, other])
    const names = ['a', 'b', 'c', 'd']
    const sets = await Promise.all(
      names.map((name) =>
        resolvePackages({ ...context, lockFile: join(folder, `${name}.lock`) }, request(['tool'])),
      ),
    )
    for (const set of sets) expect(set).toEqual(sets[0])
  })

  it('refuses a lock it cannot read and leaves it as it is', async () => {
    await publishAll([tool, libthing])
    await writeFile(context.lockFile, '{ "version": 1,\n  "sets": [ }')
    const text = await failure(resolvePackages(context, request(['tool'])))
    expect(text).toContain('is not a usable lock')
    expect(text).toContain('firmwright.lock:2')
    expect(await readFile(context.lockFile, 'utf8')).toBe('{ "version": 1,\n  "sets": [ }')
  })
})

describe('indexes', () => {
  it('must be signed by a key of the keyring', async () => {
    const stranger = await makeKey()
    try {
      await publishAll([tool, libthing], { key: stranger })
      const text = await failure(resolvePackages(context, request(['tool'])))
      expect(text).toContain('the package index of bookworm for amd64 cannot be fetched')
      expect(text).toMatch(/NO_PUBKEY|not signed/)
      expect(text).toContain("signed by Debian's archive keyring")
    } finally {
      await stranger.close()
    }
  })

  it('that are not what was signed are refused', async () => {
    await publishAll([tool, libthing])
    const index = join(folder, 'mirror/dists/bookworm/main/binary-amd64/Packages')
    await writeFile(index, (await readFile(index, 'utf8')).replace('Version: 1.5', 'Version: 9.9'))
    const text = await failure(resolvePackages(context, request(['tool'])))
    expect(text).toContain('the package index of bookworm for amd64 cannot be fetched')
  })

  it('that are missing are an error naming suite and architecture', async () => {
    await publishAll([tool, libthing])
    await rm(join(folder, 'mirror/dists/bookworm-security'), { recursive: true })
    const text = await failure(resolvePackages(context, request(['tool'])))
    expect(text).toContain('the package index of bookworm-security for amd64 cannot be fetched')
    expect(text).not.toContain('index of bookworm for amd64')
  })

  it('from before serve, with a warning, while they are valid', async () => {
    await publishAll([tool, libthing, other], { validUntil: new Date(Date.now() + 86_400_000) })
    await resolvePackages(context, request(['tool']))
    await rm(join(folder, 'mirror/dists/bookworm-security'), { recursive: true })
    const { set, changes } = await updatePackages(context, request(['tool', 'other']))
    expect(set.packages.map((pin) => pin.name)).toEqual(['libthing', 'other', 'tool'])
    expect(changes.map(({ name, from, to }) => [name, from?.version, to?.version])).toEqual([
      ['other', undefined, '1.0'],
    ])
    expect(texts('step-warning').join('\n')).toContain(
      'the package index of bookworm-security for amd64 could not be fetched',
    )
  })

  it('from before do not serve past their Valid-Until', async () => {
    await publishAll([tool, libthing], { validUntil: new Date(Date.now() + 3000) })
    await resolvePackages(context, request(['tool']))
    await rm(join(folder, 'mirror/dists'), { recursive: true })
    await new Promise((done) => setTimeout(done, 3500))
    const text = await failure(updatePackages(context, request(['tool'])))
    expect(text).toContain('the package index of bookworm for amd64 cannot be fetched')
    expect(text).toContain('Valid-Until')
  })

  it('that are expired are refused, unless the host says otherwise', async () => {
    await publishAll([tool, libthing], { validUntil: new Date(Date.now() - 86_400_000) })
    expect(await failure(resolvePackages(context, request(['tool'])))).toContain('cannot be fetched')
    const lax = hostOf(join(folder, 'mirror'), key.keyring, ['Acquire::Check-Valid-Until', 'false'])
    const set = await resolvePackages({ ...context, aptHost: lax }, request(['tool']))
    expect(set.packages).toHaveLength(2)
  })

  it('of a suite that is not made for the architecture are left out, with a note', async () => {
    await publishAll([tool, libthing], { securityFor: ['arm64'] })
    await resolvePackages(context, request(['tool']))
    expect(texts('step-note').join('\n')).toContain('bookworm-security is not made for amd64')
  })
})

describe('fetching', () => {
  it('brings packages into the store, and leaves no copy with apt', async () => {
    await publishAll([tool, libthing])
    const packages = await openPackages(context, request(['tool']))
    expect((await packages.read('tool', '/usr/bin/tool')).toString()).toBe('#!/bin/sh\necho tool\n')
    expect((await filesBelow(join(folder, 'cache'))).filter((path) => path.endsWith('.deb'))).toEqual([])
  })

  it('is not repeated: what was fetched is there offline, without mirror, apt root or .deb', async () => {
    await publishAll([tool, libthing])
    const roots = [{ package: 'tool', path: '/usr/bin/tool', origin: feature('f') }]
    const first = await (await openPackages(context, request(['tool']))).closure(roots)
    await rm(join(folder, 'mirror'), { recursive: true })
    await rm(join(folder, 'cache'), { recursive: true })
    const offline = { ...context, offline: true }
    const second = await (await openPackages(offline, request(['tool']))).closure(roots)
    expect(second).toEqual(first)
  })

  it('offline says which package, which pin, when it is not in the store', async () => {
    await publishAll([tool, libthing])
    const set = await resolvePackages(context, request(['tool']))
    const packages = await openPackages({ ...context, offline: true }, request(['tool']))
    const text = await failure(packages.content('tool'))
    expect(text).toContain('tool 2:1.0-1 (amd64) is not in the store')
    expect(text).toContain(set.packages[1]?.sha256)
    expect(text).toContain('uses-tool (/system.ts:3)')
  })

  it('names the update command when a pin is gone from the mirror', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    await publishAll([tool, { ...libthing, version: '1.6' }])
    const packages = await openPackages(context, request(['tool']))
    await rm(join(folder, 'cache'), { recursive: true })
    const text = await failure(packages.content('tool'))
    expect(text).toContain('libthing 1.5 (amd64), pinned in firmwright.lock, is gone from the mirror')
    expect(text).toContain('it has 1.6 now')
    expect(text).toContain('firmwright update')
  })

  it('notices a gone pin although its own index is old', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    await publishAll([tool, { ...libthing, version: '1.6' }])
    await rm(join(folder, 'mirror/pool/libthing_1.5_amd64.deb'))
    const packages = await openPackages(context, request(['tool']))
    expect(await failure(packages.content('tool'))).toContain('is gone from the mirror')
  })

  it('refuses a file that is not the one in the index', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    const deb = join(folder, 'mirror/pool/libthing_1.5_amd64.deb')
    const bytes = await readFile(deb)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(deb, bytes)
    const packages = await openPackages(context, request(['tool']))
    const text = await failure(packages.content('tool'))
    expect(text).toContain('libthing 1.5 (amd64) cannot be fetched')
    expect(text).toMatch(/Hash Sum mismatch|unexpected size/)
  })

  it('refuses another file under the pinned version', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    await publishAll([tool, { ...libthing, files: { 'usr/lib/thing': 'another thing\n' } }])
    await rm(join(folder, 'cache'), { recursive: true })
    const packages = await openPackages(context, request(['tool']))
    const text = await failure(packages.content('tool'))
    expect(text).toContain('the mirror has another file under the same version')
  })

  it('tells how many bytes of how many are there', async () => {
    await publishAll([tool, libthing])
    const packages = await openPackages(context, request(['tool']))
    await packages.content('tool')
    const total = packages.pins.reduce((sum, pin) => sum + pin.sizeBytes, 0)
    const last = events.findLast((event) => event.type === 'step-progress')
    expect(last).toMatchObject({ done: total, total, unit: 'bytes' })
  })
})

describe('references to files', () => {
  it('that need a library nobody has name who needs it, from which package, and who asked', async () => {
    const program = { ...tool, files: { 'usr/bin/tool': await readFile('/usr/bin/env') } }
    await publishAll([program, libthing])
    const packages = await openPackages(context, request(['tool']))
    const roots = [{ package: 'tool', path: '/bin/tool', origin: feature('shell') }]
    const text = await failure(packages.closure(roots))
    expect(text).toContain(
      '/usr/bin/tool needs the shared library libc.so.6, which no package of the system has',
    )
    expect(text).toContain('/usr/bin/tool is from the package tool 2:1.0-1')
    expect(text).toContain('shell (/system.ts:3)')
  })

  it('that lead nowhere are all told, with near names and the package that has the path', async () => {
    await publishAll([tool, libthing])
    const packages = await openPackages(context, request(['tool']))
    const origin = feature('shell')
    const text = await failure(
      packages.closure([
        { package: 'tool', path: '/usr/bin/tol', origin },
        { package: 'tool', path: '/lib/thing', origin },
      ]),
    )
    expect(text).toContain('/usr/bin/tol is not in the package tool 2:1.0-1')
    expect(text).toContain('did you mean /usr/bin/tool?')
    expect(text).toContain('it is in libthing')
    const stranger = [{ package: 'tooll', path: '/usr/bin/tool', origin }]
    expect(await failure(packages.closure(stranger))).toContain("none of the system's packages")
  })
})

describe('updating', () => {
  it('moves pins to the newest versions and tells old and new', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    await publishAll([tool, { ...libthing, version: '1.6' }])
    const { changes } = await updatePackages(context, request(['tool']))
    expect(changes.map(({ name, from, to }) => [name, from?.version, to?.version])).toEqual([
      ['libthing', '1.5', '1.6'],
    ])
    const packages = await openPackages(context, request(['tool']))
    expect(packages.pins.map((pin) => pin.version)).toEqual(['1.6', '2:1.0-1'])
  })

  it('writes the same lock again when nothing moved', async () => {
    await publishAll([tool, libthing])
    await resolvePackages(context, request(['tool']))
    const before = await readFile(context.lockFile, 'utf8')
    await utimes(context.lockFile, 0, 0)
    expect((await updatePackages(context, request(['tool']))).changes).toEqual([])
    expect(await readFile(context.lockFile, 'utf8')).toBe(before)
  })
})
