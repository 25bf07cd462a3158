import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { devices, loadedModules, output } from './guest.ts'
import { eventually, setUpRig } from './rig.ts'

const rig = setUpRig()
let machine: Machine
const monitor = () => join(rig.folder(), 'monitor')

beforeAll(async () => {
  const { folder } = await rig.build('autoload', devices[0])
  machine = await rig.boot({
    folder,
    arguments: ['-device', 'qemu-xhci,id=usb', '-monitor', `unix:${monitor()},server=on,wait=off`],
  })
})

/** One command for QEMU's monitor. */
function plug(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(monitor())
    socket.on('error', reject)
    // The monitor hangs up on nobody who still listens; its prompt comes again when the command is done.
    let prompts = 0
    socket.on('data', (bytes) => {
      prompts += bytes.toString().split('(qemu) ').length - 1
      if (prompts === 1) socket.write(`${command}\n`)
      if (prompts >= 2) {
        socket.end()
        resolve()
      }
    })
  })
}

describe('the kernel gets the modules that it asks for, and those alone', () => {
  it('for rules of a firewall', async () => {
    expect(await loadedModules(machine)).not.toContain('nf_tables')
    await output(machine, 'nft add table ip t && nft add chain ip t c')
    await output(machine, 'nft add rule ip t c ct state new limit rate 1/second accept')
    const loaded = await loadedModules(machine)
    expect(loaded).toEqual(expect.arrayContaining(['nf_tables', 'nft_ct', 'nft_limit']))
    expect(loaded).not.toContain('nft_chain_nat')
    // What does not ship is not there, and nobody waits for it.
    expect((await machine.run('nft add rule ip t c quota over 1 mbytes drop')).status).not.toBe(0)
    await output(machine, "nft add chain ip t n '{ type nat hook postrouting priority 100; }'")
    expect(await loadedModules(machine)).toContain('nft_chain_nat')
  })

  it('for a file system', async () => {
    expect(await loadedModules(machine)).not.toContain('overlay')
    await output(machine, 'mkdir /run/both && mount -t overlay -o lowerdir=/etc:/usr none /run/both')
    expect(await loadedModules(machine)).toContain('overlay')
    expect((await machine.run('mount -t btrfs none /run/both')).status).not.toBe(0)
  })

  it('for a netlink family, a protocol of IPsec, and its ciphers', async () => {
    const wanted = ['xfrm_user', 'esp4', 'authenc', 'des_generic', 'echainiv']
    const before = await loadedModules(machine)
    expect(wanted.filter((name) => before.includes(name))).toEqual([])
    const keys =
      "enc 'cbc(des3_ede)' 0x0123456789abcdeffedcba98765432100011223344556677 auth 'hmac(md5)' 0x00112233445566778899aabbccddeeff"
    await output(
      machine,
      `ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 mode transport ${keys}`,
    )
    expect(await loadedModules(machine)).toEqual(expect.arrayContaining(wanted))
  })

  it('for a line discipline', async () => {
    expect(await loadedModules(machine)).not.toContain('slip')
    // A virtual console refuses it; by then the kernel has asked.
    await machine.run('ldattach SLIP /dev/tty1')
    expect(await loadedModules(machine)).toContain('slip')
  })

  it('by a small handler', async () => {
    expect(Number(await output(machine, 'wc -c </sbin/modprobe'))).toBeLessThan(20 << 10)
  })
})

describe('devices get the modules that drive them', () => {
  it('when they are there from the start', async () => {
    const loaded = await loadedModules(machine)
    expect(loaded).toContain('xhci_pci')
    expect(loaded).not.toContain('usbhid')
  })

  it('when they are plugged in', async () => {
    await plug('device_add usb-mouse,bus=usb.0')
    await eventually(machine, 'lsmod | awk \'$1 == "usbhid" { found = 1 } END { exit !found }\'')
  })
})
