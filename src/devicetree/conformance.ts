/**
 * Judges this room by dtc's own tools over a set of files. The unit tests run it over a few small trees with a fixed
 * seed, the long verification over every tree of a distribution's kernels. Not part of the room's public face.
 *
 * Needs `dtc`, `fdtput` and `fdtoverlay` (package device-tree-compiler).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../test/seeded-random.ts'
import { addNode, deleteNode, deleteProperty, ensureNode, setProperty } from './edit.ts'
import { memoryBanks, reservedMemory } from './memory.ts'
import { type DeviceNode, type DeviceTree, EMPTY_TREE, type NodeRef, walk } from './model.ts'
import { mergeOverlay } from './overlay.ts'
import { printDevicetree, printNode } from './print.ts'
import { phandleOf } from './query.ts'
import { readDevicetree } from './read.ts'
import type { EditError, Result } from './result.ts'
import { cellsValue, stringValue } from './value.ts'
import { writeDevicetree } from './write.ts'

export interface Conformance {
  /** How many files, sequences, pairs or mutations were looked at. */
  readonly checked: number
  /** How many of them both sides refused (edits, overlays) or we refused (mutations). */
  readonly refused: number
  /** One line for each disagreement; empty when all is well. */
  readonly failures: readonly string[]
}

/** Files below a folder that end so, sorted. */
export function findFiles(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort()
}

interface Run {
  readonly ok: boolean
  readonly stdout: Buffer
  readonly stderr: string
}

function run(program: string, args: readonly string[], input?: Uint8Array): Run {
  const done = spawnSync(program, args, {
    input,
    maxBuffer: 1 << 28,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  if (done.error !== undefined) throw done.error
  return { ok: done.status === 0, stdout: done.stdout, stderr: done.stderr.toString() }
}

/** A tree (or, with `/plugin/`, an overlay) compiled by dtc from source text; for tests. */
export function compileSource(source: string, ...options: readonly string[]): Buffer {
  const done = run('dtc', ['-q', '-I', 'dts', '-O', 'dtb', ...options, '-'], Buffer.from(source))
  if (!done.ok) throw new Error(`dtc: ${done.stderr}`)
  return done.stdout
}

/** What dtc makes of a tree: its text (sorted with `-s`) and its warnings. */
export function dtcText(
  tree: Uint8Array,
  ...options: readonly string[]
): { readonly text: string; readonly warnings: string } {
  const done = run('dtc', ['-I', 'dtb', '-O', 'dts', ...options, '-'], tree)
  return { text: done.ok ? done.stdout.toString('latin1') : `dtc: ${done.stderr}`, warnings: done.stderr }
}

/**
 * Reads and writes each file: dtc must print the same text and the same warnings for both, our file must not be
 * larger than dtc's, and our own text must be dtc's and compile to the same tree.
 */
export function verifyRoundTrips(files: readonly string[]): Conformance {
  const failures = files.flatMap((file) => {
    const bytes = readFileSync(file)
    return verifyRoundTrip(bytes).map((failure) => `${file}: ${failure}`)
  })
  return { checked: files.length, refused: 0, failures }
}

function verifyRoundTrip(bytes: Uint8Array): readonly string[] {
  const tree = readDevicetree(bytes)
  if (!tree.ok) return [tree.error.message]
  const written = writeDevicetree(tree.value)
  const failures: string[] = []
  const before = dtcText(bytes, '-s')
  const after = dtcText(written, '-s')
  if (before.text !== after.text) failures.push('dtc prints another text for the written file')
  if (before.warnings !== after.warnings) failures.push('dtc has other warnings for the written file')
  const theirs = run('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', '-'], bytes).stdout
  if (written.length > theirs.length)
    failures.push(`written ${written.length} bytes, dtc writes ${theirs.length}`)
  const printed = printDevicetree(tree.value)
  const expected = dtcText(bytes).text
  // dtc 1.6 prints "a\0b" where we and dtc 1.7 print "a", "b".
  if (printed.replaceAll('", "', '\\0') !== expected.replaceAll('", "', '\\0'))
    failures.push('our text is not that of dtc')
  const compiled = run('dtc', ['-q', '-f', '-I', 'dts', '-O', 'dtb', '-'], Buffer.from(printed, 'latin1'))
  if (dtcText(compiled.stdout, '-s').text !== before.text) failures.push('our text compiles to another tree')
  return failures
}

type Edit =
  | {
      readonly verb: 'cells' | 'bytes'
      readonly path: string
      readonly name: string
      readonly numbers: readonly number[]
    }
  | {
      readonly verb: 'strings'
      readonly path: string
      readonly name: string
      readonly strings: readonly string[]
    }
  | { readonly verb: 'delete-property'; readonly path: string; readonly name: string }
  | { readonly verb: 'add' | 'ensure' | 'delete'; readonly path: string }

function hex(number: number): string {
  return number.toString(16)
}

function fdtputArguments(file: string, edit: Edit): readonly string[] {
  switch (edit.verb) {
    case 'cells':
      return ['-t', 'x', file, edit.path, edit.name, ...edit.numbers.map(hex)]
    case 'bytes':
      return ['-t', 'bx', file, edit.path, edit.name, ...edit.numbers.map(hex)]
    case 'strings':
      return ['-t', 's', file, edit.path, edit.name, ...edit.strings]
    case 'delete-property':
      return ['-d', file, edit.path, edit.name]
    case 'add':
      return ['-c', file, edit.path]
    case 'ensure':
      return ['-cp', file, edit.path]
    case 'delete':
      return ['-r', file, edit.path]
  }
}

function applyEdit(tree: DeviceTree, edit: Edit): Result<DeviceTree, EditError> {
  switch (edit.verb) {
    case 'cells':
      return setProperty(tree, edit.path, edit.name, cellsValue(...edit.numbers))
    case 'bytes':
      return setProperty(tree, edit.path, edit.name, Buffer.from(edit.numbers))
    case 'strings':
      return setProperty(tree, edit.path, edit.name, stringValue(...edit.strings))
    case 'delete-property':
      return deleteProperty(tree, edit.path, edit.name)
    case 'add':
      return addNode(tree, edit.path)
    case 'ensure':
      return ensureNode(tree, edit.path)
    case 'delete':
      return deleteNode(tree, edit.path)
  }
}

/** Whether libfdt takes another node for this path: an earlier sibling of the same name with a unit address. */
function isAmbiguous(ref: NodeRef): boolean {
  for (let at = ref; at.parent !== undefined; at = at.parent) {
    const first = at.parent.node.children.find(
      ({ name }) => name === at.node.name || name.startsWith(`${at.node.name}@`),
    )
    if (first !== at.node) return true
  }
  return false
}

/** An edit that mostly can be done, and now and then cannot: a path or name that is not there, or is there twice. */
function randomEdit(tree: DeviceTree, random: (below: number) => number): Edit {
  const refs = [...walk(tree)].filter((candidate) => !isAmbiguous(candidate))
  const ref = refs[random(refs.length)]
  const missing = random(12) === 0
  const path = missing ? `${ref?.path === '/' ? '' : ref?.path}/missing@0` : (ref?.path ?? '/')
  const properties = ref?.node.properties ?? []
  const known = properties[random(properties.length)]?.name
  const name = known !== undefined && random(3) > 0 ? known : `firmwright,test-${random(6)}`
  const below = path === '/' ? '' : path
  switch (random(8)) {
    case 0:
    case 1:
      return {
        verb: 'cells',
        path,
        name,
        numbers: Array.from({ length: 1 + random(8) }, () => random(0x100000000)),
      }
    case 2:
      return { verb: 'bytes', path, name, numbers: Array.from({ length: 1 + random(9) }, () => random(256)) }
    case 3:
      return {
        verb: 'strings',
        path,
        name,
        strings: Array.from({ length: 1 + random(4) }, () => `text${random(1e6)}`),
      }
    case 4:
      return { verb: 'delete-property', path, name }
    case 5:
      return { verb: 'add', path: `${below}/new@${hex(random(8))}` }
    case 6:
      return { verb: 'ensure', path: `${below}/deep@${hex(random(4))}/er@${hex(random(4))}` }
    default:
      return { verb: 'delete', path }
  }
}

/**
 * Whether dtc prints the same text for both. An edit may have made nonsense of a phandle: -f prints it all the same.
 * Some nonsense (a `#interrupt-cells` of two cells) fails an assertion in dtc's own checks, whatever the options: then
 * both are read by us, and only their order is set aside.
 */
function isSameTree(ours: Uint8Array, theirs: Uint8Array): boolean {
  const [a, b] = [dtcText(ours, '-s', '-f'), dtcText(theirs, '-s', '-f')]
  if (!a.text.includes('Assertion') || !b.text.includes('Assertion')) return a.text === b.text
  const [first, second] = [readDevicetree(ours), readDevicetree(theirs)]
  return first.ok && second.ok && printNode(sorted(first.value.root)) === printNode(sorted(second.value.root))
}

function sorted(node: DeviceNode): DeviceNode {
  const byName = (x: { readonly name: string }, y: { readonly name: string }) => (x.name < y.name ? -1 : 1)
  const children = node.children.map(sorted).sort(byName)
  return { ...node, properties: node.properties.toSorted(byName), children }
}

/** Random sequences of edits, each made by fdtput on a file and by us on a tree: the trees must be the same. */
export function verifyEdits(files: readonly string[], seed: number, sequences: number): Conformance {
  const random = seededRandom(seed)
  const folder = mkdtempSync(join(tmpdir(), 'devicetree-edits-'))
  const failures: string[] = []
  let refused = 0
  try {
    for (let sequence = 0; sequence < sequences; sequence++) {
      const source = files[random(files.length)]
      if (source === undefined) break
      const bytes = readFileSync(source)
      const file = join(folder, 'tree.dtb')
      writeFileSync(file, bytes)
      const start = readDevicetree(bytes)
      if (!start.ok) {
        failures.push(`${source}: ${start.error.message}`)
        continue
      }
      let tree = start.value
      const label = `${source}, seed ${seed}, sequence ${sequence}`
      const done: Edit[] = []
      for (let left = 1 + random(10); left > 0; left--) {
        const edit = randomEdit(tree, random)
        // fdtput -r on the root empties it but for the node itself; for us that is no deletion.
        if (edit.verb === 'delete' && edit.path === '/') continue
        const ours = applyEdit(tree, edit)
        const theirs = run('fdtput', fdtputArguments(file, edit))
        if (ours.ok !== theirs.ok) {
          const word = ours.ok
            ? `fdtput refuses (${theirs.stderr.trim()})`
            : `only we refuse (${ours.error.message})`
          failures.push(`${label}: ${JSON.stringify(edit)}: ${word}`)
          break
        }
        if (ours.ok) tree = ours.value
        else refused++
        done.push(edit)
      }
      if (!isSameTree(writeDevicetree(tree), readFileSync(file))) {
        failures.push(`${label}: fdtput made another tree of ${JSON.stringify(done)}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { checked: sequences, refused, failures }
}

/**
 * Overlays laid over bases, by fdtoverlay (a command, by default the host's) and by us: the same tree, or both refuse.
 * Where libfdt 1.6 takes a phandle away from a node of the base (see overlay.ts) its tree is no judge, and the pair is
 * not counted.
 */
export function verifyOverlays(
  pairs: readonly (readonly [base: string, overlay: string])[],
  [fdtoverlay, ...options]: readonly [string, ...string[]] = ['fdtoverlay'],
): Conformance {
  const folder = mkdtempSync(join(tmpdir(), 'devicetree-overlays-'))
  const failures: string[] = []
  let refused = 0
  let uncounted = 0
  try {
    for (const [baseFile, overlayFile] of pairs) {
      const label = `${baseFile} + ${overlayFile}`
      const base = readDevicetree(readFileSync(baseFile))
      const overlay = readDevicetree(readFileSync(overlayFile))
      if (!base.ok || !overlay.ok) {
        failures.push(`${label}: cannot be read`)
        continue
      }
      const output = join(folder, 'merged.dtb')
      const theirs = run(fdtoverlay, [...options, '-i', baseFile, '-o', output, overlayFile])
      const ours = mergeOverlay(base.value, overlay.value)
      if (ours.ok !== theirs.ok) {
        failures.push(`${label}: ${ours.ok ? `fdtoverlay refuses: ${theirs.stderr}` : ours.error.message}`)
      } else if (!ours.ok) {
        refused++
      } else if (losesPhandle(base.value, readFileSync(output))) {
        uncounted++
      } else if (
        dtcText(writeDevicetree(ours.value), '-s').text !== dtcText(readFileSync(output), '-s').text
      ) {
        failures.push(`${label}: fdtoverlay made another tree`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { checked: pairs.length - uncounted, refused, failures }
}

function losesPhandle(base: DeviceTree, merged: Uint8Array): boolean {
  const after = readDevicetree(merged)
  if (!after.ok) return false
  const left = new Set([...walk(after.value)].map((ref) => phandleOf(ref.node)))
  return [...walk(base)].some((ref) => !left.has(phandleOf(ref.node)))
}

/** Changes some bytes, words or the length of a file, mostly where it hurts: in the header and the structure. */
export function mutate(bytes: Uint8Array, random: (below: number) => number): Buffer {
  const mutated = Buffer.from(bytes)
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(3) === 0 ? random(Math.min(64, mutated.length)) : random(mutated.length)
    switch (random(4)) {
      case 0:
        mutated[at] = random(256)
        break
      case 1:
        mutated[at] = (mutated[at] ?? 0) ^ (1 << random(8))
        break
      case 2:
        mutated.fill(random(2) * 255, at, Math.min(at + 1 + random(8), mutated.length))
        break
      default: {
        const word = at & ~3
        const values = [
          0,
          1,
          2,
          3,
          4,
          9,
          0x7fffffff,
          0xfffffffc,
          0xffffffff,
          mutated.length,
          random(0x100000000),
        ]
        if (word + 4 <= mutated.length) mutated.writeUInt32BE(values[random(values.length)] ?? 0, word)
      }
    }
  }
  return random(8) === 0 ? mutated.subarray(0, random(mutated.length)) : mutated
}

/** Room for what the garbage collector leaves for later; a size out of a damaged file may be gigabytes. */
const MOST_GROWTH_BYTES = 256 << 20

/**
 * Mutated files: each is refused with an error that lies within the file, or read; and what was read can be printed,
 * written, read again as the same tree, asked for its memory and laid over another. Nothing may throw or take longer
 * than a second, and the process may not grow by more than {@link MOST_GROWTH_BYTES}. `kinds` counts the refusals by
 * the type of the error.
 */
export function verifyMutations(
  files: readonly string[],
  seed: number,
  mutations: number,
): Conformance & { readonly grownBytes: number; readonly kinds: ReadonlyMap<string, number> } {
  const random = seededRandom(seed)
  const sources = files.map((file) => readFileSync(file))
  const first = sources[0] === undefined ? undefined : readDevicetree(sources[0])
  const base = first?.ok ? first.value : EMPTY_TREE
  const failures: string[] = []
  const kinds = new Map<string, number>()
  const startBytes = process.memoryUsage.rss()
  let grownBytes = 0
  for (let index = 0; index < mutations && failures.length < 10; index++) {
    const source = sources[random(sources.length)]
    if (source === undefined) break
    const bytes = mutate(source, random)
    const label = `seed ${seed}, mutation ${index}`
    const started = process.cpuUsage()
    try {
      const tree = readDevicetree(bytes)
      if (!tree.ok) {
        kinds.set(tree.error.type, (kinds.get(tree.error.type) ?? 0) + 1)
        if (tree.error.offsetBytes > bytes.length) failures.push(`${label}: ${tree.error.message}`)
      } else {
        const written = writeDevicetree(tree.value)
        const again = readDevicetree(written)
        if (!again.ok || !writeDevicetree(again.value).equals(written))
          failures.push(`${label}: not read as written`)
        printDevicetree(tree.value)
        memoryBanks(tree.value)
        reservedMemory(tree.value)
        const merged = mergeOverlay(base, tree.value)
        if (merged.ok) writeDevicetree(merged.value)
      }
    } catch (error) {
      failures.push(`${label}: threw ${String(error)}`)
    }
    // Time of the processor and not of the clock: the machine may have other work.
    const used = process.cpuUsage(started)
    const usedMs = (used.user + used.system) / 1000
    if (usedMs > 1000) failures.push(`${label}: took ${usedMs} ms`)
    if (index % 64 === 0) grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - startBytes)
  }
  if (grownBytes > MOST_GROWTH_BYTES) failures.push(`seed ${seed}: the process grew by ${grownBytes} bytes`)
  const refused = [...kinds.values()].reduce((sum, count) => sum + count, 0)
  return { checked: mutations, refused, failures, grownBytes, kinds }
}
