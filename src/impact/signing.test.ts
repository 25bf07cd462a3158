import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BuildFolder } from './build-folder.ts'
import { signModules } from './signing.ts'

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

/** A build whose kernel trusts one certificate, and a sign-file that appends what it was told. */
function signingBuild(files: Readonly<Record<string, string>>): BuildFolder {
  const folder = mkdtempSync(join(tmpdir(), 'signing-test-'))
  made.push(folder)
  for (const name of ['certs', 'scripts']) mkdirSync(join(folder, name))
  const signFile = '#!/bin/sh\nprintf " signed %s %s" "$1" "${2##*/}" >> "$4"\n'
  writeFileSync(join(folder, 'scripts/sign-file'), signFile, { mode: 0o755 })
  writeFileSync(join(folder, 'certs/system_certificates.o'), 'code CERTIFICATE code')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const config = new Map([
    ['MODULE_SIG_HASH', 'sha256'],
    ['MODULE_SIG_KEY', 'certs/signing_key.pem'],
  ])
  return { folder, config } as unknown as BuildFolder
}

describe('modules for a kernel that loads signed ones only', () => {
  it('are signed with the key of its build', async () => {
    const build = signingBuild({ 'certs/signing_key.pem': 'key', 'certs/signing_key.x509': 'CERTIFICATE' })
    writeFileSync(join(build.folder, 'tun.ko'), 'module')
    expect(await signModules(build, build.folder, ['tun.ko'])).toEqual([])
    expect(readFileSync(join(build.folder, 'tun.ko'), 'utf8')).toBe('module signed sha256 signing_key.pem')
  })
  it('cannot be had without that key', async () => {
    const build = signingBuild({ 'certs/signing_key.x509': 'CERTIFICATE' })
    expect((await signModules(build, build.folder, ['tun.ko'])).join()).toMatch(
      /certs\/signing_key\.pem, is not there/,
    )
  })
  it('nor with another than the one whose certificate it trusts', async () => {
    const build = signingBuild({ 'certs/signing_key.pem': 'key', 'certs/signing_key.x509': 'ANOTHER' })
    expect((await signModules(build, build.folder, ['tun.ko'])).join()).toMatch(
      /is not the one that is built into it/,
    )
  })
})
