import { expect, it } from 'vitest'
import { applicable } from './conditional.ts'
import { parseConfigFile } from './config-file.ts'

it('takes what hangs on symbols that the kernel has on, built in or as a module', () => {
  const config = parseConfigFile('CONFIG_WLAN=y\nCONFIG_TUN=m\n# CONFIG_BRIDGE is not set\nCONFIG_HZ=250\n')
  const all = ['WLAN', 'TUN', 'BRIDGE', 'HZ', 'UNHEARD_OF'].map((when) => ({ when }))
  expect(applicable({ config }, all).map(({ when }) => when)).toEqual(['WLAN', 'TUN'])
})
