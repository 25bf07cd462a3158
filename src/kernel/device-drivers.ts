/**
 * Drivers for the hardware of a device tree in a kernel that is not built yet: the source files whose tables name a
 * device, and the symbols that have those compiled, into a module or into the kernel itself.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deviceSources } from '../hardware/index.ts'
import { alternativesOf, type Condition, type Kbuild } from '../kbuild/index.ts'
import { type AskedRequest, type Configuration, resolveRequirements } from '../kconfig/index.ts'
import { requestFor } from './module-symbols.ts'

/** A device that is to have its drivers. */
export interface DemandedDevice {
  /** in its tree, for messages */
  readonly path: string
  readonly compatible: readonly string[]
  /** without vendor, by which drivers of I2C and SPI may know it */
  readonly shortName?: string
}

export interface DeviceRequests {
  readonly requests: readonly AskedRequest[]
  /** Drivers that the source has and that this kernel cannot have, with what they take. */
  readonly refused: readonly string[]
}

/**
 * Requests that have every driver of these devices built, as far as Kconfig has a way to it together with what is asked
 * for otherwise, and with the drivers before. A device of which the source knows nothing asks for nothing: processors
 * and buses are looked after without a driver.
 *
 * @param folder the tree's C files with names of devices, beside its outline
 * @param certain what is asked for in any case
 */
export function deviceRequests(
  folder: string,
  kbuild: Kbuild,
  base: Configuration,
  certain: readonly AskedRequest[],
  { devices, asker }: { readonly devices: readonly DemandedDevice[]; readonly asker: string },
): DeviceRequests {
  const codes = codeBy(folder, kbuild, devices)
  const accepted: AskedRequest[] = []
  const refused: string[] = []
  const done = new Set<string>()
  for (const device of devices) {
    for (const file of filesFor(codes, device)) {
      if (done.has(file)) continue
      done.add(file)
      const ways = waysTo(kbuild, file)
      // Built with every kernel.
      if (ways?.some((way) => way.length === 0) === true) continue
      const asked = ways?.map((way) => way.map((demand) => requestFor(demand, asker)))
      const found = asked?.find(
        (each) => resolveRequirements(base, [...certain, ...accepted, ...each], []).ok,
      )
      if (found !== undefined) accepted.push(...found)
      else refused.push(`${device.path} (${device.compatible.join(', ')}): ${file}`)
    }
  }
  return { requests: accepted, refused }
}

interface Codes {
  readonly driving: ReadonlyMap<string, readonly string[]>
  readonly drivingName: ReadonlyMap<string, readonly string[]>
}

/** The files that have drivers for what is wanted, by the name that they know it by. */
function codeBy(folder: string, kbuild: Kbuild, devices: readonly DemandedDevice[]): Codes {
  const wanted = new Set(devices.flatMap(({ compatible }) => compatible))
  const wantedNames = new Set(devices.flatMap(({ shortName }) => shortName ?? []))
  const driving = new Map<string, string[]>()
  const drivingName = new Map<string, string[]>()
  const add = (map: Map<string, string[]>, name: string, file: string) =>
    map.set(name, [...(map.get(name) ?? []), file])
  const sources = deviceSources({
    kbuild,
    symbol: () => 'n',
    readFile(path) {
      const place = join(folder, path)
      return existsSync(place) ? readFileSync(place) : undefined
    },
  })
  for (const { file, names } of sources) {
    for (const name of names.driven) if (wanted.has(name)) add(driving, name, file)
    for (const name of names.shortNames) if (wantedNames.has(name)) add(drivingName, name, file)
  }
  return { driving, drivingName }
}

function filesFor(
  { driving, drivingName }: Codes,
  { compatible, shortName }: DemandedDevice,
): readonly string[] {
  const byName = shortName === undefined ? [] : (drivingName.get(shortName) ?? [])
  return [...compatible.flatMap((name) => driving.get(name) ?? []), ...byName]
}

/** The ways in which a file is compiled, those first that make a module of it; undefined where they are a long list. */
function waysTo({ modules, builtin, conditions }: Kbuild, file: string) {
  const object = file.replace(/\.c$/, '.o')
  const whenOf = (holders: Kbuild['builtin']): Condition => {
    let any = conditions.FALSE
    for (const { path, when, parts } of holders.values()) {
      if (path === object && parts.length === 0) any = conditions.or(any, when)
      for (const part of parts)
        if (part.path === object) any = conditions.or(any, conditions.and(when, part.when))
    }
    return any
  }
  const asModule = alternativesOf(conditions, whenOf(modules))
  const inImage = alternativesOf(conditions, whenOf(builtin))
  if (asModule === undefined && inImage === undefined) return undefined
  return [...(asModule ?? []), ...(inImage ?? [])]
}
