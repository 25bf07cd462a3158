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
  /** Modules with a driver for it and no alias that says so: nothing loads them by what its bus sends. */
  readonly silent: readonly string[]
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
    const modules = [...heard.value].sort()
    const unheard = other.value.filter((name) => !modules.includes(name)).sort()
    const known = [...modules, ...unheard]
    matches.push({
      device,
      modules,
      unheard,
      ...(source === undefined ? {} : { source: matchSource(device, source, known) }),
    })
  }
  return { ok: true, value: matches }
}

/** What drives a device that a running machine has announced. */
export interface ModaliasMatch {
  readonly modalias: string
  /** Modules that answer to it, built-in ones included; sorted. */
  readonly modules: readonly string[]
  /**
   * What the kernel's source says of it; absent without source, and for buses of which no table is read: USB, PCI and
   * others. A device of I2C or SPI says half of what its driver may go by: nothing here is then no proof.
   */
  readonly source?: SourceMatch
}

/** Which modules drive the devices that a running machine announces, each in its file `modalias` below /sys. */
export async function matchModaliases(
  kernel: KmodSource,
  modaliases: readonly string[],
  source?: SourceDrivers,
): Promise<Result<readonly ModaliasMatch[], KmodError>> {
  const matches: ModaliasMatch[] = []
  for (const modalias of modaliases) {
    const heard = await lookUp(kernel, modalias)
    if (!heard.ok) return heard
    const modules = [...heard.value].sort()
    const names = source === undefined ? undefined : announcedNames(modalias)
    matches.push({
      modalias,
      modules,
      ...(source === undefined || names === undefined ? {} : { source: matchSource(names, source, modules) }),
    })
  }
  return { ok: true, value: matches }
}

/**
 * The names in a modalias. `of:` has every `compatible` behind a `C`, which may be in one as well: all that it could be
 * is looked for.
 */
function announcedNames(modalias: string): Pick<TreeDevice, 'compatible' | 'shortName'> | undefined {
  if (modalias.startsWith('of:N')) {
    const [, ...parts] = modalias.split('C')
    return {
      compatible: parts.flatMap((_, from) =>
        parts.slice(from).map((_, more) => parts.slice(from, from + more + 1).join('C')),
      ),
    }
  }
  const [, shortName] = /^(?:spi|i2c):(.+)$/.exec(modalias) ?? []
  return shortName === undefined ? undefined : { compatible: [], shortName }
}

const noModules = { ok: true, value: [] as readonly string[] } as const

/**
 * I2C and SPI match by the name without its vendor where no table of a driver has the whole (`of_modalias_node`).
 *
 * @param known modules that answer to the device
 */
function matchSource(
  { compatible, shortName }: Pick<TreeDevice, 'compatible' | 'shortName'>,
  source: SourceDrivers,
  known: readonly string[],
): SourceMatch {
  const drivers = new Map<string, SourceDriver>()
  const found = [
    ...compatible.flatMap((text) => source.driving(text)),
    ...(shortName === undefined ? [] : source.drivingName(shortName)),
  ]
  for (const driver of found) if (!drivers.has(driver.file)) drivers.set(driver.file, driver)
  const all = [...drivers.values()]
  return {
    builtin: all.flatMap(({ file, placement }) => (placement.type === 'built-in' ? [file] : [])),
    silent: [
      ...new Set(
        all.flatMap(({ placement }) =>
          placement.type === 'module' && !known.includes(placement.module) ? [placement.module] : [],
        ),
      ),
    ],
    off: all.filter(({ placement }) => placement.type === 'off'),
    mentions: [...new Set(compatible.flatMap((text) => source.mentioning(text)))],
  }
}
