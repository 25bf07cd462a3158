/** A board from power-on to a running system: stops the loader, checks its memory, types the plan, watches the kernel. */
import type { BootFile, BootLine, BootStage } from '../boot/index.ts'
import type { SerialLine, Waited } from '../machine/index.ts'
import type { Loader } from '../uboot/index.ts'
import { contradictions, isCopy, parseBdinfo } from './bdinfo.ts'
import { type BootFailure, bootFailure, recogniseFailure, type Speaker, signOr } from './failure.ts'
import {
  begunPromptPattern,
  openPrompt,
  type Prompt,
  type PromptResult,
  promptPattern,
  type RunOptions,
} from './prompt.ts'

export type BootEvent =
  /** Connected; nothing has been seen of the loader yet. */
  | { readonly type: 'waiting' }
  | { readonly type: 'at-prompt' }
  | { readonly type: 'memory-checked' }
  | { readonly type: 'line'; readonly index: number; readonly count: number; readonly line: BootLine }
  /** The loader has handed over. */
  | { readonly type: 'kernel-started' }
  /** As the system itself counts, from the start of its kernel. */
  | { readonly type: 'up'; readonly seconds: number; readonly notStarted: readonly string[] }

export interface BootOptions {
  readonly plan: BootFile
  readonly line: SerialLine
  readonly onEvent?: (event: BootEvent) => void
  /** How long to wait for power-on. Default 10 minutes. */
  readonly powerOnMs?: number
  /** How long a kernel that was started, or a loader that expands, may say nothing. Default: {@link silentMsOf}. */
  readonly silentMs?: number
  /** How long a kernel that has spoken may say nothing before the system is up. Default 5 minutes. */
  readonly quietMs?: number
  /** How long the system may take to come up. No limit by default: what goes on saying something gets somewhere. */
  readonly upMs?: number
}

const POWER_ON_MS = 600_000
const SILENT_MS = 60_000
const QUIET_MS = 300_000
/** What a slow processor still unpacks, of kernel, initramfs and root, without a word: an .lzma on a MIPS 24K is about this. */
const UNPACKED_BYTES_PER_MS = 1000
const KEY_MS = 200
/** How long a prompt that answers a key takes at most: a USB adapter may hold it back for 16 ms (FTDI AN232B-04, latency timer). */
const SETTLE_MS = 50
const REPLY_MS = 5000
const REPORT_MS = 1000

/** Boots a board by its plan; done when the system says that it is up, or at the first thing that goes wrong. */
export async function bootBoard(options: BootOptions): Promise<PromptResult<undefined>> {
  const { plan, line, onEvent = () => {} } = options
  onEvent({ type: 'waiting' })
  const stopped = await stopAutoboot(line, plan.loader, options.powerOnMs ?? POWER_ON_MS)
  if (stopped !== undefined) return { ok: false, error: stopped }
  onEvent({ type: 'at-prompt' })
  const prompt = openPrompt(line, plan.loader)
  const checked = await checkMemory(prompt, line, plan)
  if (!checked.ok) return checked
  onEvent({ type: 'memory-checked' })
  const last = plan.lines.length - 1
  for (const [index, bootLine] of plan.lines.entries()) {
    onEvent({ type: 'line', index, count: plan.lines.length, line: bootLine })
    const done = index === last ? await prompt.start(bootLine.text) : await runLine(prompt, bootLine, options)
    if (!done.ok) return done
  }
  return watchKernel(options, onEvent)
}

/**
 * Gets the loader to its prompt: from power-on through its countdown, or where it is at its prompt already. A key can
 * get lost, so it is sent until the prompt answers.
 */
export async function stopAutoboot(
  line: SerialLine,
  loader: Loader,
  powerOnMs: number,
): Promise<BootFailure | undefined> {
  const atPrompt = promptPattern(loader)
  const { autoboot } = loader
  const deadline = Date.now() + powerOnMs
  const key = autoboot.type === 'key' ? autoboot.key : autoboot.type === 'string' ? autoboot.text : '\n'
  // A loader that is at its prompt answers an empty line; in a countdown it is a key like any other. Whoever is left with
  // ctrl-c is a menu, in which an empty line would choose; a prompt answers that key as well.
  line.send(key === '\x03' ? key : '\n')
  for (;;) {
    const waited = await line.wait(begunPromptPattern(loader), KEY_MS)
    if (waited.type === 'matched') break
    if (waited.type === 'ended') return bootFailure('line-gone', waited.message, line.transcript())
    if (Date.now() > deadline) {
      const message = `no prompt "${loader.prompt}" came in ${powerOnMs / 1000} s`
      return bootFailure('no-prompt', message, line.transcript())
    }
    if (line.pending() !== '' || autoboot.type === 'none') line.send(key)
  }
  // What was sent too much is on its line now: a fresh one.
  line.send('\x03')
  const fresh = await line.wait(atPrompt, REPLY_MS)
  if (fresh.type === 'matched') {
    await settle(line, atPrompt)
    return undefined
  }
  return bootFailure('no-prompt', 'the loader’s prompt came and went', line.transcript())
}

/** Takes in prompts that answer keys sent too much. */
async function settle(line: SerialLine, atPrompt: RegExp): Promise<void> {
  let waited: Waited
  do waited = await line.wait(atPrompt, SETTLE_MS)
  while (waited.type === 'matched')
}

async function checkMemory(
  prompt: Prompt,
  line: SerialLine,
  plan: BootFile,
): Promise<PromptResult<undefined>> {
  if (!plan.loader.commands.includes('bdinfo')) return { ok: true, value: undefined }
  const answer = await prompt.run('bdinfo')
  if (!answer.ok) return answer
  const found = contradictions(parseBdinfo(answer.value.output, plan.loader.addresses), plan)
  if (found.length === 0) return { ok: true, value: undefined }
  return { ok: false, error: bootFailure('contradiction', found.join('; '), line.transcript()) }
}

async function runLine(
  prompt: Prompt,
  bootLine: BootLine,
  { line, plan, silentMs = silentMsOf(plan) }: BootOptions,
): Promise<PromptResult<undefined>> {
  const patience: Partial<Record<BootStage, RunOptions>> = {
    transfer: { whenIdle: 'time-out' },
    unpack: { idleMs: silentMs },
  }
  const answer = await prompt.run(bootLine.text, patience[bootLine.stage])
  if (!answer.ok) return answer
  const { succeeded } = answer.value
  if (bootLine.onSuccess !== undefined && succeeded === true) {
    return { ok: false, error: bootFailure('edited-before', bootLine.onSuccess, line.transcript()) }
  }
  if (bootLine.onSuccess === undefined && succeeded === false) {
    const why = bootLine.onFailure === undefined ? '' : `: ${bootLine.onFailure}`
    return {
      ok: false,
      error: bootFailure('line-failed', `"${bootLine.text}" failed${why}`, line.transcript()),
    }
  }
  return { ok: true, value: undefined }
}

/** A minute, and what unpacking everything that was loaded may take. */
export function silentMsOf({ regions }: Pick<BootFile, 'regions'>): number {
  const loaded = regions.filter(({ reserved, name }) => !reserved && !isCopy({ name }))
  const bytes = loaded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return SILENT_MS + Math.ceil(bytes / UNPACKED_BYTES_PER_MS)
}

/** What the loader says last; on MIPS it says nothing, and the kernel is the first to speak. */
const HANDED_OVER = /Starting kernel|Transferring control to Linux|(?:\n|\] )Linux version /
const UP = /firmwright: up in ([\d.]+) s(?:, not started:([^\n]*))?\n/

async function watchKernel(
  options: BootOptions,
  onEvent: (event: BootEvent) => void,
): Promise<PromptResult<undefined>> {
  const { line, plan, quietMs = QUIET_MS, upMs } = options
  const silentMs = options.silentMs ?? silentMsOf(plan)
  const begun = Date.now()
  const fail = <T>(type: BootFailure['type'], message: string): PromptResult<T> => {
    return { ok: false, error: bootFailure(type, message, line.transcript()) }
  }
  /** Waits for one thing, or any sign of failure before it. */
  const reach = async (
    speaker: Speaker,
    wanted: RegExp,
    timeoutMs: number,
    late: BootFailure['type'],
    lateMessage: string,
  ): Promise<PromptResult<string>> => {
    const waited = await line.wait(signOr(speaker, wanted), timeoutMs)
    if (waited.type === 'timed-out') return fail(late, lateMessage)
    return judged(speaker, waited)
  }
  /** Waits for the system as long as something is said now and then, or until it has taken too long. */
  const reachUp = async (): Promise<PromptResult<string>> => {
    for (;;) {
      const saidBytes = line.transcript().length
      const leftMs = upMs === undefined ? quietMs : begun + upMs - Date.now()
      const waited = await line.wait(signOr('kernel', UP), Math.max(0, Math.min(quietMs, leftMs)))
      if (waited.type !== 'timed-out') return judged('kernel', waited)
      if (upMs !== undefined && Date.now() >= begun + upMs)
        return fail('not-up', `the system was not up after ${upMs / 1000} s`)
      if (line.transcript().length === saidBytes)
        return fail('not-up', `nothing came for ${quietMs / 1000} s, and the system is not up`)
    }
  }
  const judged = async (
    speaker: Speaker,
    waited: Exclude<Waited, { type: 'timed-out' }>,
  ): Promise<PromptResult<string>> => {
    if (waited.type === 'ended') return fail('line-gone', waited.message)
    const printed = `${waited.match.input.slice(0, waited.match.index)}${waited.match[0]}`
    const trouble = recogniseFailure(speaker, printed)
    if (trouble !== undefined) {
      // The rest of what is said goes into the report.
      await line.wait(/\n\n\n$/, Math.min(REPORT_MS, silentMs))
      return fail(trouble.type, trouble.message)
    }
    return { ok: true, value: printed }
  }
  const refused = promptPattern(plan.loader)
  const handedOver = await reach(
    'loader',
    new RegExp(`${HANDED_OVER.source}|${refused.source}`),
    silentMs,
    'silent',
    'the loader says nothing after the last line',
  )
  if (!handedOver.ok) return handedOver
  if (!HANDED_OVER.test(handedOver.value)) {
    return fail('line-failed', 'the loader did not start the kernel, and is back at its prompt')
  }
  onEvent({ type: 'kernel-started' })
  const spoken = await reach(
    'kernel',
    /\n[^\n]*\n[^\n]*\n[^\n]+/,
    silentMs,
    'silent',
    `the kernel said nothing for ${silentMs / 1000} s`,
  )
  if (!spoken.ok) return spoken
  const up = await reachUp()
  if (!up.ok) return up
  const match = UP.exec(up.value)
  onEvent({
    type: 'up',
    seconds: Number(match?.[1]),
    notStarted: match?.[2]?.trim().split(/\s+/) ?? [],
  })
  return { ok: true, value: undefined }
}
