import type { Origin } from '../diagnostics/index.ts'
import type { Entry, FileTree } from '../filetree/index.ts'
import { kmodWords } from './kmod-shell.ts'
import type { KmodStep } from './service.ts'
import { quote } from './shell.ts'

/** How the initramfs knows the root device. */
export type RootDevice =
  /** `/dev/vda`: by the order in which the kernel finds the disks. */
  | { readonly by: 'path'; readonly path: string }
  /** The serial number that a virtio disk was given (QEMU: `-device virtio-blk-pci,serial=…`): order is no matter. */
  | { readonly by: 'serial'; readonly serial: string }
  /** The name of a GPT partition. */
  | { readonly by: 'partition-name'; readonly partitionName: string }
  /** The unique GUID of a GPT partition. */
  | { readonly by: 'partition-uuid'; readonly partitionUuid: string }
  /** An image in the initramfs itself, mounted through a loop device. */
  | { readonly by: 'file'; readonly path: string }
  /** The name of a flash device, as /proc/mtd has it: memory that phram makes one of, for example. */
  | { readonly by: 'mtd-name'; readonly name: string }

export interface InitramfsOptions {
  /** In load order, paths within the initramfs: the bus, the disk, the file system. */
  readonly kmods: readonly KmodStep[]
  readonly root: RootDevice
  /** For example `squashfs`. */
  readonly fileSystem: string
  /** Default `ro`. */
  readonly mountOptions?: string
  /** How long the root device may take to appear; default 10. */
  readonly timeoutSeconds?: number
  /** What follows the message when the root cannot be mounted: a shell on the console (default), or a kernel panic. */
  readonly onFailure?: 'shell' | 'panic'
  readonly origin: Origin
}

/**
 * The initramfs but for /bin/busybox (a static one) and the modules: /init finds, mounts and becomes the root.
 *
 * The kernel command line may say otherwise: `root=/dev/vdb`, `root=SERIAL=…`, `root=PARTLABEL=…`, `root=PARTUUID=…`,
 * `root=FILE=…`, `root=MTD=…`, `rootfstype=…`, `rootflags=…`, `init=…`.
 */
export function renderInitramfs(options: InitramfsOptions): FileTree {
  const origins = [options.origin]
  const directory: Entry = { type: 'directory', mode: 0o755, uid: 0, gid: 0, origins }
  return new Map<string, Entry>([
    ['/dev', directory],
    // The kernel opens it for /init before anything can be mounted.
    [
      '/dev/console',
      { type: 'device', kind: 'character', major: 5, minor: 1, mode: 0o600, uid: 0, gid: 0, origins },
    ],
    [
      '/init',
      {
        type: 'file',
        mode: 0o755,
        uid: 0,
        gid: 0,
        content: { type: 'text', text: initScript(options) },
        origins,
      },
    ],
    ['/proc', directory],
    ['/root', directory],
    ['/sys', directory],
  ])
}

/** `root=` as on a kernel command line. */
function rootArgument(root: RootDevice): string {
  switch (root.by) {
    case 'path':
      return root.path
    case 'serial':
      return `SERIAL=${root.serial}`
    case 'partition-name':
      return `PARTLABEL=${root.partitionName}`
    case 'partition-uuid':
      return `PARTUUID=${root.partitionUuid.toLowerCase()}`
    case 'file':
      return `FILE=${root.path}`
    case 'mtd-name':
      return `MTD=${root.name}`
  }
}

function initScript(options: InitramfsOptions): string {
  const { kmods, mountOptions = 'ro', timeoutSeconds = 10, onFailure = 'shell' } = options
  return `#!/bin/busybox sh
root=${quote(rootArgument(options.root))} type=${quote(options.fileSystem)} flags=${quote(mountOptions)} init=/sbin/init

fail() {
	echo
	echo "firmwright: cannot boot: $*"
${
  onFailure === 'shell'
    ? `	echo "firmwright: this is a shell in the initramfs; leaving it restarts the machine"
	busybox setsid busybox cttyhack /bin/busybox sh
	busybox reboot -f`
    : `	# The end of /init is a kernel panic; panic=N on the kernel command line restarts after it.
	exit 1`
}
}

# NAME PATH PARAMETER...; NAME? if it may fail
load() {
	module=$1
	shift
	said=$(busybox insmod "$@" 2>&1) && return
	case $module in *\\?) return ;; esac
	busybox dmesg | busybox grep -F "$module: " | busybox tail -n 5
	fail "kernel module $module does not load: $said"
}

# The disk or partition in whose /sys/class/block folder a file has a line (the last may lack its end): FILE LINE
holder() {
	for entry in /sys/class/block/*; do
		[ -r "$entry/$1" ] || continue
		while read -r line || [ -n "$line" ]; do
			[ "$line" = "$2" ] || continue
			echo "/dev/\${entry##*/}"
			return
		done <"$entry/$1"
	done
}

# The partition with a unique GUID, from the table itself: 6.1 kernels do not tell it. UEFI 2.10, 5.3.3: 128 bytes an
# entry, from block 2; at 16 the GUID, whose first three fields are little endian.
partition() {
	wanted=$1
	for disk in /sys/block/*; do
		disk=/dev/\${disk##*/}
		[ -b "$disk" ] || continue
		found=$(busybox dd if="$disk" bs=512 skip=2 count=32 2>/dev/null | busybox od -An -v -tx1 | {
			row=0
			while read -r a b c d e f g h i j k l m n o p; do
				row=$((row + 1))
				[ $((row % 8)) = 2 ] || continue
				[ "$d$c$b$a-$f$e-$h$g-$i$j-$k$l$m$n$o$p" = "$wanted" ] || continue
				echo $((row / 8 + 1))
				break
			done
		})
		[ -n "$found" ] || continue
		case $disk in *[0-9]) echo "\${disk}p$found" ;; *) echo "$disk$found" ;; esac
		return
	done
}

# The block device of the flash device with a name
flash() {
	for entry in /sys/class/mtd/mtd*[0-9]; do
		[ -r "$entry/name" ] && read -r name <"$entry/name" && [ "$name" = "$1" ] || continue
		echo "/dev/mtdblock\${entry##*/mtd}"
		return
	done
}

# The loop device of an image in the initramfs, which stays in memory for it when everything else here is removed
image() {
	[ -f "$1" ] && loop=$(busybox losetup -f) && busybox losetup -r "$loop" "$1" && echo "$loop"
}

find_root() {
	case $root in
	SERIAL=*) device=$(holder serial "\${root#*=}") ;;
	FILE=*) device=$(image "\${root#*=}") ;;
	MTD=*) device=$(flash "\${root#*=}") ;;
	PARTLABEL=*) device=$(holder uevent "PARTNAME=\${root#*=}") ;;
	PARTUUID=*) device=$(partition "$(echo "\${root#*=}" | busybox tr A-F a-f)") ;;
	*) device=$root ;;
	esac
	[ -n "$device" ] && [ -b "$device" ]
}

export PATH=/bin:/sbin
busybox mount -t devtmpfs -o mode=0755,nosuid devtmpfs /dev || fail "cannot mount /dev"
busybox mount -t proc -o nosuid,nodev,noexec proc /proc || fail "cannot mount /proc"
busybox mount -t sysfs -o nosuid,nodev,noexec sysfs /sys || fail "cannot mount /sys"
read -r arguments </proc/cmdline
for argument in $arguments; do
	case $argument in
	root=*) root=\${argument#*=} ;;
	rootfstype=*) type=\${argument#*=} ;;
	rootflags=*) flags=\${argument#*=} ;;
	init=*) init=\${argument#*=} ;;
	esac
done

${kmods.map((step) => `load ${kmodWords(step)}\n`).join('')}
tries=${timeoutSeconds * 20}
until find_root; do
	tries=$((tries - 1))
	if [ $tries -le 0 ]; then
		there=
		for disk in /sys/class/block/*; do
			[ ! -e "$disk" ] || there="$there \${disk##*/}"
		done
		fail "root device $root did not appear within ${timeoutSeconds} s; there are:\${there:- none}"
	fi
	busybox sleep 0.05
done
said=$(busybox mount -t "$type" -o "$flags" "$device" /root 2>&1) || fail "cannot mount $device as $type: $said"
[ -x "/root$init" ] || [ -L "/root$init" ] || fail "there is no $init on $device"
for folder in dev proc sys; do
	busybox mount --move "/$folder" "/root/$folder" || fail "cannot move /$folder: the root needs a folder of that name"
done
exec busybox switch_root /root "$init"
`
}
