import type { Origin } from '../diagnostics/index.ts'
import type { Entry, FileTree } from '../filetree/index.ts'
import type { ServiceGraph } from './graph.ts'
import { renderInitScript, renderRunScript } from './init-script.ts'
import { kmodLibrary } from './kmod-shell.ts'
import { libraryFolder, openRcFolder, runScriptPath } from './paths.ts'
import { bootPhases } from './service.ts'
import {
  dependencyShell,
  fileSystemTable,
  initShell,
  runnerShell,
  serviceShell,
  upShell,
} from './shell-layer.ts'

/** A serial line or screen on which people talk to the system. */
export interface Console {
  /** Name in /dev: `ttyAMA0`. */
  readonly device: string
  /** Default 115200. */
  readonly baud?: number
  /** `login` asks for name and password (default); `shell` is root's shell at once. */
  readonly access?: 'login' | 'shell'
  readonly origin: Origin
}

export interface OpenRcOptions {
  /** Where the files that belong to no service come from. */
  readonly origin: Origin
  readonly consoles: readonly Console[]
  /** Limits of the file systems in memory, in per cent of RAM; default 10, 25, 25. */
  readonly runPercent?: number
  readonly tmpPercent?: number
  readonly varPercent?: number
}

/**
 * The files that make OpenRC, under busybox init on a read-only root, run these services. Besides them the target
 * needs what target-needs.ts lists.
 *
 * busybox init reads /etc/inittab; `openrc PHASE` starts the services in /etc/runlevels/PHASE in parallel, each as
 * soon as what it depends on is up. When the last phase is complete, one line on the console says so:
 * `firmwright: up in 3.21 s`.
 */
export function renderOpenRc(graph: ServiceGraph, options: OpenRcOptions): FileTree {
  const base = [options.origin]
  const tree = new Map<string, Entry>()
  const { runPercent = 10, tmpPercent = 25, varPercent = 25 } = options
  tree.set(
    '/etc/inittab',
    text(0o644, inittab(options.consoles), [...base, ...options.consoles.map(({ origin }) => origin)]),
  )
  tree.set('/etc/rc.conf', text(0o644, 'rc_parallel="YES"\nrc_logger="NO"\n', base))
  tree.set('/etc/fstab', text(0o644, fileSystemTable({ runPercent, tmpPercent, varPercent }), base))
  tree.set(`${openRcFolder}/sh/init.sh`, text(0o755, initShell(graph), base))
  tree.set(`${openRcFolder}/sh/gendepends.sh`, text(0o755, dependencyShell(graph), base))
  tree.set(`${openRcFolder}/sh/openrc-run.sh`, text(0o755, runnerShell, base))
  tree.set(`${libraryFolder}/service.sh`, text(0o644, serviceShell, base))
  tree.set(`${libraryFolder}/up`, text(0o755, upShell, base))
  for (const folder of mountPoints) tree.set(folder, directory(base))
  for (const runlevel of [...bootPhases, 'shutdown']) tree.set(`/etc/runlevels/${runlevel}`, directory(base))

  const withKmods = graph.order.filter(({ service }) => (service.kmods ?? []).length > 0)
  if (withKmods.length > 0) {
    const origins = withKmods.map(({ service }) => service.origin)
    tree.set(`${libraryFolder}/kmod.sh`, text(0o644, kmodLibrary, origins))
  }
  for (const placed of graph.order) {
    const { service, phase } = placed
    const origins = [service.origin]
    tree.set(`/etc/init.d/${service.name}`, text(0o755, renderInitScript(placed), origins))
    tree.set(`/etc/runlevels/${phase}/${service.name}`, {
      type: 'symlink',
      target: `/etc/init.d/${service.name}`,
      uid: 0,
      gid: 0,
      origins,
    })
    if (service.kind === 'longrun') {
      tree.set(runScriptPath(service.name), text(0o755, renderRunScript(service), origins))
    }
  }
  return tree
}

const mountPoints = ['/dev', '/proc', '/run', '/sys', '/tmp', '/var']

function text(mode: number, content: string, origins: readonly Origin[]): Entry {
  return { type: 'file', mode, uid: 0, gid: 0, content: { type: 'text', text: content }, origins }
}

function directory(origins: readonly Origin[]): Entry {
  return { type: 'directory', mode: 0o755, uid: 0, gid: 0, origins }
}

/** busybox init: `sysinit` and `wait` entries one after the other, then all `respawn` entries. */
function inittab(consoles: readonly Console[]): string {
  return [
    '::sysinit:/sbin/openrc sysinit',
    '::sysinit:/sbin/openrc boot',
    '::wait:/sbin/openrc default',
    `::wait:${libraryFolder}/up`,
    ...consoles.map(({ device, baud = 115200, access = 'login' }) =>
      access === 'shell'
        ? `${device}::respawn:-/bin/sh`
        : `${device}::respawn:/sbin/getty -L ${baud} ${device} vt100`,
    ),
    '::ctrlaltdel:/sbin/reboot',
    '::shutdown:/sbin/openrc shutdown',
    '',
  ].join('\n')
}
