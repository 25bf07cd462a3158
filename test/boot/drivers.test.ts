import { expect, it } from 'vitest'
import { devices, loadedModules, moduleNames, output } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()

it('drivers are loaded for what the device tree has, out of modules that the kernel has compressed', async () => {
  const { folder, manifest } = await rig.build('drivers', devices[0])
  const planned = moduleNames(manifest.loadPlans.drivers)
  expect(planned).toContain('virtio_mmio')
  expect(manifest.loadPlans.drivers?.filter((path) => !path.endsWith('.ko'))).toEqual([])
  const machine = await rig.boot({ folder })
  expect(await loadedModules(machine)).toEqual(expect.arrayContaining(planned))
  expect(await output(machine, 'find /usr/lib/modules -name "*.ko*" ! -name "*.ko"')).toBe('')
})
