import { posix } from 'node:path'
import { canonicalPath, type Entry, type FileTree } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { firmwareFiles, type Kmod } from '../kmod/index.ts'
import type { NamedPlan } from './load-plans.ts'

const firmwareFolder = '/usr/lib/firmware/'

/** The firmware that a tree has, each file by its path below the folder of firmware. */
export function firmwarePaths(tree: FileTree): readonly string[] {
  return [...tree.keys()].flatMap((path) =>
    path.startsWith(firmwareFolder) ? [path.slice(firmwareFolder.length)] : [],
  )
}

/**
 * The firmware of a plan that the root has, for an initramfs: what is loaded there asks before there is a root to look in.
 * Where the name is a link, what it leads to comes along.
 */
export async function planFirmware(kernel: Kernel, plan: NamedPlan, root: FileTree): Promise<FileTree> {
  const kmods: Kmod[] = []
  for (const { name } of plan.steps) {
    const kmod = await kernel.modules.load(name)
    // What cannot be read is for the proof of what ships to refuse.
    if (kmod.ok) kmods.push(kmod.value)
  }
  const found = new Map<string, Entry>()
  for (const path of firmwareFiles(kmods, firmwarePaths(root), kernel)) add(firmwareFolder + path)
  return found

  function add(path: string): void {
    const entry = root.get(path)
    if (entry === undefined || found.has(path)) return
    found.set(path, entry)
    if (entry.type === 'symlink') add(canonicalPath(posix.resolve(posix.dirname(path), entry.target)))
    else if (entry.type === 'hardlink') add(entry.target)
  }
}
