/**
 * Which process made a file, told by the file's name: `<prefix><pid>-<start time>-<pid namespace>-<random>`. A process is
 * told apart from a later one that got the same number by its start time, in clock ticks since boot (field 22 of
 * /proc/PID/stat, proc(5)), and from one in another container by its pid namespace (pid_namespaces(7)).
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync, statSync } from 'node:fs'

interface ProcessState {
  readonly state: string
  readonly startTime: string
}

function readState(pid: string): ProcessState | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command name, field 2, is in parentheses and may itself contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' }
}

/** `pid:[4026531836]`, of which the number is enough. */
const ownNamespace = (): string => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'

/** A new name that says that this process made it. */
export function ownName(prefix = ''): string {
  // As /proc counts, which in a new pid namespace may be the outer one's: process.pid is 1 there.
  const pid = readlinkSync('/proc/self')
  const random = randomBytes(4).toString('hex')
  return `${prefix}${pid}-${readState(pid)?.startTime ?? '0'}-${ownNamespace()}-${random}`
}

const pattern = /^(?<pid>\d+)-(?<startTime>\d+)-(?<namespace>\d+)-[0-9a-f]{8}(?:$|\.)/

/** For so long after its last change a file of another container's is taken to be in use: its processes cannot be seen. */
const foreignMs = 24 * 60 * 60 * 1000

/**
 * Whether the process that made `folder`/`name` still runs; `unknown`: the name is none that {@link ownName} gives. A
 * zombie has gone: it holds nothing and only waits for its parent.
 */
export function ownerOf(folder: string, name: string, prefix = ''): 'runs' | 'gone' | 'unknown' {
  const owner = name.startsWith(prefix) ? pattern.exec(name.slice(prefix.length))?.groups : undefined
  if (owner === undefined) return 'unknown'
  if (owner.namespace !== ownNamespace()) {
    const changed = statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0
    return Date.now() - changed < foreignMs ? 'runs' : 'gone'
  }
  const found = readState(owner.pid ?? '')
  if (found === undefined || found.startTime !== owner.startTime) return 'gone'
  return found.state === 'Z' || found.state === 'X' ? 'gone' : 'runs'
}

/** The number of the process that made a file, for messages. */
export function ownerPid(name: string, prefix = ''): string | undefined {
  return pattern.exec(name.slice(prefix.length))?.groups?.pid
}
