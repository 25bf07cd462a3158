import { readFileSync } from 'node:fs'

/**
 * A process, told apart from a later one that got the same number: `<pid>-<start time>`, the start time in
 * clock ticks since boot (field 22 of /proc/PID/stat, proc(5)).
 */
export type ProcessIdentity = string

function readStat(pid: number | 'self'): { state: string; startTime: string } | undefined {
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

export function ownIdentity(): ProcessIdentity {
  return `${process.pid}-${readStat('self')?.startTime ?? '0'}`
}

/** A zombie counts as dead: it holds nothing and only waits for its parent. */
export function isAlive(identity: ProcessIdentity): boolean {
  const [pid, startTime] = identity.split('-')
  const stat = readStat(Number(pid))
  return stat !== undefined && stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X'
}

/** The identity at the front of a name that a process made (`<pid>-<start time>-<anything>`). */
export function identityIn(name: string): ProcessIdentity | undefined {
  return /^(\d+-\d+)-/.exec(name)?.[1]
}
