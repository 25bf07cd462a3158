import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BootFile, parseBootFile } from '../boot/index.ts'
import { UserError } from '../diagnostics/index.ts'
import {
  type BootEvent,
  type BootFailure,
  bootBoard,
  type Link,
  type LinkAddress,
  openLink,
  parseLinkAddress,
  probeLoader,
} from '../driver/index.ts'
import { openSerialLine, type SerialLine } from '../machine/index.ts'
import type { TftpEvent } from '../tftp/index.ts'
import type { BootCommandOptions } from './boot.ts'
import { describeTransfer, startServer } from './tftp-server.ts'
import { writeWhole } from './write-whole.ts'

export function parseSerial(text: string): LinkAddress {
  const address = parseLinkAddress(text)
  if (address !== undefined) return address
  throw new UserError({
    what: `${text} is no serial line`,
    fix: 'name a device (/dev/ttyUSB0, /dev/ttyUSB0,115200), unix:PATH or tcp:HOST:PORT',
  })
}

/** Serves a `tftpboot` folder and boots the board at the end of the line from it. */
export async function bootFolder(
  folder: string,
  serial: LinkAddress,
  options: BootCommandOptions,
): Promise<void> {
  const plan = await readPlan(join(folder, 'boot.json'))
  const show = options.json ? jsonEvents : plainEvents(plan)
  const server = await startServer(folder, options, show)
  try {
    const wire = await connect(serial, plan.baudRate, options.json === true)
    try {
      const upMs = options.upWithin === undefined ? {} : { upMs: options.upWithin * 1000 }
      const booted = await bootBoard({ plan, line: wire.line, onEvent: show, ...upMs })
      if (!booted.ok) throw bootError(booted.error)
      if (!options.untilUp) await wire.stayAsConsole()
    } finally {
      wire.close()
    }
  } finally {
    await server.close()
  }
}

/** The speed of nearly every U-Boot (CONFIG_BAUDRATE), where the address of the line says no other. */
const USUAL_BAUD_RATE = 115_200

/** Asks the loader at the end of the line for what it is, and writes its data file. */
export async function probeTo(file: string, serial: LinkAddress, json: boolean): Promise<void> {
  const wire = await connect(serial, USUAL_BAUD_RATE, json)
  try {
    process.stderr.write('\n[firmwright] waiting for a prompt: power the board on\n')
    const probed = await probeLoader(wire.line)
    if (!probed.ok) throw bootError(probed.error)
    writeWhole(file, `${JSON.stringify(probed.value, undefined, 2)}\n`)
    process.stderr.write(
      `\n[firmwright] ${file} is written; look through "sources" for what is to be tried\n`,
    )
  } finally {
    wire.close()
  }
}

async function readPlan(file: string): Promise<BootFile> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    throw new UserError({ what: `there is no ${file}`, fix: 'build the output tftpboot first' })
  }
  const plan = parseBootFile(text)
  if (plan.ok) return plan.value
  throw new UserError({ what: `${file}: ${plan.error.message}`, fix: 'build the output tftpboot again' })
}

interface Wire {
  readonly line: SerialLine
  /** Passes this terminal's keys on until ctrl-], the end of the input, or the end of the line. */
  stayAsConsole(): Promise<void>
  close(): void
}

/** Opens the line and shows what comes over it: on standard output, or, beside JSON, on standard error. */
async function connect(serial: LinkAddress, baudRate: number, json: boolean): Promise<Wire> {
  let link: Link | undefined
  const line = openSerialLine((text) => link?.write(text))
  const shown = json ? process.stderr : process.stdout
  let ended: (() => void) | undefined
  const opened = await openLink(serial, baudRate, {
    onData(bytes) {
      shown.write(bytes)
      line.receive(bytes)
    },
    onEnd(reason) {
      line.end(reason)
      ended?.()
    },
  })
  if (!opened.ok) {
    throw new UserError({
      what: `the serial line cannot be opened: ${opened.error.message}`,
      fix: 'see that the device is there and yours (group dialout), and that no other program has it',
    })
  }
  link = opened.value
  return {
    line,
    close: () => link?.close(),
    stayAsConsole() {
      return new Promise((resolve) => {
        const { stdin } = process
        const onKeys = (keys: Buffer): void => {
          const leave = keys.indexOf(0x1d)
          link?.write(keys.subarray(0, leave < 0 ? keys.length : leave).toString('latin1'))
          if (leave >= 0) finish()
        }
        const finish = (): void => {
          stdin.off('data', onKeys)
          if (stdin.isTTY) stdin.setRawMode(false)
          stdin.pause()
          resolve()
        }
        ended = finish
        if (stdin.isTTY) stdin.setRawMode(true)
        stdin.on('data', onKeys)
        stdin.once('end', finish)
      })
    },
  }
}

function bootError({ message, advice, lastLines }: BootFailure): UserError {
  return new UserError({ what: message, why: `the last lines were:\n${lastLines}`, fix: advice })
}

function jsonEvents(event: BootEvent | TftpEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** A line of standard error for each thing that a person would want to know. */
function plainEvents(plan: BootFile): (event: BootEvent | TftpEvent) => void {
  const say = (text: string): void => void process.stderr.write(`\n[firmwright] ${text}\n`)
  return (event) => {
    switch (event.type) {
      case 'waiting':
        return say(`waiting for ${plan.loader.name}: power the board on`)
      case 'at-prompt':
        return say('the loader is at its prompt')
      case 'memory-checked':
        return say("the loader's memory is as the plan has it")
      case 'line':
        if (event.line.stage === 'transfer') say(`${event.index + 1}/${event.count}: ${event.line.text}`)
        return
      case 'kernel-started':
        return say('the kernel runs')
      case 'up': {
        const { notStarted } = event
        const failed = notStarted.length === 0 ? '' : `; not started: ${notStarted.join(', ')}`
        return say(`up after ${event.seconds} s${failed}; ctrl-] leaves the console`)
      }
      case 'ended':
        if (event.end.type !== 'sent') say(describeTransfer(event) ?? '')
        return
      case 'busy':
        return say(describeTransfer(event) ?? '')
      case 'started':
      case 'progress':
        return
    }
  }
}
