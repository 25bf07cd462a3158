import type { Origin } from '../diagnostics/index.ts'
import type { KmodStep, Oneshot, Service, StatePath } from './service.ts'
import { quote, quoteAll } from './shell.ts'

/** Where the state partition is mounted. */
export const stateFolder = '/state'

export interface LostState extends StatePath {
  readonly service: string
  readonly origin: Origin
}

/** What these services keep: on the state partition, or, without one, until the power goes. */
export function stateOf(services: readonly Service[]): LostState[] {
  return services
    .flatMap(({ name, origin, state = [] }) => state.map((path) => ({ ...path, service: name, origin })))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

export interface StateOptions {
  /** The block device, `/dev/vdb`, or `LABEL=state`, `UUID=…` (busybox's findfs finds it). */
  readonly device: string
  /** For example `ext4`. */
  readonly fileSystem: string
  /** What it takes to mount it. */
  readonly kmods?: readonly KmodStep[]
  /** How long the device may take to appear; default 5. */
  readonly timeoutSeconds?: number
  /** All services of the system. */
  readonly services: readonly Service[]
  readonly origin: Origin
}

/**
 * Mounts the state partition on /state, and makes each folder of state in /var/lib a link to its namesake there.
 * Services with state come after this one but do not require it: with a broken partition the system comes up, says
 * so, and forgets at power-off.
 */
export function stateService(options: StateOptions): Oneshot {
  const { device, fileSystem, timeoutSeconds = 5 } = options
  const paths = [...new Set(stateOf(options.services).map(({ path }) => path))]
  const kept = outermost(paths)
  const find = device.startsWith('/dev/')
    ? `device=${quote(device)}; [ -b "$device" ]`
    : `device=$(findfs ${quote(device)} 2>/dev/null)`
  return {
    kind: 'oneshot',
    name: 'state',
    description: `What survives a power cycle, on ${device}`,
    ...(options.kmods === undefined ? {} : { kmods: options.kmods }),
    up: [
      `tries=${timeoutSeconds * 10}`,
      `until ${find}; do`,
      '\ttries=$((tries - 1))',
      `\tif [ $tries -le 0 ]; then eerror ${quote(`no block device ${device}: nothing will survive a power cycle`)}; exit 1; fi`,
      '\tsleep 0.1',
      'done',
      `mount -t ${quote(fileSystem)} -o nosuid,nodev,noatime "$device" ${stateFolder}`,
      ...kept.flatMap((path) => {
        const target = path.replace('/var/', `${stateFolder}/`)
        const parent = path.slice(0, path.lastIndexOf('/'))
        return [`mkdir -p ${quoteAll([target, parent])}`, `ln -s ${quoteAll([target, path])}`]
      }),
    ].join('\n'),
    down: `${kept.length > 0 ? `rm -f ${quoteAll(kept)}\n` : ''}sync\numount ${stateFolder}`,
    holdsState: true,
    phase: 'sysinit',
    origin: options.origin,
  }
}

/** Without those that lie in another one. */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
}
