/** The tests that Linux keeps for its own conf, against ours: they type at prompts and compare what comes back. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { linuxSource } from '../../test/material.ts'
import type { Judgement, VerifyContext } from '../verification.ts'

const library = pathToFileURL(fileURLToPath(new URL('../../dist/kconfig/index.js', import.meta.url))).href

/** Takes conf's arguments; the tests name their own folder as the tree, so the dialect is that of the real one. */
const program = (srctree: string): string => `
import { createNodeHost, detectDialect, fileReader, runConf } from ${JSON.stringify(library)}
const dialect = detectDialect(fileReader(${JSON.stringify(srctree)}))
process.exitCode = await runConf(process.argv.slice(2), createNodeHost({ dialect }))
`

/** The tests press Enter while the program lives, and fail when the pipe closes meanwhile: what is left is read away. */
const wrapper = (file: string): string => `#!/bin/sh
${process.execPath} ${file} "$@"
status=$?
timeout 0.2 cat >/dev/null
exit $status
`

export async function verifyOwnTests({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const version of ['6.1', '6.12'] as const) {
    const srctree = await linuxSource(version)
    const place = join(folder, version)
    mkdirSync(join(place, 'scripts/kconfig'), { recursive: true })
    const file = join(place, 'conf.mjs')
    writeFileSync(file, program(srctree))
    const conf = join(place, 'scripts/kconfig/conf')
    writeFileSync(conf, wrapper(file))
    chmodSync(conf, 0o755)
    const args = ['-B', '-m', 'pytest', '-p', 'no:cacheprovider', join(srctree, 'scripts/kconfig/tests')]
    const { stdout } = spawnSync('/usr/bin/python3', args, { cwd: place, encoding: 'utf8' })
    const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(stdout)?.[1] ?? 0)
    const passed = count('passed')
    const failed = count('failed') + count('error')
    if (passed === 0 || failed > 0) progress(stdout)
    failures += failed + (passed === 0 ? 1 : 0)
    rows.push([`Linux ${version}`, passed + failed, failed])
  }
  return {
    columns: ['tree', 'tests of scripts/kconfig/tests', 'failed'],
    rows,
    notes: ['Through each tree’s `conftest.py`, with `runConf` in the place of `scripts/kconfig/conf`.'],
    failures,
  }
}
