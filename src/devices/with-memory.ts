import type { Device } from '../system/index.ts'

/**
 * The device with another amount of memory, for boards that are sold with several and for QEMU, which plays any: its
 * first bank becomes so long.
 *
 * ```ts
 * device: withMemory(qemuAarch64, 512)
 * ```
 */
export function withMemory(device: Device, mebibytes: number): Device {
  const { emulator, networkBoot } = device
  const sizeBytes = mebibytes * 2 ** 20
  const [first, ...others] = networkBoot?.memory ?? []
  return {
    ...device,
    ...(emulator === undefined ? {} : { emulator: { ...emulator, memoryMebibytes: mebibytes } }),
    ...(networkBoot === undefined || first === undefined
      ? {}
      : {
          networkBoot: {
            ...networkBoot,
            memory: [{ start: first.start, end: first.start + sizeBytes }, ...others],
          },
        }),
  }
}
