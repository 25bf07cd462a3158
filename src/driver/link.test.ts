import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSerialLine } from '../machine/index.ts'
import { type LinkAddress, openLink } from './link.ts'

const folder = mkdtempSync(join(tmpdir(), 'link-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A link with a conversation on it. */
async function converse(address: LinkAddress) {
  let write = (_text: string): void => {}
  const line = openSerialLine((text) => write(text))
  const opened = await openLink(address, 115_200, { onData: line.receive, onEnd: line.end })
  if (!opened.ok) throw new Error(opened.error.message)
  write = opened.value.write
  return { line, close: opened.value.close }
}

/** Says everything twice, and hangs up at a full stop. */
function parrot(): Server {
  return createServer((socket) => {
    socket.on('data', (bytes) => {
      if (bytes.toString().includes('.')) socket.end()
      else socket.write(`${bytes}${bytes}`)
    })
  })
}

describe('a link', () => {
  it('over a socket carries both ways, and tells when the other side has gone', async () => {
    const path = join(folder, 'serial')
    const local = parrot()
    const remote = parrot()
    await new Promise<void>((resolve) => local.listen(path, resolve))
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
    const bound = remote.address()
    if (bound === null || typeof bound === 'string') throw new Error('no port')
    const addresses = [
      { type: 'unix', path },
      { type: 'tcp', host: '127.0.0.1', port: bound.port },
    ] as const
    for (const address of addresses) {
      const { line } = await converse(address)
      line.send('ab')
      expect(await line.wait(/abab/, 10_000)).toMatchObject({ type: 'matched' })
      line.send('.')
      expect(await line.wait(/never/, 10_000)).toMatchObject({ type: 'ended' })
    }
    local.close()
    remote.close()
  })

  it('over a serial device carries both ways', async () => {
    // QEMU's monitor on a terminal of its own is as good as a board: it has a prompt, and answers.
    const qemu = spawn('qemu-system-aarch64', [
      '-M',
      'none',
      '-display',
      'none',
      '-nodefaults',
      '-monitor',
      'pty',
    ])
    try {
      const path = await new Promise<string>((resolve, reject) => {
        let said = ''
        const listen = (text: Buffer): void => {
          said += text
          const match = /redirected to (\S+)/.exec(said)
          if (match?.[1] !== undefined) resolve(match[1])
        }
        qemu.stdout.on('data', listen)
        qemu.stderr.on('data', listen)
        qemu.on('close', () => reject(new Error(said)))
      })
      const { line, close } = await converse({ type: 'device', path, baudRate: undefined })
      line.send('info status\r')
      expect(await line.wait(/VM status: running/, 20_000)).toMatchObject({ type: 'matched' })
      close()
    } finally {
      qemu.kill()
    }
  })

  it('that cannot be opened says why', async () => {
    const listener = { onData: () => {}, onEnd: () => {} }
    for (const address of [
      { type: 'unix', path: join(folder, 'nobody') },
      { type: 'device', path: join(folder, 'ttyNONE'), baudRate: undefined },
    ] as const) {
      const opened = await openLink(address, 115_200, listener)
      expect(opened).toMatchObject({ ok: false })
      if (!opened.ok) expect(opened.error.message).toMatch(/ENOENT|No such file/)
    }
  })
})
