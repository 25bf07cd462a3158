/**
 * Who has the store open. A lease is an empty file named after its process, so that taking one is a single
 * system call and the lease of a process that died speaks for itself.
 *
 * Engines hold shared leases, garbage collection an exclusive one (`gc-…`). Both sides first show their own
 * lease and then look for the other's: of two that meet, at least one sees the other and steps back.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { UserError } from '../diagnostics/index.ts'
import { ownerOf, ownerPid, ownName } from './ownership.ts'

export interface Lease {
  release(): void
}

const exclusivePrefix = 'gc-'

const prefixOf = (name: string): string => (name.startsWith(exclusivePrefix) ? exclusivePrefix : '')

function take(folder: string, prefix: string): Lease & { readonly name: string } {
  const name = ownName(prefix)
  writeFileSync(`${folder}/leases/${name}`, '', { flag: 'wx' })
  return { name, release: () => rmSync(`${folder}/leases/${name}`, { force: true }) }
}

/** Names of leases of living processes; those of dead ones are removed. */
function living(folder: string): readonly string[] {
  return readdirSync(`${folder}/leases`).filter((name) => {
    if (ownerOf(`${folder}/leases`, name, prefixOf(name)) === 'runs') return true
    rmSync(`${folder}/leases/${name}`, { force: true })
    return false
  })
}

/** Waits while somebody collects garbage. */
export async function takeSharedLease(folder: string, signal: AbortSignal | undefined): Promise<Lease> {
  for (;;) {
    const lease = take(folder, '')
    if (!living(folder).some((name) => name.startsWith(exclusivePrefix))) return lease
    lease.release()
    await setTimeout(20 + Math.random() * 30, undefined, signal === undefined ? {} : { signal })
  }
}

/** Throws a `UserError` when a living process has the store open. */
export async function takeExclusiveLease(folder: string, purpose: string): Promise<Lease> {
  for (let attempt = 1; ; attempt++) {
    const lease = take(folder, exclusivePrefix)
    const others = living(folder).filter((name) => name !== lease.name)
    const [other] = others
    if (other === undefined) return lease
    lease.release()
    // An engine that is just opening steps back as well: look again before giving up.
    if (attempt === 5) {
      const pid = ownerPid(other, prefixOf(other))
      throw new UserError({
        what: `The store ${folder} is in use`,
        why: `process ${pid} has it open, and ${purpose} could remove what it is about to use`,
        fix: 'try again when it has finished',
      })
    }
    await setTimeout(20 + Math.random() * 50)
  }
}
