/** Signatures of modules for a kernel that loads no others (CONFIG_MODULE_SIG_FORCE; Documentation/admin-guide/module-signing.rst). */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import type { BuildFolder } from './build-folder.ts'

/**
 * Signs modules with the key of the flashed kernel's build, as `make modules_install` would.
 *
 * @param folder where the modules lie
 * @returns what stands against it, a sentence each: no key, or not the one whose certificate is in that kernel
 */
export async function signModules(
  build: BuildFolder,
  folder: string,
  modules: readonly string[],
): Promise<readonly string[]> {
  const hash = build.config.get('MODULE_SIG_HASH') ?? 'sha512'
  const named = build.config.get('MODULE_SIG_KEY') ?? ''
  const key = isAbsolute(named) || named.startsWith('pkcs11:') ? named : join(build.folder, named)
  const certificate = join(build.folder, 'certs/signing_key.x509')
  const only = 'this kernel loads signed modules only (CONFIG_MODULE_SIG_FORCE)'
  if ((!key.startsWith('pkcs11:') && !existsSync(key)) || !existsSync(certificate))
    return [`${only}, and the key that its build signed with, ${named}, is not there any more`]
  // The certificates that a kernel trusts are built into it as they are.
  const trusted = readFileSync(join(build.folder, 'certs/system_certificates.o'))
  if (trusted.indexOf(readFileSync(certificate)) === -1)
    return [`${only}, and the certificate ${certificate} is not the one that is built into it`]
  for (const path of modules)
    await promisify(execFile)(join(build.folder, 'scripts/sign-file'), [
      hash,
      key,
      certificate,
      join(folder, path),
    ])
  return []
}
