/** Our TFTP server, by clients that others wrote and by our own, over a whole network and over one that loses and doubles packets. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { execa } from 'execa'
import { serveTftp } from '../../src/tftp/index.ts'
import { fetchFile, startLossyProxy } from '../../src/tftp/rig.ts'
import { seededFractions } from '../../test/seeded-random.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import type { Fetched } from './u-boot.ts'

/** FIRMWRIGHT_VERIFY_SHARE=20 has files of a twentieth: for a machine that has other things to do. */
const share = Number(process.env.FIRMWRIGHT_VERIFY_SHARE ?? '1')
const LARGE_BYTES = Math.ceil(64e6 / share)
/** Over a bad network: enough for hundreds of losses, each of which costs a wait. */
const LOSSY_BLOCKS = Math.ceil(2000 / share)
const ONE_IN = 20
const BLOCK_BYTES = [512, 1468, 8192] as const
const WINDOWS = [1, 16] as const
const SEED = 7
const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
const uBootProgram = fileURLToPath(new URL('./u-boot.ts', import.meta.url))

/** Bytes that tell their place, so that a block at the wrong one shows. */
function content(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32BE(Math.imul(at, 2654435761) >>> 0, at)
  return bytes
}

/** What a client of others is run as, to put a file somewhere. */
type Client = (port: number, file: string, output: string) => readonly [string, ...string[]]

const curl =
  (blockBytes: number): Client =>
  (port, file, output) => [
    ...(['curl', '--silent', '--show-error', '--tftp-blksize', String(blockBytes)] as const),
    ...['--output', output, `tftp://127.0.0.1:${port}/${file}`],
  ]
const busybox =
  (blockBytes: number): Client =>
  (port, file, output) => [
    ...(['busybox', 'tftp', '-g', '-b', String(blockBytes)] as const),
    ...['-l', output, '-r', file, '127.0.0.1', String(port)],
  ]
const tftpHpa: Client = (port, file, output) => [
  ...(['tftp', '-m', 'binary', '127.0.0.1', String(port), '-c', 'get', file, output] as const),
]

async function verifyServer({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const contents = new Map<string, Buffer>([['large', content(LARGE_BYTES)]])
  for (const bytes of BLOCK_BYTES) contents.set(`lossy-${bytes}`, content(LOSSY_BLOCKS * bytes + 17))
  const served = mkdtempSync(join(folder, 'served-'))
  for (const [name, bytes] of contents) writeFileSync(join(served, name), bytes)
  const server = await serveTftp({ folder: served, address: '127.0.0.1', port: 0 })
  if (!server.ok) throw new Error(server.error.message)

  const add = (
    about: readonly [client: string, blocks: number | string, window: number],
    lossy: boolean,
    wanted: Buffer,
    result: string,
    isRight: boolean,
  ): void => {
    const network = lossy ? 'one in 20 lost, one in 20 doubled' : 'whole'
    if (!isRight) failures++
    progress(`${about.join(' ')}, ${network}: ${result}`)
    rows.push([...about, network, wanted.length, result.split('\n')[0] ?? ''])
  }
  /** Fetches a file over a network, and adds the row. */
  const attempt = async (
    about: readonly [client: string, blockBytes: number, window: number],
    lossy: boolean,
    file: string,
    fetch: (port: number) => Promise<Buffer>,
  ): Promise<void> => {
    const wanted = contents.get(file) ?? Buffer.alloc(0)
    const proxy = lossy
      ? await startLossyProxy(server.value.port, ONE_IN, ONE_IN, seededFractions(SEED))
      : undefined
    let result: string
    try {
      const got = await fetch(proxy?.port ?? server.value.port)
      result = got.equals(wanted) ? 'the same bytes' : 'OTHER BYTES'
    } catch (error) {
      result = `FAILED: ${error instanceof Error ? error.message : String(error)}`
    } finally {
      proxy?.close()
    }
    add(about, lossy, wanted, result, result === 'the same bytes')
  }
  const run = (client: Client, file: string) => async (port: number) => {
    const output = join(folder, 'fetched')
    const [command, ...args] = client(port, file, output)
    await execa(command, args)
    return readFileSync(output)
  }
  try {
    for (const blockBytes of BLOCK_BYTES) {
      const small = `lossy-${blockBytes}`
      for (const window of WINDOWS) {
        const options = { blksize: String(blockBytes), windowsize: String(window) }
        const own = (file: string) => async (port: number) =>
          (await fetchFile({ port, file, options, waitMs: 300 })).data
        await attempt(['ours', blockBytes, window], false, 'large', own('large'))
        await attempt(['ours', blockBytes, window], true, small, own(small))
      }
      for (const [name, client] of [
        ['curl', curl(blockBytes)],
        ['busybox', busybox(blockBytes)],
      ] as const) {
        await attempt([name, blockBytes, 1], false, 'large', run(client, 'large'))
        await attempt([name, blockBytes, 1], true, small, run(client, small))
      }
    }
    await attempt(['tftp-hpa', 512, 1], false, 'large', run(tftpHpa, 'large'))
    for await (const fetched of byUBoot(served)) {
      const wanted = contents.get(fetched.file) ?? Buffer.alloc(0)
      const same = Number.parseInt(fetched.checksum ?? '', 16) === crc32(wanted)
      const result = fetched.trouble ?? (same ? 'the same checksum' : 'OTHER BYTES')
      const { blockBytes, cappedBytes, windowBlocks } = fetched
      const blocks = cappedBytes === undefined ? blockBytes : `${blockBytes}, capped by it at ${cappedBytes}`
      add(['U-Boot', blocks, windowBlocks], fetched.lossy, wanted, result, same)
    }
  } finally {
    await server.value.close()
  }
  return {
    columns: ['client', 'blksize', 'windowsize', 'network', 'bytes', 'result'],
    rows,
    notes: [
      "tftp-hpa's client sets no options. U-Boot: Debian's 2023.01 for QEMU's arm64 board, in a user and network namespace; it takes the checksum (CRC-32) of what lies in its memory, and has no larger blocks than a packet of Ethernet.",
    ],
    failures,
  }
}

/** What Debian's U-Boot makes of the folder; ends with its program, which throws where that failed. */
async function* byUBoot(served: string): AsyncGenerator<Fetched> {
  const network = `ip link set lo up; ip addr add 192.0.2.1/32 dev lo; exec "$@"`
  const argv = ['-Urn', 'sh', '-euc', network, 'sh', process.execPath, jiti, uBootProgram, served]
  const child = execa('unshare', argv, { stderr: 'inherit' })
  for await (const line of child) yield JSON.parse(line) as Fetched
  await child
}

export const verifications: readonly Verification[] = [
  { name: 'tftp', title: 'The TFTP server', run: verifyServer },
]
