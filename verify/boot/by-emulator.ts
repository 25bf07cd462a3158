/**
 * A kernel with its tree appended, started by QEMU's `-kernel` with no boot loader: what it knows of memory, initramfs and
 * command line it has from that tree, since QEMU's own is passed over.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { openSerialLine } from '../../src/machine/index.ts'
import { outputFolder } from '../../test/boot/board.ts'
import { boardSystem } from '../../test/boot/board-system.ts'
import { cacheFolder } from '../../test/cache.ts'

/**
 * QEMU loads a zImage 64 KiB above the start of the RAM, in the way of what it unpacks to: it moves itself behind that, up
 * to 0x42100000. QEMU's tree lies at 0x48000000.
 */
const ROOT_ADDRESS = 0x4400_0000

/** The start of its row, and what is wrong; undefined where all is well. */
export async function bootByEmulator(
  folder: string,
  program: string,
): Promise<{ readonly row: readonly (string | number)[]; readonly trouble: string | undefined }> {
  await mkdir(folder, { recursive: true })
  const text = boardSystem({
    device: 'qemuArmv7l',
    expression: "{ ...qemuArmv7l, deviceTree: { source: 'emulator' } }",
    boot: `{ format: 'zimage', root: 'initramfs', appendTree: true, rootAddress: ${ROOT_ADDRESS} }`,
  })
  await writeFile(join(folder, 'system.ts'), text)
  const argv = [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder]
  const row = ['qemuArmv7l', 'emulator, appended', 'zimage, by -kernel', 'initramfs', 256]
  const env = { FIRMWRIGHT_SECURITY_MIRROR: '' }
  const built = await execa(process.execPath, argv, { cwd: folder, env, reject: false })
  if (built.exitCode !== 0) return { row: [...row, 0], trouble: built.stderr.trim() }
  const served = join(folder, outputFolder)
  const map = await readFile(join(served, 'memory-map.txt'), 'utf8')
  return { row: [...row, map.trim().split('\n').length - 1], trouble: await start(served) }
}

async function start(served: string): Promise<string | undefined> {
  const loaded = `loader,file=initramfs.img,addr=0x${ROOT_ADDRESS.toString(16)},force-raw=on`
  const child = spawn(
    'qemu-system-arm',
    [
      ...[
        '-M',
        // As with a boot loader, whose tree this is: without one QEMU puts the PCI host of a 32-bit board high (hw/arm/virt.c).
        'virt,highmem=off',
        '-accel',
        'tcg',
        '-cpu',
        'cortex-a15',
        '-m',
        '256',
        '-nic',
        'none',
        '-display',
        'none',
      ],
      ...['-monitor', 'none', '-serial', 'stdio', '-kernel', 'zImage-dtb', '-device', loaded],
      // The tree that is appended has to win over this one.
      ...['-append', 'console=none panic=1'],
    ],
    { cwd: served, stdio: ['pipe', 'pipe', 'ignore'] },
  )
  const line = openSerialLine((text) => void child.stdin.write(text))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (bytes: Uint8Array) => line.receive(bytes))
  child.on('exit', () => line.end('QEMU has ended'))
  try {
    // Without a network card, which only its services miss. The prompt may have come before.
    await line.expect(/firmwright: up in [\d.]+ s[^\n]*\n/, 600_000)
    line.send('\n')
    await line.expect(/board:\/?[^\n]*# $/, 60_000)
    line.send('cat /proc/mounts; cat /proc/cmdline; echo o""ver\n')
    const [said] = await line.expect(/[\s\S]*over\n/, 60_000)
    if (!/^\/dev\/loop0 \/ squashfs ro\b/m.test(said)) return `the root is not where it should be:\n${said}`
    return said.includes('console=none') ? 'the tree that is appended was passed over' : undefined
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${line.transcript().slice(-2000)}`
  } finally {
    child.kill('SIGKILL')
  }
}
