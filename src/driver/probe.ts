/** Writes a loader's data file from what its own prompt says: `help`, `bdinfo`, `printenv`, and what it echoes. */
import type { SerialLine } from '../machine/index.ts'
import type { Autoboot, KernelFormat, Loader } from '../uboot/index.ts'
import { parseBdinfo } from './bdinfo.ts'
import { bootFailure } from './failure.ts'
import type { PromptResult } from './prompt.ts'

/** What the prompt said. */
export interface ProbeAnswers {
  readonly prompt: string
  readonly version: string
  readonly help: string
  readonly bdinfo: string
  readonly environment: string
  /** Of the root of the loader's own tree: `fdt print / #address-cells`, and `#size-cells`; empty where it has none. */
  readonly cells: string
  /** What `echo "$?"` printed. */
  readonly status: string
  /** The longest line that is kept whole. */
  readonly lineBytes: number
  /** A countdown was seen. */
  readonly countdown: boolean
}

const MIB = 1 << 20
const QUIET_MS = 1000
const POWER_ON_MS = 600_000
const LONG_LINE = 1200

/** A loader's data, to be looked through: `rawInitramfs` and what `bootm` unpacks cannot be asked for. */
export function loaderFromAnswers(answers: ProbeAnswers): Loader {
  const { help, bdinfo, environment, cells } = answers
  const commands = [...help.matchAll(/^([a-z][\w.]*) +- /gm)].map(([, name = '']) => name).sort()
  const name = /U-Boot [^\n(]*/.exec(answers.version)?.[0].trim() ?? 'U-Boot'
  const variable = (wanted: string): string | undefined =>
    new RegExp(`^${wanted}=(.+)$`, 'm').exec(environment)?.[1]
  const wordBits = /Build\s*=\s*64-bit/.test(bdinfo) ? 64 : 32
  const kseg0 = /(?:-> start|memstart)\s*=\s*0x(?:ffffffff)?80000000/.test(bdinfo)
  const memory = parseBdinfo(bdinfo, kseg0 ? 'kseg0' : 'physical')
  const [bank] = memory.banks
  const tops = memory.reserved.filter(({ end }) => bank !== undefined && end >= bank.end)
  const lowest = Math.min(...tops.map(({ start }) => start))
  const ownBytes = bank === undefined || tops.length === 0 ? 32 * MIB : bank.end - lowest
  const [addressCells, sizeCells] = [...cells.matchAll(/<0x0*([12])>/g)].map(
    ([, count]) => Number(count) as 1 | 2,
  )
  const treeBytes = Number.parseInt(/fdt_size\s*=\s*0x([0-9a-f]+)/.exec(bdinfo)?.[1] ?? '0', 16)
  const has = (command: string): boolean => commands.includes(command)
  const formats: KernelFormat[] = [
    ...(has('booti') ? (['image', 'image-compressed'] as const) : []),
    ...(has('bootz') ? (['zimage'] as const) : []),
    ...(has('bootm') ? (['uimage-none', 'uimage-gzip'] as const) : []),
  ]
  const [fdtHigh, initrdHigh] = [variable('fdt_high'), variable('initrd_high')]
  const autoboot: Autoboot = answers.countdown ? { type: 'key', key: ' ' } : { type: 'none' }
  const claims = {
    name,
    prompt: answers.prompt,
    autoboot,
    lineLimitBytes: answers.lineBytes,
    commands,
    formats,
    architecture: kseg0 ? 'mips' : wordBits === 64 ? 'arm64' : 'arm',
    wordBits,
    ...(fdtHigh === undefined ? {} : { fdtHigh }),
    ...(initrdHigh === undefined ? {} : { initrdHigh }),
    ownSizeBytes: Math.ceil(ownBytes / MIB) * MIB,
    addresses: kseg0 ? 'kseg0' : 'physical',
    rawInitramfs: true,
    tree: has('fdt'),
    ...(addressCells === undefined || sizeCells === undefined || treeBytes === 0
      ? {}
      : { ownTree: { sizeBytes: treeBytes, addressCells, sizeCells } }),
    shell: answers.status.trim() === '0' ? 'hush' : 'simple',
  } as const
  const from = (command: string): string => `${command}, asked by firmwright boot --probe`
  const sources: Readonly<Record<string, string>> = {
    name: from('version'),
    prompt: from('an empty line'),
    autoboot: 'what the loader printed before its prompt',
    lineLimitBytes: `how much of a line of ${LONG_LINE} characters was echoed, less one for the final zero`,
    commands: from('help'),
    formats: 'the boot commands in help; what bootm unpacks, and whether it takes a FIT, is to be tried',
    architecture: from('bdinfo'),
    wordBits: from('bdinfo'),
    fdtHigh: from('printenv'),
    initrdHigh: from('printenv'),
    ownSizeBytes: `bdinfo: reserved up to the top of the memory, rounded up${tops.length === 0 ? '; it says nothing: a guess' : ''}`,
    addresses: from('bdinfo'),
    rawInitramfs: 'CONFIG_SUPPORT_RAW_INITRD cannot be asked for: to be tried',
    tree: 'the command fdt in help',
    ownTree: from('bdinfo and fdt print'),
    shell: 'whether echo $? prints a number',
  }
  return {
    ...claims,
    sources: Object.fromEntries(Object.keys(claims).map((field) => [field, sources[field] ?? ''])),
  }
}

export interface ProbeOptions {
  /** How long to wait for a prompt. Default 10 minutes. */
  readonly powerOnMs?: number
  /** A pause after which an answer is taken to be whole. Default 1 s. */
  readonly quietMs?: number
}

/** Asks a loader that is at its prompt, or in its countdown, for all that `loaderFromAnswers` wants to know. */
export async function probeLoader(
  line: SerialLine,
  options: ProbeOptions = {},
): Promise<PromptResult<Loader>> {
  const { powerOnMs = POWER_ON_MS, quietMs = QUIET_MS } = options
  const fail = (message: string): PromptResult<Loader> => {
    return { ok: false, error: bootFailure('no-prompt', message, line.transcript()) }
  }
  const deadline = Date.now() + powerOnMs
  // A prompt is what stays on the last line, and comes again after an empty one.
  let prompt = ''
  while (prompt === '') {
    if (Date.now() > deadline) return fail(`no prompt came in ${powerOnMs / 1000} s`)
    line.send('\x03')
    const first = await line.wait(/(?:^|\n)([^\n]{1,40}[>#$%] ?)$/, quietMs)
    if (first.type === 'ended') return fail(first.message)
    if (first.type !== 'matched') {
      if (line.pending() !== '') line.send(' ')
      continue
    }
    line.send('\n')
    const again = await line.wait(/\n([^\n]{1,40}[>#$%] ?)$/, quietMs)
    if (again.type !== 'matched') continue
    // The space behind it may be on its way still.
    const rest = await line.wait(/ $/, quietMs)
    prompt = `${again.match[1] ?? ''}${rest.type === 'matched' ? rest.match[0] : ''}`
  }
  const countdown = /hit any key|autoboot/i.test(line.transcript())
  const ask = async (command: string): Promise<string> => {
    line.send(`${command}\n`)
    let answer = ''
    for (;;) {
      const waited = await line.wait(/[\s\S]+/, quietMs)
      if (waited.type !== 'matched') break
      answer += waited.match[0]
    }
    // Without the echo of the command and the prompt behind the answer.
    const body = answer.slice(answer.indexOf('\n') + 1)
    return body.endsWith(prompt) ? body.slice(0, -prompt.length) : body
  }
  const [version, help, bdinfo, environment] = [
    await ask('version'),
    await ask('help'),
    await ask('bdinfo'),
    await ask('printenv'),
  ]
  await ask('fdt addr ${fdtcontroladdr}')
  const cells = `${await ask("fdt print / '#address-cells'")}${await ask("fdt print / '#size-cells'")}`
  const status = await ask('true; echo $?')
  line.send('x'.repeat(LONG_LINE))
  let echoed = ''
  for (;;) {
    const waited = await line.wait(/[\s\S]+/, quietMs)
    if (waited.type !== 'matched') break
    echoed += waited.match[0]
  }
  line.send('\x03')
  // One more is echoed than is kept: the buffer ends with a zero.
  const lineBytes = (echoed.match(/x/g) ?? []).length - 1
  if (lineBytes < 1) return fail('the loader echoes nothing')
  return {
    ok: true,
    value: loaderFromAnswers({
      prompt,
      version,
      help,
      bdinfo,
      environment,
      cells,
      status,
      lineBytes,
      countdown,
    }),
  }
}
