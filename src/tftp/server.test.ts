import { execFile, execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { seededFractions } from '../../test/seeded-random.ts'
import { writeRequest } from './packet.ts'
import { fetchFile, startLossyProxy } from './rig.ts'
import { serveTftp, type TftpEvent, type TftpServer, type TftpServerOptions } from './server.ts'

const run = promisify(execFile)
const base = mkdtempSync(join(tmpdir(), 'tftp-test-'))
const folder = join(base, 'served')
mkdirSync(join(folder, 'sub'), { recursive: true })
afterAll(() => rmSync(base, { recursive: true }))

const MIB = 1 << 20

/** Bytes that tell their place, so that a block at the wrong one shows. */
function content(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32BE(Math.imul(at, 2654435761) >>> 0, at)
  return bytes
}

const files = {
  empty: Buffer.alloc(0),
  short: Buffer.from('firmware'),
  'one-block': content(512),
  small: content(MIB / 16 + 5),
  quarter: content(MIB / 4 + 3),
  middle: content(3 * MIB + 17),
  large: content(64 * MIB),
}
for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
writeFileSync(join(folder, 'sub', 'inner'), 'inner')
writeFileSync(join(base, 'secret'), 'secret')
symlinkSync('../secret', join(folder, 'link-out'))
symlinkSync('..', join(folder, 'folder-out'))
symlinkSync('sub/inner', join(folder, 'link-in'))
symlinkSync('loop', join(folder, 'loop'))
execFileSync('mkfifo', [join(folder, 'pipe')])

const servers: TftpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(options: Partial<TftpServerOptions> = {}): Promise<TftpServer> {
  const served = await serveTftp({ folder, address: '127.0.0.1', port: 0, ...options })
  if (!served.ok) throw new Error(served.error.message)
  servers.push(served.value)
  return served.value
}

describe('serving', () => {
  it.each(['empty', 'short', 'one-block', 'middle'] as const)('sends %s whole', async (file) => {
    const { port } = await serve()
    expect((await fetchFile({ port, file })).data.equals(files[file])).toBe(true)
  })

  it.each([
    [512, 1],
    [512, 16],
    [1468, 1],
    [1468, 16],
    [8192, 1],
    [8192, 16],
  ])('sends 3 MiB in blocks of %i and windows of %i', async (blksize, windowsize) => {
    const { port } = await serve()
    const options = { blksize: String(blksize), windowsize: String(windowsize), tsize: '0' }
    const { data, accepted } = await fetchFile({ port, file: 'middle', options })
    expect(data.equals(files.middle)).toBe(true)
    expect(Object.fromEntries(accepted)).toEqual({ ...options, tsize: String(files.middle.length) })
  })

  it('sends 64 MiB in blocks of 512: block numbers roll over twice', async () => {
    const { port } = await serve()
    const { data } = await fetchFile({ port, file: 'large', options: { windowsize: '16' } })
    expect(data.equals(files.large)).toBe(true)
  })

  it('tells what happens', async () => {
    const events: TftpEvent[] = []
    const { port } = await serve({ onEvent: (event) => events.push(event) })
    await fetchFile({ port, file: 'middle', options: { blksize: '8192' } })
    await expect.poll(() => events.at(-1)?.type).toBe('ended')
    const types = events.map(({ type }) => type)
    expect(types.slice(0, 2)).toEqual(['started', 'progress'])
    expect(events.at(-1)).toMatchObject({
      file: 'middle',
      end: { type: 'sent', sizeBytes: files.middle.length },
    })
  })

  it('serves 20 clients at once', async () => {
    const { port } = await serve()
    const fetched = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        return fetchFile({
          port,
          file: 'middle',
          options: { blksize: '8192', windowsize: String(1 + index) },
        })
      }),
    )
    expect(fetched.every(({ data }) => data.equals(files.middle))).toBe(true)
  })
})

describe('clients that others wrote', () => {
  it.each(['512', '1468', '8192'])('curl, blocks of %s', async (blksize) => {
    const { port } = await serve()
    const url = `tftp://127.0.0.1:${port}/middle`
    const output = join(base, `curl-${blksize}`)
    await run('curl', ['--silent', '--show-error', '--tftp-blksize', blksize, '--output', output, url])
    expect(readFileSync(output).equals(files.middle)).toBe(true)
  })

  it('tftp-hpa', async () => {
    const { port } = await serve()
    await run('tftp', ['-m', 'binary', '127.0.0.1', String(port), '-c', 'get', 'middle', join(base, 'hpa')])
    expect(readFileSync(join(base, 'hpa')).equals(files.middle)).toBe(true)
  })

  it.each(['512', '1468', '8192'])('busybox, blocks of %s', async (blksize) => {
    const { port } = await serve()
    const output = join(base, `busybox-${blksize}`)
    await run('busybox', [
      'tftp',
      '-g',
      '-b',
      blksize,
      '-l',
      output,
      '-r',
      'middle',
      '127.0.0.1',
      String(port),
    ])
    expect(readFileSync(output).equals(files.middle)).toBe(true)
  })
})

it.each([1, 4])('a client with room for %d packets gets windows in shorter bursts', async (room) => {
  const { port } = await serve()
  const options = { blksize: '512', windowsize: '16' }
  const { data, packets } = await fetchFile({ port, file: 'middle', options, room })
  expect(data.equals(files.middle)).toBe(true)
  // All at once, each window would lose what there is no room for, and come again.
  expect(packets).toBeLessThan(1.5 * (files.middle.length / 512))
})

describe('a bad network', () => {
  it.each([
    ['512', '1', 'small'],
    ['512', '16', 'small'],
    ['1468', '1', 'quarter'],
    ['1468', '16', 'quarter'],
    ['8192', '1', 'quarter'],
    ['8192', '16', 'middle'],
  ] as const)(
    'that loses and doubles one packet in 20 costs repetitions only (blocks of %s, windows of %s, %s)',
    async (blksize, windowsize, file) => {
      const server = await serve()
      const proxy = await startLossyProxy(server.port, 20, 20, seededFractions(7))
      try {
        const options = { blksize, windowsize }
        const { data, packets } = await fetchFile({ port: proxy.port, file, options, waitMs: 300 })
        expect(data.equals(files[file])).toBe(true)
        // No avalanche: what is doubled once is not doubled from there on, which would double it in every window. A
        // window that lost a block (of 16, more than half do) is sent again from there.
        const blocks = Math.ceil(files[file].length / Number(blksize))
        expect(packets).toBeLessThan(blocks * (windowsize === '1' ? 2.5 : 5))
      } finally {
        proxy.close()
      }
    },
  )

  it('does not keep curl from its file', async () => {
    const server = await serve()
    const proxy = await startLossyProxy(server.port, 20, 20, seededFractions(3))
    try {
      const output = join(base, 'curl-lossy')
      const url = `tftp://127.0.0.1:${proxy.port}/middle`
      await run('curl', ['--silent', '--show-error', '--tftp-blksize', '8192', '--output', output, url])
      expect(readFileSync(output).equals(files.middle)).toBe(true)
    } finally {
      proxy.close()
    }
  })
})

describe('refusing', () => {
  it.each([
    ['a file that is not there', 'none', /^1: there is no such file/],
    ['a folder', 'sub', /^2: not a regular file/],
    ['an absolute name', '/etc/hostname', /^2: absolute names/],
    ['a name that leads out', '../secret', /^2: names with "\.\."/],
    ['a name that leads out and in', 'sub/../short', /^2: names with "\.\."/],
    ['a link that leads out', 'link-out', /^2: the file is outside/],
    ['a linked folder that leads out', 'folder-out/secret', /^2: the file is outside/],
    ['a link to itself', 'loop', /^1: there is no such file/],
    ['a named pipe, without waiting for it', 'pipe', /^2: not a regular file/],
    ['an empty name', '', /^2: not a file name/],
    ['a file taken for a folder', 'short/x', /^1: there is no such file/],
    ['a name that is too long', 'x'.repeat(400), /^1: there is no such file/],
  ])('%s', async (_name, file, message) => {
    const { port } = await serve()
    await expect(fetchFile({ port, file })).rejects.toThrow(message)
  })

  it('writes, and modes other than octet', async () => {
    const { port } = await serve()
    await expect(fetchFile({ port, file: 'new', type: 'write' })).rejects.toThrow(
      '2: this server is read only',
    )
    await expect(fetchFile({ port, file: 'short', mode: 'netascii' })).rejects.toThrow(/^4: mode "netascii"/)
  })

  it('but not links that stay inside, and folders below', async () => {
    const { port } = await serve()
    expect((await fetchFile({ port, file: 'link-in' })).data.toString()).toBe('inner')
    expect((await fetchFile({ port, file: './sub//inner' })).data.toString()).toBe('inner')
  })

  it('says what to do when the port is taken or forbidden, and when there is no folder', async () => {
    const { port } = await serve()
    expect(await serveTftp({ folder, address: '127.0.0.1', port })).toMatchObject({
      ok: false,
      error: { type: 'port-taken', advice: expect.stringContaining('ss -ulnp') },
    })
    for (const none of [join(base, 'none'), join(folder, 'sub/inner')]) {
      expect(await serveTftp({ folder: none, port: 0 })).toMatchObject({ error: { type: 'no-folder' } })
    }
    expect(await serveTftp({ folder, address: '192.0.2.77', port: 0 })).toMatchObject({
      error: { type: 'bad-address' },
    })
  })
})

describe('a flood of requests', () => {
  it('is bounded, and a client that answers gets its file all the same', async () => {
    const events: TftpEvent[] = []
    const server = await serve({ maxTransfers: 8, onEvent: (event) => events.push(event) })
    const request = writeRequest({ type: 'read', file: 'large', mode: 'octet', options: new Map() })
    const flood = Array.from({ length: 200 }, () => createSocket('udp4'))
    try {
      for (const socket of flood)
        for (let count = 0; count < 5; count++) socket.send(request, server.port, '127.0.0.1')
      const { data } = await fetchFile({ port: server.port, file: 'middle', options: { blksize: '8192' } })
      expect(data.equals(files.middle)).toBe(true)
    } finally {
      for (const socket of flood) socket.close()
    }
    let running = 0
    let most = 0
    for (const event of events) {
      if (event.type === 'started') running++
      if (event.type === 'ended' && event.end.type !== 'refused') running--
      most = Math.max(most, running)
    }
    expect(most).toBeLessThanOrEqual(16)
  })

  it('of nonsense is ignored', async () => {
    const { port } = await serve()
    const socket = createSocket('udp4')
    try {
      for (let length = 0; length < 200; length++)
        socket.send(Buffer.alloc(length, length), port, '127.0.0.1')
      expect((await fetchFile({ port, file: 'short' })).data.toString()).toBe('firmware')
    } finally {
      socket.close()
    }
  })

  it('that is one request doubled is one transfer', async () => {
    const events: TftpEvent[] = []
    const { port } = await serve({ onEvent: (event) => events.push(event) })
    const socket = createSocket('udp4')
    try {
      const request = writeRequest({ type: 'read', file: 'short', mode: 'octet', options: new Map() })
      await new Promise<void>((resolve) => {
        socket.on('message', () => resolve())
        for (let count = 0; count < 5; count++) socket.send(request, port, '127.0.0.1')
      })
      expect(events.filter(({ type }) => type === 'started')).toHaveLength(1)
    } finally {
      socket.close()
    }
  })
})

it('closing ends what is running', async () => {
  const events: TftpEvent[] = []
  const server = await serve({ onEvent: (event) => events.push(event) })
  const fetching = fetchFile({ port: server.port, file: 'large' }).catch(() => {})
  await expect.poll(() => events.some(({ type }) => type === 'progress')).toBe(true)
  servers.splice(0)
  await server.close()
  expect(events.at(-1)).toMatchObject({ type: 'ended', end: { type: 'dropped' } })
  void fetching
})
