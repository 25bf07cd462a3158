/**
 * What a command says, standard output and standard error in the order in which they were written: one pipe
 * for both, read into a bounded memory. Not a file, because the disk may be what the command complains
 * about; not the sockets that Node would make, because a command cannot reopen those as /dev/stderr.
 */
import { execFile } from 'node:child_process'
import { constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { executorPath } from './action.ts'

export interface Capture {
  /** For the command's descriptors 1 and 2. Whoever starts the command closes it here. */
  readonly descriptor: number
  /** All that was said, the middle left out when it is long. To be called after the command has ended. */
  text(): Promise<string>
}

const headBytes = 512 * 1024
const tailBytes = 1536 * 1024

/** For this long, what has outlived its command may keep the pipe open. */
const lingerMs = 1000

/** `path`: a name that is free, for a moment. `onLine` gets every line as it is written. */
export async function openCapture(path: string, onLine?: (line: string) => void): Promise<Capture> {
  await promisify(execFile)('mkfifo', ['-m', '600', path], { env: { PATH: executorPath } })
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const descriptor = openSync(path, constants.O_WRONLY)
  rmSync(path)

  const head: Buffer[] = []
  const tail: Buffer[] = []
  let headSize = 0
  let tailSize = 0
  let leftOut = 0
  const socket = new Socket({ fd: reading, readable: true, writable: false })
  if (onLine !== undefined) socket.on('data', lineSplitter(onLine))
  socket.on('data', (chunk: Buffer) => {
    const forHead = chunk.subarray(0, headBytes - headSize)
    if (forHead.length > 0) head.push(forHead)
    headSize += forHead.length
    if (forHead.length === chunk.length) return
    tail.push(chunk.subarray(forHead.length))
    tailSize += chunk.length - forHead.length
    while (tailSize - (tail[0]?.length ?? 0) >= tailBytes) {
      const size = tail.shift()?.length ?? 0
      tailSize -= size
      leftOut += size
    }
  })
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.once('error', () => resolve())
  })
  return {
    descriptor,
    async text() {
      const waiting = new AbortController()
      await Promise.race([ended, setTimeout(lingerMs, undefined, { signal: waiting.signal }).catch(() => {})])
      waiting.abort()
      socket.destroy()
      const middle = leftOut === 0 ? [] : [Buffer.from(`\n[… ${leftOut} bytes left out …]\n`)]
      return Buffer.concat([...head, ...middle, ...tail]).toString('utf8')
    },
  }
}

/** A line that never ends is told in pieces. */
const longestLine = 64 * 1024

function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return (chunk) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length > longestLine) {
      onLine(rest)
      rest = ''
    }
  }
}
