/** `npm run bench [NAME…]`: runs every file of this folder that measures something, or those named. */
import { readdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const all = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -'.ts'.length))
const names = process.argv.slice(2)
const unknown = names.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`nothing here measures ${unknown.join(', ')}; there are: ${all.join(', ')}\n`)
  process.exit(2)
}
for (const name of names.length === 0 ? all : names) {
  process.stdout.write(`${name}\n`)
  await import(pathToFileURL(`${here}${name}.ts`).href)
}
