import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  firmwright,
  kernelPackage,
  setupLine,
  systemFolder,
  systemText,
  temporaryFolder,
} from './firmwright.ts'

interface Entry {
  readonly path: string
  readonly type: string
  readonly mode?: string
  readonly uid?: number
  readonly gid?: number
  readonly sizeBytes?: number
  readonly sha256?: string
  readonly target?: string
  readonly package?: string
  readonly version?: string
  readonly requestedBy: readonly string[]
  readonly neededBy?: readonly string[]
}

interface Manifest {
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[]
  readonly target: Readonly<Record<string, readonly Entry[]>>
}

interface Lock {
  readonly sets: readonly {
    readonly packages: readonly { readonly name: string; readonly version: string }[]
  }[]
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('manifest.json', () => {
  let manifest: Manifest
  let lock: Lock
  let image = ''
  let kernelConfig = ''
  let entries: ReadonlyMap<string, Entry>

  beforeAll(async () => {
    const folder = await systemFolder(
      systemText([
        "const nft = system.packages.file('nftables', '/usr/sbin/nft')",
        "system.services.oneshot({ name: 'filter', description: 'rules', kmods: ['nf_tables'], up: nft + ' list ruleset' })",
        "system.files.text('/etc/motd', 'hello\\n', { mode: 0o640, uid: 7, gid: 8 })",
        "system.files.hardlink('/etc/motd.second', '/etc/motd')",
        "system.files.device('/dev/special', { kind: 'character', major: 10, minor: 200 })",
      ]),
    )
    const { exitCode, stderr } = await firmwright(['build', 'system.ts', 'rootfs', 'kernel', '--offline'], {
      cwd: folder,
    })
    expect(exitCode, stderr).toBe(0)
    manifest = JSON.parse(readFileSync(join(folder, 'build/rootfs/manifest.json'), 'utf8')) as Manifest
    lock = JSON.parse(readFileSync(join(folder, 'firmwright.lock'), 'utf8')) as Lock
    image = join(folder, 'build/rootfs/rootfs.squashfs')
    kernelConfig = readFileSync(join(folder, 'build/kernel/config'), 'utf8')
    entries = new Map((manifest.target['rootfs.squashfs'] ?? []).map((entry) => [entry.path, entry]))
  }, 600_000)

  it("stands beside a kernel's configuration in the words of its own build", () => {
    expect(kernelConfig).toMatch(/^#\n# Automatically generated file; DO NOT EDIT\.\n/)
    expect(kernelConfig).toContain('\nCONFIG_ARM64=y\n')
    expect(kernelConfig).toMatch(/\nCONFIG_CC_VERSION_TEXT="[^"\n]+"\n/)
    expect(kernelConfig).toMatch(/\n# CONFIG_\w+ is not set\n/)
  })

  it('names the files of the output', () => {
    const bytes = readFileSync(image)
    expect(manifest.files).toEqual([
      { name: 'rootfs.squashfs', sizeBytes: bytes.length, sha256: sha256(bytes) },
    ])
  })

  it('has every name that unsquashfs finds, and no other, with kind, mode, owner, size and target', () => {
    const listed = execFileSync('unsquashfs', ['-lln', image], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    const kinds: Readonly<Record<string, string>> = {
      '-': 'file',
      d: 'directory',
      l: 'symlink',
      c: 'character device',
    }
    const seen = new Set<string>()
    for (const line of listed.split('\n')) {
      const match =
        /^(.)(\S{9}) (\d+)\/(\d+)\s+(\d+(?:,\s*\d+)?) \S+ \S+ squashfs-root(\/\S+?)(?: -> (.*))?$/.exec(line)
      if (match === null) continue
      const [, kind = '', mode = '', uid, gid, size = '', path = '', target] = match
      const entry = entries.get(path)
      expect(entry, path).toBeDefined()
      if (entry === undefined) continue
      seen.add(path)
      const file = entry.type === 'hardlink' ? entries.get(entry.target ?? '') : entry
      expect(file?.type, path).toBe(kinds[kind])
      if (file?.mode !== undefined) {
        expect(modeText(file.mode), path).toBe(mode)
        expect([file.uid, file.gid], path).toEqual([Number(uid), Number(gid)])
      }
      if (file?.type === 'file') expect(file.sizeBytes, path).toBe(Number(size))
      if (file?.type === 'symlink') expect(file.target, path).toBe(target)
    }
    expect([...entries.keys()].filter((path) => !seen.has(path))).toEqual([])
    expect(seen.size).toBeGreaterThan(80)
  })

  it('has the SHA-256 of what unsquashfs takes out', () => {
    const folder = join(temporaryFolder(), 'root')
    // Without the right to make device nodes it ends with 2 and has taken out everything else.
    try {
      execFileSync('unsquashfs', ['-q', '-n', '-no-xattrs', '-d', folder, image], { stdio: 'pipe' })
    } catch (error) {
      expect((error as { status: number }).status).toBe(2)
    }
    for (const { path, type, sha256: listed, target } of entries.values()) {
      if (type === 'file') expect(sha256(readFileSync(join(folder, path))), path).toBe(listed)
      if (type === 'hardlink') {
        expect(sha256(readFileSync(join(folder, path))), path).toBe(entries.get(target ?? '')?.sha256)
      }
    }
  })

  it('names the pinned package and version of each file that is from one', () => {
    const pins = new Map(
      lock.sets.flatMap(({ packages }) => packages).map(({ name, version }) => [name, version]),
    )
    const packaged = [...entries.values()].filter((entry) => entry.package !== undefined)
    for (const entry of packaged) expect(entry.version, entry.path).toBe(pins.get(entry.package ?? ''))
    const owners = new Set(packaged.map((entry) => entry.package))
    expect([...owners]).toEqual(
      expect.arrayContaining(['busybox', 'libc6', 'nftables', 'libnftables1', 'openrc']),
    )
    expect([...entries.keys()].find((path) => path.endsWith('/nf_tables.ko'))).toBeDefined()
    expect([...owners].some((name) => name?.startsWith(kernelPackage.replace(/cloud-arm64$/, '')))).toBe(true)
  })

  it('says who asked for each file, by line of the system file, and what it is needed by', () => {
    const nothing = [...entries.values()].filter(
      (entry) => entry.type !== 'directory' && entry.requestedBy.length === 0,
    )
    expect(nothing).toEqual([])
    expect(entries.get('/usr/sbin/nft')?.requestedBy).toEqual([`system.ts:${setupLine}`])
    expect(entries.get('/etc/motd')?.requestedBy).toEqual([`system.ts:${setupLine + 2}`])
    const module = [...entries.values()].find(({ path }) => path.endsWith('/nf_tables.ko'))
    expect(module?.requestedBy).toEqual([`system.ts:${setupLine + 1}`])
    const library = [...entries.values()].find(({ path }) => /\/libnftables\.so[.\d]*$/.test(path))
    expect(library?.neededBy?.[0]).toBe('/usr/sbin/nft')
    expect(library?.requestedBy).toEqual([`system.ts:${setupLine}`])
    const base = entries.get('/usr/bin/busybox')
    expect(base?.requestedBy).toContain('base system (system.ts:5)')
    for (const { requestedBy } of entries.values()) expect(requestedBy.join(' ')).not.toMatch(/(^|[( ])\//)
  })
})

/** `0755` as `ls` writes it. */
function modeText(octal: string): string {
  const bits = Number.parseInt(octal, 8)
  const letters = [...'rwxrwxrwx'].map((letter, index) => (bits & (0o400 >> index) ? letter : '-'))
  const special: readonly (readonly [number, number, string])[] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ]
  for (const [bit, index, letter] of special) {
    if (bits & bit) letters[index] = letters[index] === 'x' ? letter : letter.toUpperCase()
  }
  return letters.join('')
}
