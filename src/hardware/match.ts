import { type KmodError, type KmodSource, lookUp, type Result } from '../kmod/index.ts'
import type { TreeDevice } from './devices.ts'

/** Which modules drive a device. */
export interface DeviceMatch {
  readonly device: TreeDevice
  /** Modules that answer to what its bus sends, built-in ones included; sorted. */
  readonly modules: readonly string[]
  /** Modules that would answer to the form of platform devices, which this bus does not send. Nothing loads them. */
  readonly unheard: readonly string[]
}

/** Which modules drive the devices of a tree. None is no proof that nothing does: a built-in driver has no aliases. */
export async function matchDevices(
  source: KmodSource,
  devices: readonly TreeDevice[],
): Promise<Result<readonly DeviceMatch[], KmodError>> {
  const matches: DeviceMatch[] = []
  for (const device of devices) {
    const heard = device.modalias === undefined ? noModules : await lookUp(source, device.modalias)
    if (!heard.ok) return heard
    const other = device.bus === 'platform' ? noModules : await lookUp(source, device.ofModalias)
    if (!other.ok) return other
    const unheard = other.value.filter((name) => !heard.value.includes(name))
    matches.push({ device, modules: [...heard.value].sort(), unheard: [...unheard].sort() })
  }
  return { ok: true, value: matches }
}

const noModules = { ok: true, value: [] as readonly string[] } as const
