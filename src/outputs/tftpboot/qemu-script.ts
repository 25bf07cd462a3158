import type { AssembledSystem, Emulator, Firmware } from '../../system/index.ts'
import { macAddress, networkCards } from '../run-script.ts'
import { FIRMWARE_FILE } from './firmware.ts'

/**
 * The text of `qemu.sh`: POSIX sh that powers the emulated board on, with nothing in it but its boot loader, and its
 * serial line on a socket.
 */
export function qemuScript(system: AssembledSystem, emulator: Emulator, firmware: Firmware): string {
  const hostname = system.requirements.hostname.value
  const { device, boot } = system.definition
  const server = boot?.network?.server ?? device.networkBoot?.network.server
  const file = firmware.flash === undefined ? firmware.file : `$(dirname "$0")/${FIRMWARE_FILE}`
  const cards = networkCards(system.requirements.interfaces.map(({ value }) => value))
  // The loader fetches through the first card, which QEMU plays the way out for.
  const plugs = ['user', ...cards.slice(1)]
  return `#!/bin/sh
# Powers ${device.name} on, its serial line on the socket SERIAL, which is made here; the machine waits for whoever
# connects to it. Nobody but QEMU's own user may have port 69 and the address ${server}, so all of it goes into a
# network of its own:
#
#   unshare -Urn sh -c 'ip link set lo up; ip addr add ${server}/32 dev lo
#     SERIAL=serial sh qemu.sh & firmwright boot SYSTEM --serial unix:serial'
#
#   SERIAL=path      the socket (serial)
#   QEMU=program     the emulator (${emulator.program})
#   FIRMWARE=file    the boot loader (${firmware.flash === undefined ? firmware.file : FIRMWARE_FILE}, of Debian's package ${firmware.package})
#   MEMORY=MiB       ${emulator.memoryMebibytes}, as the plan in boot.json has it
#   NET0=…, NET1=…   what each network card is plugged into, as -netdev takes it without id=
#
# Further arguments go to QEMU.
set -eu
: "\${SERIAL:=serial}" "\${QEMU:=${emulator.program}}" "\${MEMORY:=${emulator.memoryMebibytes}}" "\${FIRMWARE:=${file}}"
${plugs.map((plug, index) => `set -- "$@" -netdev "\${NET${index}:-${plug}},id=net${index}" -device ${emulator.networkCard},netdev=net${index},mac=${macAddress(hostname, index)}`).join('\n')}
exec "$QEMU" -M ${emulator.machine} -accel tcg -cpu ${emulator.cpu} -m "$MEMORY" -display none -nic none \\
  -bios "$FIRMWARE" -serial "unix:$SERIAL,server=on,wait=on" "$@"
`
}
