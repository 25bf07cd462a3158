/** Folders that a command finds again the next time (`CommandRecipe.kept`), in kept/ of the store. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Weight, weighFolder } from './contents.ts'
import { emptyFolder, type Store } from './store.ts'

export interface KeptFolder {
  /** in the working folder */
  readonly path: string
  /** on this machine */
  readonly source: string
}

/** Makes the folders, and in the working folder the places where they will appear. */
export function placeKept(
  store: Store,
  workFolder: string,
  kept: Readonly<Record<string, string>>,
  sandboxed: boolean,
): readonly KeptFolder[] {
  return Object.entries(kept).map(([path, name]) => {
    if (!/^[\w-][\w.-]*$/.test(name)) throw new Error(`no name for a kept folder: ${name}`)
    const source = `${store.folder}/kept/${name}/folder`
    mkdirSync(source, { recursive: true })
    const place = `${workFolder}/${path}`
    mkdirSync(sandboxed ? place : dirname(place), { recursive: true })
    if (!sandboxed) symlinkSync(source, place)
    return { path, source }
  })
}

/**
 * What to put before a command, so that it has the folders alone. The lock is the kernel's: whatever way its holder
 * ends, it is free. In the order of names, so that two commands never wait for each other.
 */
export function lockArguments(folders: readonly KeptFolder[]): readonly string[] {
  const sources = folders.map(({ source }) => source).sort()
  return sources.flatMap((source) => ['flock', '--no-fork', `${dirname(source)}/lock`])
}

/** A store of an older Firmwright has none. */
export function weighKept(storeFolder: string): Weight {
  const folder = `${storeFolder}/kept`
  return existsSync(folder) ? weighFolder(folder) : { count: 0, bytes: 0 }
}

/** Removes them all; nobody may have the store open. */
export function removeKept(storeFolder: string): Weight {
  const weight = weighKept(storeFolder)
  if (weight.count > 0) emptyFolder(`${storeFolder}/kept`)
  return weight
}
