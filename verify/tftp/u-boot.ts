/**
 * `u-boot.ts FOLDER`: a whole program, to be run in a network namespace where 192.0.2.1 and port 69 are free. Serves the
 * folder to Debian's U-Boot in QEMU, which fetches files in blocks and windows of several sizes, over a whole network and
 * over a bad one, and takes the checksum of each in its memory. Prints a {@link Fetched} as a line of JSON for each.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { openPrompt, stopAutoboot } from '../../src/driver/index.ts'
import { openSerialLine, type SerialLine } from '../../src/machine/index.ts'
import { serveTftp } from '../../src/tftp/index.ts'
import { startLossyProxy } from '../../src/tftp/rig.ts'
import { seededFractions } from '../../test/seeded-random.ts'

export interface Fetched {
  readonly blockBytes: number
  /** What U-Boot makes of a size that is too large for it. */
  readonly cappedBytes?: number
  readonly windowBlocks: number
  readonly lossy: boolean
  readonly file: string
  /** Eight hexadecimal digits: CRC-32 of what lies in its memory. Undefined where it fetched nothing. */
  readonly checksum?: string
  /** Why it fetched nothing. */
  readonly trouble?: string
}

const ADDRESS = '192.0.2.1'
const LOAD = '0x42000000'
const ONE_IN = 20
const SEED = 7
const POWER_ON_MS = 300_000
/** Without a word: it says something every ten blocks, and when it has waited for one. */
const IDLE_MS = 120_000

const [folder = ''] = process.argv.slice(2)
const { networkBoot, emulator } = qemuAarch64
if (networkBoot === undefined || emulator?.firmware === undefined)
  throw new Error('qemu-aarch64 has a loader')
const { loader } = networkBoot
const line = powerOn(emulator.firmware.file)
const stopped = await stopAutoboot(line, loader, POWER_ON_MS)
if (stopped !== undefined) throw new Error(stopped.message)
const prompt = openPrompt(line, loader)
await command('setenv ipaddr 10.0.2.15; setenv netmask 255.255.255.0; setenv gatewayip 10.0.2.2')
await command(`setenv serverip ${ADDRESS}; setenv autoload no; setenv netretry no`)
// Milliseconds, no fewer (net/tftp.c); and it counts all its waits, not those of one block.
await command('setenv tftptimeout 1000; setenv tftptimeoutcountmax 100000')
for (const lossy of [false, true]) {
  const close = await serve(lossy)
  // Blocks that are capped are lost as those of the size they are capped at.
  for (const blockBytes of lossy ? [512, 1468] : [512, 1468, 8192]) {
    for (const windowBlocks of [1, 16]) {
      const file = lossy ? `lossy-${blockBytes}` : 'large'
      if (!readdirSync(folder).includes(file)) throw new Error(`there is no ${file}`)
      const fetched = {
        blockBytes,
        windowBlocks,
        lossy,
        file,
        ...(await fetch(blockBytes, windowBlocks, file)),
      }
      process.stdout.write(`${JSON.stringify(fetched satisfies Fetched)}\n`)
    }
  }
  await close()
}
process.exit(0)

function powerOn(firmware: string): SerialLine {
  const machine = ['-M', 'virt', '-accel', 'tcg', '-cpu', 'cortex-a53', '-m', '256', '-bios', firmware]
  // With virtio-net (QEMU 7.2, U-Boot 2023.01) nothing arrives any more once a burst was too much for it.
  const card = ['-nic', 'none', '-netdev', 'user,id=n0', '-device', 'e1000,netdev=n0']
  const rest = ['-display', 'none', '-monitor', 'none', '-serial', 'stdio']
  const child = spawn('qemu-system-aarch64', [...machine, ...card, ...rest], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const serial = openSerialLine((text) => void child.stdin.write(text))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (bytes: Uint8Array) => serial.receive(bytes))
  child.on('exit', () => serial.end('QEMU has ended'))
  process.on('exit', () => child.kill('SIGKILL'))
  return serial
}

/** At the one address and port where U-Boot looks: the server, or a proxy before it that loses and doubles packets. */
async function serve(lossy: boolean): Promise<() => Promise<void>> {
  const at = { address: ADDRESS, port: 69 }
  const server = await serveTftp({ folder, ...(lossy ? { address: '127.0.0.1', port: 0 } : at) })
  if (!server.ok) throw new Error(server.error.message)
  const proxy = lossy
    ? await startLossyProxy(server.value.port, ONE_IN, ONE_IN, seededFractions(SEED), at)
    : undefined
  return async () => {
    proxy?.close()
    await server.value.close()
  }
}

async function fetch(
  blockBytes: number,
  windowBlocks: number,
  file: string,
): Promise<Pick<Fetched, 'cappedBytes' | 'checksum' | 'trouble'>> {
  try {
    await command(`setenv tftpblocksize ${blockBytes}; setenv tftpwindowsize ${windowBlocks}`)
    const said = await command(`tftpboot ${LOAD} ${file}`)
    const capped = /Capping tftp block size option to (\d+)/.exec(said)?.[1]
    const checksum = /==> ([0-9a-f]{8})/.exec(await command(`crc32 ${LOAD} \${filesize}`))?.[1]
    return {
      ...(capped === undefined ? {} : { cappedBytes: Number(capped) }),
      ...(checksum === undefined ? { trouble: 'it says no checksum' } : { checksum }),
    }
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) }
  }
}

async function command(text: string): Promise<string> {
  const answer = await prompt.run(text, { idleMs: IDLE_MS })
  if (!answer.ok) throw new Error(answer.error.message)
  if (answer.value.succeeded === false) throw new Error(`"${text}" failed`)
  return answer.value.output
}
