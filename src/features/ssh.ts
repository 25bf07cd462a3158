import { z } from 'zod'
import type { ServiceHandle } from '../services/index.ts'
import { defineFeature } from '../system/index.ts'

const options = z.strictObject({
  /** Lines of an authorized_keys file; whoever holds one of the private keys is root. */
  authorizedKeys: z
    .array(
      z
        .string()
        .regex(
          /^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( [^\n]*)?$/,
          'not a public key line (type, base64, comment)',
        ),
    )
    .min(1, 'without a key nobody could log in'),
  port: z.int().min(1).max(65_535).default(22),
})

/**
 * Logging in over the network as root (dropbear), with a key and never with a password. The device makes its host key
 * at the first boot; it survives a restart where the system has a state partition.
 *
 * ```ts
 * ssh(system, { authorizedKeys: ['ssh-ed25519 AAAA… me@example'] })
 * ```
 */
export const ssh = defineFeature('ssh', options, (system, { authorizedKeys, port }): ServiceHandle => {
  const dropbear = system.packages.file('dropbear-bin', '/usr/sbin/dropbear')
  // dropbear writes the keys it makes to this fixed folder.
  system.files.symlink('/etc/dropbear', '../var/lib/dropbear')
  system.files.directory('/root/.ssh', { mode: 0o700 })
  system.files.text('/root/.ssh/authorized_keys', `${authorizedKeys.join('\n')}\n`, { mode: 0o600 })
  return system.services.longrun({
    name: 'ssh',
    description: 'secure shell (keys only)',
    // -F in the foreground, -E log to standard error, -R make missing host keys, -s and -g no passwords at all.
    command: [dropbear, '-F', '-E', '-R', '-s', '-g', '-p', String(port)],
    state: [
      {
        path: '/var/lib/dropbear',
        what: 'the ssh host key (clients see a new one after each start)',
        mode: 0o700,
      },
    ],
  })
})
