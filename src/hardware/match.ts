import { type KmodError, type KmodSource, lookUp, type Result } from '../kmod/index.ts'
import type { TreeDevice } from './devices.ts'
import type { SourceDriver, SourceDrivers } from './source-drivers.ts'

/** Which modules drive a device. */
export interface DeviceMatch {
  readonly device: TreeDevice
  /** Modules that answer to what its bus sends, built-in ones included; sorted. */
  readonly modules: readonly string[]
  /** Modules that would answer to the form of platform devices, which this bus does not send. Nothing loads them. */
  readonly unheard: readonly string[]
  /** What the kernel's source says of it; absent without source. */
  readonly source?: SourceMatch
}

/** What a kernel's source has for a device: of its `compatible` strings, in their order. */
export interface SourceMatch {
  /** Files with a driver for it that are in the kernel's image. */
  readonly builtin: readonly string[]
  /** Files with a driver for it that are in neither image nor module of this kernel. */
  readonly off: readonly SourceDriver[]
  /** Files in the image that know it by name and are no driver: buses, processors, what is set up before drivers. */
  readonly mentions: readonly string[]
}

/**
 * Which modules drive the devices of a tree. Without the kernel's source, none is no proof that nothing does: a
 * built-in driver has no aliases.
 */
export async function matchDevices(
  kernel: KmodSource,
  devices: readonly TreeDevice[],
  source?: SourceDrivers,
): Promise<Result<readonly DeviceMatch[], KmodError>> {
  const matches: DeviceMatch[] = []
  for (const device of devices) {
    const heard = device.modalias === undefined ? noModules : await lookUp(kernel, device.modalias)
    if (!heard.ok) return heard
    const other = device.bus === 'platform' ? noModules : await lookUp(kernel, device.ofModalias)
    if (!other.ok) return other
    const unheard = other.value.filter((name) => !heard.value.includes(name))
    matches.push({
      device,
      modules: [...heard.value].sort(),
      unheard: [...unheard].sort(),
      ...(source === undefined ? {} : { source: matchSource(device, source) }),
    })
  }
  return { ok: true, value: matches }
}

const noModules = { ok: true, value: [] as readonly string[] } as const

/** I2C and SPI match by the name without its vendor where no table of a driver has the whole (`of_modalias_node`). */
function matchSource({ compatible, shortName }: TreeDevice, source: SourceDrivers): SourceMatch {
  const drivers = new Map<string, SourceDriver>()
  const found = [
    ...compatible.flatMap((text) => source.driving(text)),
    ...(shortName === undefined ? [] : source.drivingName(shortName)),
  ]
  for (const driver of found) if (!drivers.has(driver.file)) drivers.set(driver.file, driver)
  const all = [...drivers.values()]
  return {
    builtin: all.flatMap(({ file, placement }) => (placement.type === 'built-in' ? [file] : [])),
    off: all.filter(({ placement }) => placement.type === 'off'),
    mentions: [...new Set(compatible.flatMap((text) => source.mentioning(text)))],
  }
}
