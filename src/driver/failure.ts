/** What goes wrong on the way to a running system, recognised in what loader and kernel say. */

export type BootFailureType =
  /** Nothing like the loader's prompt came. */
  | 'no-prompt'
  /** The loader's memory is not as the device file has it. */
  | 'contradiction'
  /** The line came back otherwise than it was typed. */
  | 'line-cut'
  /** No cable, or nobody at its other end. */
  | 'no-link'
  /** The server was not reached, or stopped answering. */
  | 'time-out'
  /** A command of the loader's does not come to its end. */
  | 'stuck'
  /** The server has no such file. */
  | 'no-file'
  | 'bad-checksum'
  /** Something was loaded, unpacked or copied over something else. */
  | 'overwritten'
  /** These commands have run before, since the board was reset. */
  | 'edited-before'
  /** A line that must succeed did not, for a reason not known here. */
  | 'line-failed'
  /** The board started anew. */
  | 'reset'
  /** The processor gave up: an exception in the loader. */
  | 'exception'
  | 'panic'
  /** The initramfs cannot mount the root. */
  | 'no-root'
  /** The kernel was started and says nothing. */
  | 'silent'
  /** The system did not come up in the time it was given. */
  | 'not-up'
  /** The serial line ended. */
  | 'line-gone'

export interface BootFailure {
  readonly type: BootFailureType
  /** What happened, in one sentence. */
  readonly message: string
  /** What to do about it. */
  readonly advice: string
  /** The last lines that came over the serial line. */
  readonly lastLines: string
}

interface Sign {
  readonly pattern: RegExp
  readonly type: BootFailureType
  readonly message: string
}

/**
 * What U-Boot prints (2023.01: net/net.c, net/tftp.c, net/eth-uclass.c, drivers/net/phy, boot/image-*.c, boot/bootm.c,
 * lib/gunzip.c). The first that matches counts.
 */
const LOADER_SIGNS: readonly Sign[] = [
  {
    pattern: /trying to overwrite reserved memory/i,
    type: 'overwritten',
    message: 'the loader refuses to load onto memory that is reserved',
  },
  {
    pattern: /image overwritten|overwrite error|out-of-mem or overwrite/i,
    type: 'overwritten',
    message: 'an image was overwritten while it was unpacked',
  },
  {
    pattern: /inflate\(\) returned -\d|uncompress error|Image too large: increase/i,
    type: 'overwritten',
    message:
      'an image could not be unpacked: it lies where it is unpacked to, or is too large for the loader',
  },
  {
    pattern: /No ethernet found|ethernet.*not found|No such device.*eth/i,
    type: 'no-link',
    message: 'the loader has no network card',
  },
  {
    pattern:
      /link is down|No link|link down|auto negotiation to complete[. ]*TIMEOUT|could not initialize PHY|PHY .*not link/i,
    type: 'no-link',
    message: 'the network card has no link',
  },
  {
    pattern: /TFTP error: '?(File not found|there is no such file)[^\n]*/i,
    type: 'no-file',
    message: 'the server has no such file',
  },
  {
    pattern: /(?:ARP )?Retry (?:count|time) exceeded/i,
    type: 'time-out',
    message: 'the server does not answer',
  },
  {
    pattern:
      /Bad Data CRC|Bad Header Checksum|Bad Magic Number|bad hash|Verifying (?:Hash|Checksum)[^\n]*(?:bad|error)/i,
    type: 'bad-checksum',
    message: 'a checksum is wrong: what arrived is not what was sent',
  },
  {
    pattern: /### ERROR ### Please RESET the board ###|must RESET/i,
    type: 'exception',
    message: 'the loader gave up',
  },
]

/**
 * What may come before and after the loader has handed over: its vectors are in place until the kernel has its own
 * (arch/*\/lib/interrupts*.c and arch/mips/lib/traps.c of U-Boot 2023.01; a kernel's report goes on
 * behind these words), Linux (kernel/panic.c), the initramfs, and a board that starts anew. A kernel and its programs may say much that
 * would be a failure from the loader: that a link is down, for one.
 */
const KERNEL_SIGNS: readonly Sign[] = [
  {
    pattern:
      /"(?:Synchronous Abort|Error)" handler|(?:undefined instruction|data abort|prefetch abort)\n|Ooops:/i,
    type: 'exception',
    message: 'the processor met with an exception in the loader',
  },
  {
    pattern: /Kernel panic - not syncing: ([^\n]*)/i,
    type: 'panic',
    message: 'the kernel panicked',
  },
  {
    pattern: /firmwright: cannot boot: ([^\n]*)/i,
    type: 'no-root',
    message: 'the initramfs could not mount the root',
  },
  {
    pattern: /(?:^|\n)(?:resetting \.\.\.|U-Boot (?:SPL |TPL )?20\d\d\.\d\d|U-Boot 1\.\d)/i,
    type: 'reset',
    message: 'the board started anew',
  },
]

const ADVICE: Readonly<Record<BootFailureType, string>> = {
  'no-prompt':
    'reset the board; where nothing comes at all, look at the wires (TX to RX), the speed of the line, and whether the loader’s data file has the right prompt and key',
  contradiction: 'correct the device file, or have the loader’s data file written by --probe',
  'line-cut':
    'lower lineLimitBytes in the loader’s data file; where other characters are wrong, look at the wires',
  'no-link': 'plug the cable into the port that the loader uses, and look at the other end',
  'time-out':
    'see that board and server are on one network: serverip is an address of this machine, a firewall lets UDP through, and no other machine has the board’s address',
  stuck: 'reset the board and try again',
  'no-file': 'build the output again: the folder that is served lacks a file',
  'bad-checksum': 'try again; where it fails again, the board’s memory or its network card is to blame',
  overwritten:
    'reset the board and try again; where it happens again, the device file lacks a region that is in use',
  'edited-before': 'reset the board',
  'line-failed': 'the loader’s own words are above',
  reset: 'look for the reason above: a watchdog that nobody feeds, an exception, the power supply',
  exception:
    'reset the board; the usual reasons are an image over the loader’s own memory, and a device tree that is not this board’s',
  panic: 'the kernel’s own words are above',
  'no-root': 'the initramfs’s own words are above; it has opened a shell',
  silent:
    'the kernel started and found no console: look at console= on its command line and at the device tree; or it met its end before it had one',
  'not-up': 'look at the console: a service may wait for something',
  'line-gone': 'the cable, or whatever plays the serial line, has gone',
}

/** Who has the console. */
export type Speaker = 'loader' | 'kernel'

const SIGNS: Readonly<Record<Speaker, readonly Sign[]>> = {
  loader: [...LOADER_SIGNS, ...KERNEL_SIGNS],
  kernel: KERNEL_SIGNS,
}

/** Matches as soon as any sign of failure is there, or what is wanted. */
export function signOr(speaker: Speaker, wanted: RegExp): RegExp {
  const patterns = [...SIGNS[speaker].map(({ pattern }) => pattern), wanted]
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join('|'), 'i')
}

/** The failure that a text tells of; undefined where it has no sign of one. */
export function recogniseFailure(
  speaker: Speaker,
  text: string,
): { readonly type: BootFailureType; readonly message: string } | undefined {
  for (const { pattern, type, message } of SIGNS[speaker]) {
    const match = pattern.exec(text)
    if (match === null) continue
    const detail = match[1] === undefined ? '' : `: ${match[1].trim()}`
    return { type, message: `${message}${detail}` }
  }
  return undefined
}

export function bootFailure(type: BootFailureType, message: string, transcript: string): BootFailure {
  const lastLines = transcript.slice(-3000).trimEnd().split('\n').slice(-20).join('\n')
  return { type, message, advice: ADVICE[type], lastLines }
}
