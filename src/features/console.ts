import { z } from 'zod'
import { defineFeature } from '../system/index.ts'

const options = z.strictObject({
  /**
   * `open`: whoever holds the cable is root. `password`: the given crypt(3) text must be met (make one with
   * `mkpasswd -m sha512crypt`).
   */
  login: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('open') }),
    z.strictObject({
      type: z.literal('password'),
      hash: z.string().regex(/^\$[0-9a-z]+\$\S+$/, 'not a crypt(3) text'),
    }),
  ]),
})

/**
 * A login on the device's serial console.
 *
 * ```ts
 * consoleLogin(system, { login: { type: 'open' } })
 * ```
 */
export const consoleLogin = defineFeature('consoleLogin', options, (system, { login }) => {
  system.console.login(login)
})
