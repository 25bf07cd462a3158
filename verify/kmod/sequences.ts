import { join } from 'node:path'
import { startMachine } from '../../src/machine/index.ts'
import { buildVm, devices, output, systemText, untilUp } from '../../test/boot/guest.ts'
import { damages } from '../../test/boot/kmod-model.ts'
import { services, walkSequences } from '../../test/boot/kmod-walk.ts'
import { seededRandom } from '../../test/seeded-random.ts'
import type { Judgement, VerifyContext } from '../verification.ts'

const sequences = 200

/** Random starts and stops of services that share kernel modules, against a model, with failures injected. */
export async function verifySequences({ folder, progress }: VerifyContext): Promise<Judgement> {
  const [device] = devices
  const built = await buildVm(join(folder, 'kmods'), device, await systemText('kmods'))
  const machine = startMachine({ folder: built.folder })
  try {
    await untilUp(machine, 'the guest for sequences')
    const version = await output(machine, 'uname -r')
    const walk = await walkSequences(machine, sequences, seededRandom(200), (sequence) => {
      if ((sequence + 1) % 10 === 0) progress(`${sequence + 1} sequences`)
    })
    for (const line of walk.differences) progress(line)
    const without = damages.filter((damage) => !walk.failures.has(damage))
    return {
      columns: [
        'services',
        'sequences',
        'steps',
        ...damages.map((damage) => `starts that fail: ${damage}`),
        'otherwise than the model',
      ],
      rows: [
        [
          services.length,
          sequences,
          walk.steps,
          ...damages.map((damage) => walk.failures.get(damage) ?? 0),
          walk.differences.length,
        ],
      ],
      notes: [
        `Linux ${version} in QEMU. A step starts or stops a service, loads or unloads a module by hand, holds a device of a module open or lets it go, or starts a service with the file of one of its modules removed, of another vermagic, larger than the memory or cut short. After each, what is loaded is what is up, what was loaded by hand, and what cannot go (in use, or without an exit function); a start that fails names the module, gives the kernel's words, and leaves nothing behind.`,
      ],
      failures: walk.differences.length + without.length,
    }
  } finally {
    machine.kill()
    await machine.off
  }
}
