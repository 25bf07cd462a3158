import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createKmodSource, type KmodSource, kmodName } from '../index.ts'

/** A `lib/modules/VERSION` on disk, indexed by depmod, so that modprobe answers for it. */
export interface Tree {
  readonly root: string
  readonly version: string
  /** `lib/modules/VERSION`. */
  readonly folder: string
  remove(): void
}

/** Modules by path. */
export function writeTree(
  modules: Readonly<Record<string, Uint8Array>>,
  builtin: readonly string[] = [],
  builtinModinfo: readonly string[] = [],
): Tree {
  const root = mkdtempSync(join(tmpdir(), 'firmwright-kmod-'))
  const version = '6.1.0-test'
  const folder = join(root, 'lib/modules', version)
  for (const [path, kmod] of Object.entries(modules)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), kmod)
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'modules.order'),
    Object.keys(modules)
      .map((path) => `${path}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'modules.builtin'), builtin.map((path) => `${path}\n`).join(''))
  writeFileSync(join(folder, 'modules.builtin.modinfo'), builtinModinfo.map((line) => `${line}\0`).join(''))
  execFileSync('depmod', ['-b', root, version])
  return { root, version, folder, remove: () => rmSync(root, { recursive: true, force: true }) }
}

export function sourceOf({ folder }: Tree): KmodSource {
  return createKmodSource({
    paths: readdirSync(folder, { recursive: true, encoding: 'utf8' }),
    builtin: readFileSync(join(folder, 'modules.builtin'), 'utf8'),
    builtinModinfo: readFileSync(join(folder, 'modules.builtin.modinfo')),
    read: (path) => readFileSync(join(folder, path)),
  })
}

/** What `modprobe --show-depends` would insert: paths relative to the folder, in its order, and built-in names. */
export function showDepends(
  tree: Tree,
  target: string,
): { readonly paths: string[]; readonly builtin: string[] } {
  const text = modprobe(tree, ['--show-depends', target])
  const paths: string[] = []
  const builtin: string[] = []
  for (const line of text.split('\n')) {
    const [verb, rest = ''] = line.trim().split(/\s+/)
    if (verb === 'insmod') paths.push(rest.slice(tree.folder.length + 1))
    else if (verb === 'builtin') builtin.push(kmodName(rest))
  }
  return { paths, builtin }
}

function modprobe(tree: Tree, options: readonly string[]): string {
  try {
    return execFileSync('modprobe', ['-d', tree.root, '-S', tree.version, '-C', '/dev/null', ...options], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    })
  } catch {
    return ''
  }
}
