import { expect, it } from 'vitest'
import { devices, loadedModules, output } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()

it('the kernel gets the modules that it asks for, and those alone', async () => {
  const { folder } = await rig.build('autoload', devices[0])
  const machine = await rig.boot({ folder })
  expect(await loadedModules(machine)).not.toContain('nf_tables')
  await output(machine, 'nft add table ip t && nft add chain ip t c')
  await output(machine, 'nft add rule ip t c ct state new limit rate 1/second accept')
  const loaded = await loadedModules(machine)
  expect(loaded).toEqual(expect.arrayContaining(['nf_tables', 'nft_ct', 'nft_limit']))
  expect(loaded).not.toContain('nft_chain_nat')
  // What does not ship is not there, and nobody waits for it.
  expect((await machine.run('nft add rule ip t c quota over 1 mbytes drop')).status).not.toBe(0)
  await output(machine, "nft add chain ip t n '{ type nat hook postrouting priority 100; }'")
  expect(await loadedModules(machine)).toContain('nft_chain_nat')
  expect(Number(await output(machine, 'wc -c </sbin/modprobe'))).toBeLessThan(20 << 10)
})
