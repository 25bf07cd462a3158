/**
 * What a rebuild has made of a kernel: the judge of `kernel impact`, which shares no code with it. Objects are listed by
 * `ar`, taken apart by readelf and objdump; exports are lines of Module.symvers; vmlinux is compared by its bytes.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sectionsDigest } from './object-sections.ts'

export interface Rebuilt {
  /** built-in objects whose sections differ, that are new, or that are gone */
  readonly objects: readonly string[]
  /** lines of Module.symvers for vmlinux that are in one of the builds only */
  readonly exports: number
  /** vmlinux has the same bytes, without its build-id */
  readonly sameImage: boolean
}

const toolPrefix = 'aarch64-linux-gnu-'

/** Objects that only say when and by whom a kernel was built, or with which configuration (IKCONFIG). */
const tellOfTheBuild = /^(?:init\/version(?:-timestamp)?|kernel\/configs)\.o$/

function compareObjects(before: string, after: string): readonly string[] {
  const old = builtinObjects(before)
  const now = builtinObjects(after)
  const moved = [...old].filter((path) => !now.has(path)).concat([...now].filter((path) => !old.has(path)))
  const different = [...old].filter((path) => now.has(path) && differs(join(before, path), join(after, path)))
  return [...moved, ...different].sort()
}

/** Of those of the objects that are built in. */
export function objectDigests(folder: string, paths: readonly string[]): ReadonlyMap<string, string> {
  const all = builtinObjects(folder)
  const there = paths.filter((path) => all.has(path))
  return new Map(there.map((path) => [path, sectionsDigest(join(folder, path), toolPrefix)]))
}

export function compareKernels(before: string, after: string): Rebuilt {
  const old = exportsOf(before)
  const now = exportsOf(after)
  return {
    objects: compareObjects(before, after),
    exports: [...old].filter((line) => !now.has(line)).concat([...now].filter((line) => !old.has(line)))
      .length,
    sameImage: imageDigest(before) === imageDigest(after),
  }
}

/** Members of vmlinux.a, and of the libraries from which the link takes what it needs. */
function builtinObjects(folder: string): ReadonlySet<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const archives = files.filter((path) => path === 'vmlinux.a' || path.endsWith('/lib.a'))
  const members = archives.flatMap((archive) =>
    execFileSync(`${toolPrefix}ar`, ['t', archive], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }).split('\n'),
  )
  return new Set(members.filter((path) => path.endsWith('.o') && !tellOfTheBuild.test(path)))
}

function differs(before: string, after: string): boolean {
  if (readFileSync(before).equals(readFileSync(after))) return false
  return sectionsDigest(before, toolPrefix) !== sectionsDigest(after, toolPrefix)
}

const exportsOf = (folder: string): ReadonlySet<string> =>
  new Set(
    readFileSync(join(folder, 'Module.symvers'), 'utf8')
      .split('\n')
      .filter((line) => line.split('\t')[2] === 'vmlinux'),
  )

/** Of what of vmlinux gets into memory, without `.notes`, where the linker puts the build-id. */
export function imageDigest(folder: string): string {
  const scratch = mkdtempSync(join(tmpdir(), 'firmwright-image-'))
  try {
    const image = join(scratch, 'image')
    const args = ['-O', 'binary', '--remove-section=.notes', join(folder, 'vmlinux'), image]
    execFileSync(`${toolPrefix}objcopy`, args)
    return createHash('sha256').update(readFileSync(image)).digest('hex')
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
