import type { Diagnostic } from '../diagnostics/index.ts'
import type { Action, KmodStep, Service } from './service.ts'

/** Everything that is wrong with a service by itself. */
export function checkService(service: Service): Diagnostic[] {
  return problems(service).map(({ what, fix }) => ({
    what: `service ${JSON.stringify(service.name)}: ${what}`,
    where: [service.origin],
    ...(fix === undefined ? {} : { fix }),
  }))
}

interface Problem {
  readonly what: string
  readonly fix?: string
}

function problems(service: Service): Problem[] {
  const found: Problem[] = []
  if (!isServiceName(service.name)) {
    found.push({
      what: 'this cannot be the name of a service',
      fix: 'use a letter or digit, then letters, digits, `_`, `.` and `-`; at most 64, and not ending in `.sh`',
    })
  }
  // A zero byte ends a string for the kernel, so nothing that holds one can arrive there as it is.
  if (texts(service).some((text) => text.includes('\0'))) found.push({ what: 'a value holds a zero byte' })
  if (/[\r\n]/.test(service.description)) found.push({ what: 'its description is more than one line' })
  for (const step of service.kmods ?? []) found.push(...kmodProblems(step))
  for (const { path, owner, mode = 0 } of service.state ?? []) {
    if (owner !== undefined && !isUser(owner)) found.push(notUser(owner))
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777)
      found.push({ what: `${mode} is not a file mode` })
    if (!/^\/var\/lib\/[\w.+-]+(\/[\w.+-]+)*$/.test(path) || path.split('/').some(isDots)) {
      found.push({ what: `${path} cannot be kept as state`, fix: 'state lies in a folder below /var/lib' })
    }
  }
  if (service.kind === 'oneshot') return found

  if (!service.command[0].startsWith('/')) {
    found.push({ what: `its program ${service.command[0]} is not an absolute path` })
  }
  if (service.user !== undefined && !isUser(service.user)) found.push(notUser(service.user))
  for (const name of Object.keys(service.environment ?? {})) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      found.push({ what: `${name} is not the name of an environment variable` })
  }
  const { delaySeconds = 1, max = 10, periodSeconds = 60 } = service.respawn ?? {}
  if (![delaySeconds, max, periodSeconds].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    found.push({ what: 'the numbers of `respawn` are whole and not negative' })
  } else if (max > 0 && periodSeconds <= max * delaySeconds) {
    // supervise-daemon(8): with a shorter period the limit is never reached, and a crash loop goes on for ever.
    found.push({ what: `${max} respawns, ${delaySeconds} s apart, do not fit in ${periodSeconds} s` })
  }
  const timeout = service.readiness?.timeoutSeconds
  if (timeout !== undefined && !(Number.isSafeInteger(timeout) && timeout > 0)) {
    found.push({ what: 'the time limit of `readiness` is a whole number of seconds' })
  }
  return found
}

function kmodProblems({ name, path, parameters = [] }: KmodStep): Problem[] {
  const found: Problem[] = []
  if (!isKmodName(name)) found.push({ what: `${JSON.stringify(name)} is not the name of a kernel module` })
  if (!/^\/[\w./+-]+$/.test(path))
    found.push({ what: `${JSON.stringify(path)} is not the path of a kernel module` })
  for (const parameter of parameters) {
    // The kernel splits the parameters at white space, so none can hold any (kernel/params.c).
    if (!/^\w[\w.-]*(=[^\s"]*)?$/.test(parameter)) {
      found.push({ what: `${JSON.stringify(parameter)} is not a parameter of a kernel module` })
    }
  }
  return found
}

/** A module's name as in /proc/modules. It also becomes the name of a folder. */
export function isKmodName(name: string): boolean {
  return /^[A-Za-z0-9_]{1,63}$/.test(name)
}

function isServiceName(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,63}$/.test(name) && !name.endsWith('.sh')
}

function isUser(user: string): boolean {
  return /^[a-z_][\w-]*(:[a-z_][\w-]*)?$/.test(user)
}

function notUser(user: string): Problem {
  return { what: `${user} is not a user`, fix: 'write `name` or `name:group`' }
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

function texts(service: Service): string[] {
  const actions: readonly (Action | undefined)[] =
    service.kind === 'oneshot'
      ? [service.up, service.down]
      : [service.command, ...(service.prepare ?? []), ...(service.cleanup ?? []), service.readiness?.check]
  const environment = service.kind === 'longrun' ? Object.values(service.environment ?? {}) : []
  return [service.description, ...environment, ...actions.flatMap((action) => action ?? [])]
}
