import type { Origin } from '../diagnostics/index.ts'
import type { FileTree } from '../filetree/index.ts'
import { libraryFolder } from './paths.ts'
import { quote, quoteAll } from './shell.ts'

/** A module that ships, as the handler of the kernel's requests needs to know it. */
export interface AutoloadModule {
  /** As in /proc/modules. */
  readonly name: string
  /** Absolute path on the target. */
  readonly path: string
  readonly parameters: readonly string[]
  /** Modules that must be loaded before it, those that softdeps name included. */
  readonly before: readonly { readonly name: string; readonly optional: boolean }[]
  /** Patterns by which the kernel asks for it, as written in the module. */
  readonly aliases: readonly string[]
}

/** CONFIG_MODPROBE_PATH: /sbin/modprobe, where /sbin is a link. */
export const requestHandlerPath = '/usr/sbin/modprobe'

export const deviceHandlerPath = `${libraryFolder}/hotplug`

/** As much as a handler may take of an image. */
export const largestHandlerBytes = 20 << 10

/**
 * Aliases by which the kernel announces devices (`usb:`, `pci:`, `of:`) come by uevent, not by request; those of
 * nodes in /dev (`devname:`) are for who makes nodes. A few that look the same are asked for all the same.
 */
function isRequestAlias(alias: string): boolean {
  return !/^[\w-]+\*?:/.test(alias) || requestedWithColon.test(alias)
}

/**
 * What is handed to `request_module` with a colon in it: codecs of HD audio (sound/pci/hda/hda_bind.c), network PHYs
 * (drivers/net/phy/phy_device.c), USB transceivers and gadget functions (drivers/usb/common/ulpi.c, gadget/functions.c),
 * resets of platform devices (drivers/vfio/platform), types of sets (net/netfilter/ipset/ip_set_core.c).
 */
const requestedWithColon = /^(?:hdaudio|mdio|ulpi|usbfunc|vfio-reset|ip_set_\w+):/

/** A handler where it is looked for. */
export function renderHandler(path: string, handler: string, origin: Origin): FileTree {
  return new Map([
    [
      path,
      {
        type: 'file',
        mode: 0o755,
        uid: 0,
        gid: 0,
        content: { type: 'text', text: handler },
        origins: [origin],
      },
    ],
  ])
}

/**
 * What the kernel runs as `/sbin/modprobe -q -- NAME` when it wants something that is not there (kernel/module/kmod.c,
 * `call_modprobe`): it loads what answers to the name, of the modules that ship, with all that they need. What it loads
 * belongs to no service, and stays. Needs insmod and busybox's shell.
 */
export function requestHandler(modules: readonly AutoloadModule[]): string {
  return `#!/bin/sh
# The kernel asks for modules by name while it runs: modprobe -q -- NAME. These are all that this system has.
${loadFunctions(modules)}
answer() {
	name=\${1//-/_} found= busy=' '
${answers(modules, (name, aliases) => [name, ...aliases.filter(isRequestAlias)])}
	[ -n "$found" ]
}
for name in "$@"; do :; done
answer "$name"
`
}

/**
 * What is run with a uevent in its environment (busybox's `uevent`): it loads what drives the device that has come, of
 * the modules that ship, with all that they need. With the argument `all` it does so for every device that is there.
 */
export function deviceHandler(modules: readonly AutoloadModule[]): string {
  return `#!/bin/sh
# Devices announce themselves by MODALIAS. These are all the modules for them that this system has.
${loadFunctions(modules)}
answer() {
	name=\${1//-/_} found= busy=' '
${answers(modules, (_, aliases) => aliases.filter((alias) => !isRequestAlias(alias)))}
}
if [ "$1" = all ]; then
	find /sys/devices -name modalias | while read -r file; do
		! read -r alias <"$file" || answer "$alias"
	done
elif [ "$ACTION" = add ] && [ -n "$MODALIAS" ]; then
	answer "$MODALIAS"
fi
`
}

/** `load NAME`: a module with all that it needs. */
function loadFunctions(modules: readonly AutoloadModule[]): string {
  const sorted = byName(modules)
  const folder = commonFolder(sorted.map(({ path }) => path))
  const loads = sorted.map(({ name, path, parameters, before }) => {
    const words = before.map((other) => `${other.name}${other.optional ? '?' : ''}`)
    return `${name}) put ${name} '${words.join(' ')}' ${quoteAll([path.slice(folder.length), ...parameters])} ;;`
  })
  return `proc=/proc/modules
loaded() {
	while read -r one rest; do [ "$one" != "$1" ] || return 0; done <$proc
	return 1
}
# put NAME BEFORE FILE PARAMETER...: BEFORE has a question mark after what may fail.
put() {
	local name=$1 before=$2 file=$3 other
	loaded "$name" && return
	case $busy in *" $name "*) return 1 ;; esac
	busy="$busy$name "
	shift 3
	for other in $before; do
		case $other in
		*\\?) load "\${other%\\?}" ;;
		*) load "$other" || return ;;
		esac
	done
	# Another request may have been faster.
	insmod "${folder}$file" "$@" 2>/dev/null || loaded "$name"
}
load() {
	case $1 in
${loads.map((line) => `\t${line}\n`).join('')}	*) return 1 ;;
	esac
}`
}

/** For each module the patterns that it answers to; a name may have several answers. */
function answers(
  modules: readonly AutoloadModule[],
  patternsOf: (name: string, aliases: readonly string[]) => readonly string[],
): string {
  const lines = byName(modules).flatMap(({ name, aliases }) => {
    const patterns = [...new Set(patternsOf(name, aliases).map(patternText))].sort()
    return patterns.length === 0
      ? []
      : [`case $name in ${patterns.join('|')}) load ${name} && found=y ;; esac`]
  })
  return lines.join('\n')
}

function byName(modules: readonly AutoloadModule[]): readonly AutoloadModule[] {
  return [...modules].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function commonFolder(paths: readonly string[]): string {
  const [first = ''] = paths
  let length = first.lastIndexOf('/') + 1
  while (!paths.every((path) => path.startsWith(first.slice(0, length)))) {
    length = first.lastIndexOf('/', length - 2) + 1
  }
  return first.slice(0, length)
}

/** A pattern of an alias is one of the shell's as well, once what else the shell would see in it is quoted. */
function patternText(alias: string): string {
  let text = ''
  let inSet = false
  for (const character of alias) {
    if (character === '[') inSet = true
    if (character === ']') inSet = false
    const plain = character === '-' && !inSet ? '_' : character
    text += /[\w*?[\]\-.]/.test(plain) ? plain : quote(plain)
  }
  return text
}
