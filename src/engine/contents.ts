/** What lies in the folders of a store, as names; nobody is asked to trust them. */
import { lstatSync, readdirSync } from 'node:fs'
import { isSha256 } from './artifact.ts'

export interface StoredFile {
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  /** Permission bits. */
  readonly mode: number
}

export interface Contents {
  readonly files: readonly StoredFile[]
  /** Paths that the store would not have made: another name, another kind, another folder. */
  readonly strays: readonly string[]
}

/** The files of one of the sharded folders: `<folder>/<kind>/ab/<64 hexadecimal digits>`. */
export function listSharded(folder: string, kind: 'blobs' | 'executables' | 'results'): Contents {
  const files: StoredFile[] = []
  const strays: string[] = []
  const top = `${folder}/${kind}`
  for (const shard of readdirSync(top, { withFileTypes: true })) {
    const place = `${top}/${shard.name}`
    if (!shard.isDirectory() || !/^[0-9a-f]{2}$/.test(shard.name)) {
      strays.push(place)
      continue
    }
    for (const name of readdirSync(place)) {
      const path = `${place}/${name}`
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined) continue
      if (stat.isFile() && isSha256(name) && name.startsWith(shard.name)) {
        files.push({ path, name, sizeBytes: stat.size, mode: stat.mode & 0o7777 })
      } else strays.push(path)
    }
  }
  return { files, strays }
}

export interface Weight {
  readonly count: number
  readonly bytes: number
}

export function weigh(files: readonly StoredFile[]): Weight {
  return { count: files.length, bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

/** Files below a folder, however deep; nothing is followed. */
export function weighFolder(folder: string): Weight {
  let count = 0
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      const inside = weighFolder(path)
      count += inside.count
      bytes += inside.bytes
    } else {
      count++
      bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
    }
  }
  return { count, bytes }
}
