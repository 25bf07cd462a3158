import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BootFile } from '../boot/index.ts'
import { parseLoader } from '../uboot/index.ts'
import { contradictions, parseBdinfo } from './bdinfo.ts'
import { type BootEvent, bootBoard, silentMsOf } from './boot.ts'
import { recogniseFailure } from './failure.ts'
import { parseLinkAddress } from './link.ts'
import { openPrompt } from './prompt.ts'
import { type FakeOptions, fakeLoader } from './test/fake-loader.ts'

const data = new URL('../devices/loaders/qemu-arm64.json', import.meta.url)
const parsed = parseLoader(JSON.parse(readFileSync(data, 'utf8')))
if (!parsed.ok) throw new Error(parsed.error.message)
const loader = parsed.value
const plan: BootFile = {
  format: 1,
  device: 'board',
  loader,
  baudRate: 115_200,
  network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  memory: [{ start: 0x4000_0000, end: 0x5000_0000 }],
  regions: [
    { name: 'initramfs', address: 0x4040_0000, sizeBytes: 0x10_0000, reserved: false },
    { name: 'kernel', address: 0x4080_0000, sizeBytes: 0x200_0000, reserved: false },
    { name: 'initramfs, copied', address: 0x4d00_0000, sizeBytes: 0x10_0000, reserved: false },
    { name: 'boot loader', address: 0x4dc0_0000, sizeBytes: 0x240_0000, reserved: true },
  ],
  lines: [
    { stage: 'network', text: "setenv serverip '192.0.2.1'" },
    { stage: 'check', text: 'fdt list /reserved-memory/rootfs@1', onSuccess: 'reset it' },
    {
      stage: 'transfer',
      text: 'tftpboot 0x40400000 initramfs.img',
      file: 'initramfs.img',
      onFailure: 'not there',
    },
    { stage: 'boot', text: 'booti 0x40800000 0x40400000:100000 ${fdtcontroladdr}' },
  ],
}
// As qemu_arm64 of Debian's u-boot-qemu prints it with -m 256.
const bdinfo = `boot_params = 0x0000000000000000
DRAM bank   = 0x0000000000000000
-> start    = 0x0000000040000000
-> size     = 0x0000000010000000
flashstart  = 0x0000000000000000
relocaddr   = 0x000000004fef7000
lmb_dump_all:
 memory.cnt  = 0x1
 memory[0]\t[0x40000000-0x4fffffff], 0x10000000 bytes flags: 0
 reserved.cnt  = 0x2
 reserved[0]\t[0x4ddb2000-0x4fffffff], 0x0224e000 bytes flags: 0
 reserved[1]\t[0x4edb2930-0x4fffffff], 0x0124d6d0 bytes flags: 0
`
const kernelSays =
  '\nStarting kernel ...\n\n[    0.0] Booting Linux\n[    0.1] Linux version 6.1\n[    0.2] more\n'
const up = `${kernelSays}firmwright: up in 8.72 s\n`

/** Boots a fake board; each command may be given another answer. */
async function boot(
  answers: Readonly<Record<string, ReturnType<NonNullable<FakeOptions['answer']>>>> = {},
  options: FakeOptions = {},
  autoboot = plan.loader.autoboot,
) {
  const fake = fakeLoader({
    ...options,
    answer(line) {
      const [command = ''] = line.split(' ')
      const usual = {
        bdinfo: { output: bdinfo },
        fdt: { result: 1 },
        booti: { output: up, silent: true },
      } as const
      return answers[command] ?? usual[command as keyof typeof usual] ?? {}
    },
  })
  const events: BootEvent[] = []
  const onEvent = (event: BootEvent): void => void events.push(event)
  const stopped = { ...plan, loader: { ...plan.loader, autoboot } }
  const booted = await bootBoard({ plan: stopped, line: fake.line, onEvent, silentMs: 300, quietMs: 300 })
  return { booted, events, ran: fake.ran }
}

describe('a board that boots', () => {
  it('is told the lines of the plan, in order, after its memory was checked', async () => {
    const { booted, ran, events } = await boot()
    expect(booted).toEqual({ ok: true, value: undefined })
    expect(ran).toEqual(['bdinfo', ...plan.lines.map(({ text }) => text)])
    expect(events.at(-1)).toEqual({ type: 'up', seconds: 8.72, notStarted: [] })
    expect(events.filter(({ type }) => type === 'line')).toHaveLength(plan.lines.length)
  })

  it('is stopped in its countdown, however many keys get lost', async () => {
    const { booted } = await boot({}, { countdown: { key: ' ', losesKeys: 3 } })
    expect(booted.ok).toBe(true)
  })

  it('leaves a menu with ctrl-c, and chooses nothing in it', async () => {
    const key = '\x03'
    const { booted, ran } = await boot({}, { countdown: { key, menu: true } }, { type: 'key', key })
    expect(booted.ok).toBe(true)
    expect(ran).toEqual(['bdinfo', ...plan.lines.map(({ text }) => text)])
  })

  it('says which services did not start', async () => {
    const output = `${kernelSays}firmwright: up in 3.5 s, not started: ssh ntp\n`
    const { events } = await boot({ booti: { output, silent: true } })
    expect(events.at(-1)).toEqual({ type: 'up', seconds: 3.5, notStarted: ['ssh', 'ntp'] })
  })

  it('may have a link that is down for a while, says its kernel', async () => {
    const output = `${kernelSays}[    3.1] mtk_soc_eth eth0: Link is Down\nfirmwright: up in 3.5 s\n`
    const { booted, events } = await boot({ booti: { output, silent: true } })
    expect(booted.ok).toBe(true)
    expect(events.at(-1)).toEqual({ type: 'up', seconds: 3.5, notStarted: [] })
  })

  it('is typed to again where a character got lost, and nothing garbled is run', async () => {
    const { booted, ran } = await boot({}, { losesEvery: 97 })
    expect(booted.ok).toBe(true)
    expect(ran).toEqual(['bdinfo', ...plan.lines.map(({ text }) => text)])
  })
})

describe('a system that takes its time', () => {
  /** Prints a line now and then once the kernel runs, and at last that it is up. */
  async function bootSlowly(options: { readonly upMs?: number }) {
    const words = [
      ...Array.from({ length: 6 }, (_, index) => `service ${index}\n`),
      'firmwright: up in 90 s\n',
    ]
    const fake = fakeLoader({
      answer: (line) => {
        if (line === 'bdinfo') return { output: bdinfo }
        if (line.startsWith('fdt')) return { result: 1 }
        if (!line.startsWith('booti')) return {}
        const timer = setInterval(() => {
          const word = words.shift()
          if (word === undefined) clearInterval(timer)
          else fake.print(word)
        }, 200)
        return { output: kernelSays, silent: true }
      },
    })
    return bootBoard({ plan, line: fake.line, silentMs: 5000, quietMs: 600, ...options })
  }

  it('is waited for as long as it says something', async () => {
    expect(await bootSlowly({})).toEqual({ ok: true, value: undefined })
  })

  it('is given up all the same after the time that it was given', async () => {
    expect(await bootSlowly({ upMs: 700 })).toMatchObject({
      error: { type: 'not-up', message: 'the system was not up after 0.7 s' },
    })
  })

  it('may be silent for longer the more there is to unpack', () => {
    const region = { name: 'initramfs', address: 0, reserved: false }
    expect(silentMsOf({ regions: [{ ...region, sizeBytes: 100e6 }] })).toBe(160_000)
    expect(silentMsOf({ regions: [{ ...region, sizeBytes: 100e6, reserved: true }] })).toBe(60_000)
    expect(silentMsOf({ regions: [{ ...region, name: 'initramfs, copied', sizeBytes: 9e9 }] })).toBe(60_000)
  })
})

describe('a failure is recognised, and nothing more is typed', () => {
  it.each([
    ['no-link', 'Waiting for PHY auto negotiation to complete......... TIMEOUT !\n'],
    ['no-link', 'eth0: link is down\n'],
    ['time-out', 'Loading: T T T T T T T T T T \nRetry count exceeded; starting again\n'],
    ['time-out', '\nARP Retry count exceeded; starting again\n'],
    ['no-file', "TFTP error: 'there is no such file' (1)\nNot retrying...\n"],
    ['overwritten', 'TFTP error: trying to overwrite reserved memory...\n'],
    ['reset', 'resetting ...\n'],
    ['exception', '"Synchronous Abort" handler, esr 0x96000010\n'],
  ])('during a transfer: %s', async (type, output) => {
    const { booted, ran } = await boot({ tftpboot: { output, result: 1 } })
    expect(booted).toMatchObject({ ok: false, error: { type } })
    expect(ran.at(-1)).toMatch(/^tftpboot/)
  })

  it.each([
    ['bad-checksum', "   Verifying Checksum ... Bad Data CRC\nERROR: can't get kernel image!\n", false],
    ['bad-checksum', "   Verifying Hash Integrity ... sha256 error!\nBad hash value for 'hash-1'\n", false],
    ['overwritten', 'ERROR: new format image overwritten - must RESET the board to recover\n', true],
    ['line-failed', 'Bad Linux ARM64 Image magic!\n', false],
    ['panic', `${kernelSays}[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n`, true],
    ['no-root', `${kernelSays}\nfirmwright: cannot boot: there is no /sbin/init\n`, true],
    ['reset', `${kernelSays}\nU-Boot 2023.01+dfsg-2 (Jun 22 2026)\n`, true],
    ['silent', '\nStarting kernel ...\n\n', true],
    ['not-up', kernelSays, true],
  ])('once the kernel is to start: %s', async (type, output, silent) => {
    const { booted } = await boot({ booti: { output, result: 1, ...(silent ? { silent: true } : {}) } })
    expect(booted).toMatchObject({ ok: false, error: { type } })
    if (!booted.ok) expect(booted.error.advice).not.toBe('')
  })

  it('where a line that must fail does not: the commands have run before', async () => {
    const { booted, ran } = await boot({ fdt: { result: 0 } })
    expect(booted).toMatchObject({ error: { type: 'edited-before', message: 'reset it' } })
    expect(ran.some((line) => line.startsWith('tftpboot'))).toBe(false)
  })

  it('by its result alone, where nothing else tells of it', async () => {
    const { booted } = await boot({ tftpboot: { output: 'something new\n', result: 1 } })
    expect(booted).toMatchObject({ error: { type: 'line-failed' } })
    if (!booted.ok) expect(booted.error.message).toContain('not there')
  })

  it('where the loader cuts a line, with how much it took', async () => {
    const fake = fakeLoader({ lineLimitBytes: 40 })
    fake.print('=> ')
    const answer = await openPrompt(fake.line, loader).run(`setenv bootargs '${'x'.repeat(60)}'`)
    expect(answer).toMatchObject({ ok: false, error: { type: 'line-cut' } })
    if (!answer.ok) expect(answer.error.message).toContain('took 41 of the 78 characters')
    expect(fake.ran).toEqual([])
  })

  it('where the serial line ends', async () => {
    const fake = fakeLoader()
    fake.end('unplugged')
    const booted = await bootBoard({ plan, line: fake.line })
    expect(booted).toMatchObject({ error: { type: 'line-gone' } })
  })

  it('where no prompt comes', async () => {
    const fake = fakeLoader({ prompt: 'other> ' })
    const booted = await bootBoard({ plan, line: fake.line, powerOnMs: 500 })
    expect(booted).toMatchObject({ error: { type: 'no-prompt' } })
  })
})

describe("the loader's own memory map", () => {
  const seen = parseBdinfo(bdinfo, 'physical')

  it('is read', () => {
    expect(seen.banks).toEqual([{ start: 0x4000_0000, end: 0x5000_0000 }])
    expect(seen.reserved[0]).toEqual({ start: 0x4ddb_2000, end: 0x5000_0000 })
    const malta = parseBdinfo('memstart    = 0x80000000\nmemsize     = 0x08000000\n', 'kseg0')
    expect(malta.banks).toEqual([{ start: 0, end: 0x800_0000 }])
  })

  it('agrees with a right device file', () => {
    expect(contradictions(seen, plan)).toEqual([])
  })

  it('contradicts a device file that has other memory, with both numbers', () => {
    const [said] = contradictions(seen, { ...plan, memory: [{ start: 0x4000_0000, end: 0x6000_0000 }] })
    expect(said).toContain('0x40000000+0x20000000')
    expect(said).toContain('0x40000000+0x10000000')
  })

  it('contradicts a loader data file that has the loader too small, with both numbers', () => {
    const small = { ...plan, loader: { ...loader, ownSizeBytes: 0x10_0000 } }
    const [said] = contradictions(seen, small)
    expect(said).toContain('0x4ff00000+0x100000')
    expect(said).toContain('0x4ddb2000+0x224e000')
  })

  it('contradicts a plan that lies over what the loader keeps', () => {
    const span = { start: 0x4100_0000, end: 0x4100_1000 }
    const [said] = contradictions({ ...seen, reserved: [span] }, plan)
    expect(said).toContain('covers 0x1000 bytes of the kernel')
  })

  it('is checked before anything is sent', async () => {
    const smaller = bdinfo.replaceAll('0x0000000010000000', '0x0000000008000000')
    const { booted, ran } = await boot({ bdinfo: { output: smaller } })
    expect(booted).toMatchObject({ error: { type: 'contradiction' } })
    expect(ran).toEqual(['bdinfo'])
  })
})

describe('the address of a serial line', () => {
  it('is a device, a socket, or a port of another machine', () => {
    expect(parseLinkAddress('/dev/ttyUSB0')).toEqual({
      type: 'device',
      path: '/dev/ttyUSB0',
      baudRate: undefined,
    })
    expect(parseLinkAddress('/dev/ttyUSB0,57600')).toMatchObject({ baudRate: 57_600 })
    expect(parseLinkAddress('unix:a/b')).toEqual({ type: 'unix', path: 'a/b' })
    expect(parseLinkAddress('tcp:[::1]:4000')).toEqual({ type: 'tcp', host: '::1', port: 4000 })
    for (const text of ['ttyUSB0', 'unix:', 'tcp:host', 'tcp:host:70000', '/dev/ttyUSB0,fast']) {
      expect(parseLinkAddress(text)).toBeUndefined()
    }
  })
})

it('tells a failure from ordinary words', () => {
  for (const text of [
    'Verifying Checksum ... OK',
    '   Loading Ramdisk to 4db56000, end 4ddae5c0 ... OK',
    'done',
  ]) {
    expect(recogniseFailure('loader', text)).toBeUndefined()
  }
})

it("does not take a kernel's words for the loader's", () => {
  for (const text of [
    '[    3.1] mtk_soc_eth 15100000.ethernet eth0: Link is Down\n',
    '[    2.7] Internal error: Oops - undefined instruction: 0 [#1] SMP ARM\n',
    'ubi0: bad magic number\n',
  ]) {
    expect(recogniseFailure('kernel', text)).toBeUndefined()
  }
  for (const [text, type] of [
    ['Starting kernel ...\n\nundefined instruction\npc : [<6041>]', 'exception'],
    ['[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n', 'panic'],
    ['\nResetting ...\n', 'reset'],
  ]) {
    expect(recogniseFailure('kernel', text ?? '')).toMatchObject({ type })
  }
})
