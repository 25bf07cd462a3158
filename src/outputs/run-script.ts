import { createHash } from 'node:crypto'
import type { AssembledSystem, Device, Emulator, NetworkInterface } from '../system/index.ts'

/** The text of `run.sh`: POSIX sh that boots what lies beside it. */
export function runScript(device: Device, emulator: Emulator, system: AssembledSystem): string {
  const cards = networkCards(system.requirements.interfaces.map(({ value }) => value))
  const state = system.definition.state !== undefined
  const hostname = system.requirements.hostname.value
  return `#!/bin/sh
# Boots ${hostname} (${device.name}) in QEMU, its console on this terminal. Leave with ctrl-a x.
#
#   QEMU=program     the emulator (${emulator.program})
#   MEMORY=MiB       ${emulator.memoryMebibytes} by default
#   ACCEL=tcg|kvm    ${emulator.kvm ? 'by default kvm where a guest really runs under it' : 'emulated (tcg) by default'}
#   NET0=…, NET1=…   what each network card is plugged into, as -netdev takes it without id=, for example
#                    NET1=socket,listen=127.0.0.1:5000
${state ? '#   STATE=file       the state partition; made from state.ext4 when it is not there (state.img)\n' : ''}#
# Further arguments go to QEMU.
set -eu
cd "$(dirname "$0")"
: "\${QEMU:=${emulator.program}}" "\${MEMORY:=${emulator.memoryMebibytes}}"
${accelerator(emulator)}
set -- "$@" -drive if=none,id=root,format=raw,readonly=on,file=rootfs.squashfs -device ${emulator.disk},drive=root
${state ? statePartition(emulator) : ''}${cards.map((card, index) => `set -- "$@" -netdev "\${NET${index}:-${card}},id=net${index}" -device ${emulator.networkCard},netdev=net${index},mac=${macAddress(hostname, index)}`).join('\n')}
# shellcheck disable=SC2086 # $CPU is two words
exec "$QEMU" -M ${emulator.machine} -accel "$ACCEL" $CPU -m "$MEMORY" -nographic -no-reboot -nic none \\
  -kernel kernel -initrd initramfs.img -append '${system.commandLine}' "$@"
`
}

/** After the root, so that it is the second disk. */
function statePartition(emulator: Emulator): string {
  return `: "\${STATE:=state.img}"
[ -e "$STATE" ] || cp state.ext4 "$STATE"
set -- "$@" -drive "if=none,id=state,format=raw,file=$STATE" -device ${emulator.disk},drive=state
`
}

function accelerator(emulator: Emulator): string {
  if (!emulator.kvm) return `: "\${ACCEL:=tcg}"\nCPU="-cpu ${emulator.cpu}"`
  // The probe: a boot sector that ends QEMU through its debug exit device. mov al,16; out 0xf4,al; hlt
  return `if [ -z "\${ACCEL:-}" ]; then
	# A /dev/kvm that can be opened is no proof: on a nested machine no guest may ever run. A guest of one sector tells.
	ACCEL=tcg
	if [ -w /dev/kvm ] && probe=$(mktemp); then
		{ printf '\\260\\020\\346\\364\\364'; dd if=/dev/zero bs=505 count=1; printf '\\125\\252'; } > "$probe" 2> /dev/null
		status=0
		timeout 10 "$QEMU" -M pc -accel kvm -cpu host -m 16 -display none -nodefaults -no-reboot \\
			-device isa-debug-exit,iobase=0xf4,iosize=1 -drive "if=floppy,format=raw,file=$probe" \\
			> /dev/null 2>&1 || status=$?
		rm -f "$probe"
		[ "$status" != 33 ] || ACCEL=kvm
	fi
fi
if [ "$ACCEL" = kvm ]; then CPU="-cpu host"; else CPU="-cpu ${emulator.cpu}"; fi`
}

/**
 * The same address at every start, and another one for every system and card, so that machines can share a network.
 * 52:54:00 is what QEMU itself uses.
 */
export function macAddress(hostname: string, card: number): string {
  const digest = createHash('sha256').update(`${hostname} ${card}`).digest('hex')
  return `52:54:00:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`
}

/** For each card eth0, eth1, … up to the highest in use: what it is plugged into by default. */
export function networkCards(interfaces: readonly NetworkInterface[]): readonly string[] {
  const cards: string[] = []
  for (const { name, address } of interfaces) {
    const index = Number(/^eth(\d{1,2})$/.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(index)) continue
    while (cards.length <= index) cards.push('user')
    if (address !== undefined) cards[index] = isolatedNetwork(address)
  }
  return cards
}

/** A network of QEMU's own around a fixed address, without a way out; QEMU is its highest address. */
function isolatedNetwork(cidr: string): string {
  const [address = '', prefix = '24'] = cidr.split('/')
  const bits = Number(prefix)
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - bits)
  const network = Math.floor(number / size) * size
  // A network too small to hold QEMU as well: QEMU's default one does for a link.
  if (size < 8) return 'user,restrict=on'
  const host = network + size - 2 === number ? network + size - 3 : network + size - 2
  const dns = host - 1 === number ? host - 2 : host - 1
  return `user,restrict=on,net=${dotted(network)}/${bits},host=${dotted(host)},dns=${dotted(dns)}`
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
