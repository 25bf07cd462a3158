/**
 * `npm run verify [NAME…] [-- --write]`: runs every verification, or those named, prints their tables and ends with 1 if
 * anything disagreed. `--write` puts the tables into docs/verification.md.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { markdown, verdict, withSection } from './report.ts'
import type { Verification } from './verification.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const document = join(here, '../docs/verification.md')

const args = process.argv.slice(2)
const names = args.filter((arg) => arg !== '--write')
const all = await verifications()
const unknown = names.filter((name) => !all.some((one) => one.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no verification is called ${unknown.join(', ')}; there are:\n`)
  for (const { name, title } of all) process.stderr.write(`  ${name.padEnd(28)} ${title}\n`)
  process.exit(2)
}
let failures = 0
for (const one of all) {
  if (names.length === 0 || names.includes(one.name)) failures += await verify(one)
}
process.exit(failures === 0 ? 0 : 1)

async function verifications(): Promise<readonly Verification[]> {
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  const found: Verification[] = []
  for (const file of files.filter((name) => name.endsWith('/verify.ts')).sort()) {
    const module = await import(pathToFileURL(join(here, file)).href)
    found.push(...(module.verifications as readonly Verification[]))
  }
  return found
}

/** How often it and the judge disagreed. */
async function verify({ name, title, run }: Verification): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'firmwright-verify-'))
  const begun = Date.now()
  try {
    const progress = (text: string) => process.stderr.write(`${name}: ${text}\n`)
    const judgement = await run({ folder, progress })
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1)
    const date = new Date(begun).toISOString().slice(0, 10)
    const when = `Run on ${date}: ${type()} ${release().split('-')[0]}, Node ${process.versions.node}; ${minutes} minutes; ${verdict(judgement)}.`
    const section = `## ${title}\n\n${markdown(judgement)}\n\n${when} \`npm run verify ${name}\``
    process.stdout.write(`${section}\n\n`)
    if (args.includes('--write')) {
      writeFileSync(document, withSection(readFileSync(document, 'utf8'), name, section))
    }
    return judgement.failures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
