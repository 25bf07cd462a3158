import { readFileSync } from 'node:fs'
import { type Loader, parseLoader } from '../uboot/index.ts'

/** A loader data file of `loaders/`: every field has its source beside it, under `sources`. */
export function readLoaderFile(name: string): Loader {
  // Right from here, and from the program's bundle, which lies in a neighbouring folder.
  const file = new URL(`../devices/loaders/${name}.json`, import.meta.url)
  const loader = parseLoader(JSON.parse(readFileSync(file, 'utf8')))
  if (!loader.ok) throw new Error(`${name}.json: ${loader.error.message}`)
  return loader.value
}
