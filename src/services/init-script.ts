import type { PlacedService } from './graph.ts'
import { kmodWords } from './kmod-shell.ts'
import { libraryFolder, logPipe, runScriptPath } from './paths.ts'
import type { Longrun, Oneshot, Service } from './service.ts'
import { command, quote, quoteAll } from './shell.ts'

/**
 * The init script of a service (openrc-run(8)): what service.sh, which it reads first, needs to start and stop it.
 * The first step that fails ends `up` and fails the service.
 */
export function renderInitScript({ service, requires, after }: PlacedService): string {
  const kmods = service.kmods ?? []
  return [
    '#!/sbin/openrc-run',
    `. ${libraryFolder}/service.sh`,
    ...(kmods.length > 0 ? [`. ${libraryFolder}/kmod.sh`] : []),
    `description=${quote(service.description)}`,
    ...(service.kind === 'longrun' ? ['supervisor=supervise-daemon'] : []),
    '',
    ...shellFunction('depend', [
      ...(requires.length > 0 ? [`need ${requires.join(' ')}`] : []),
      ...(after.length > 0 ? [`after ${after.join(' ')}`] : []),
    ]),
    ...(kmods.length > 0
      ? shellFunction(
          'kmods',
          kmods.map((step) => `"$@" ${kmodWords(step)}`),
        )
      : []),
    ...(service.kind === 'oneshot' ? oneshot(service) : longrun(service)),
  ].join('\n')
}

function shellFunction(name: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : [`${name}() {`, ...body.map((line) => `\t${line}`), '}', '']
}

/** In a subshell, so that neither `exit` nor a variable of one service's text gets any further. */
function guarded(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['(', '\tset -e', ...lines.map((line) => `\t${line}`), ')']
}

/** Each folder of state exists when the service starts: on the state partition, or else on the tmpfs of /var. */
function stateFolders({ state = [] }: Service): string[] {
  return state.flatMap(({ path, owner, mode }) => [
    `[ -d ${path} ] || mkdir -p ${path}`,
    ...(owner === undefined ? [] : [`chown ${owner} ${path}/.`]),
    ...(mode === undefined ? [] : [`chmod ${mode.toString(8)} ${path}/.`]),
  ])
}

function oneshot(service: Oneshot): string[] {
  const { up, down } = service
  return [
    ...shellFunction('up', guarded([...stateFolders(service), ...(up === undefined ? [] : [command(up)])])),
    ...shellFunction('down', guarded(down === undefined ? [] : [command(down)])),
  ]
}

function longrun(service: Longrun): string[] {
  const { name, readiness, prepare = [], cleanup = [] } = service
  const { delaySeconds = 1, max = 10, periodSeconds = 60 } = service.respawn ?? {}
  return [
    ...shellFunction(
      'up',
      guarded([
        ...stateFolders(service),
        ...prepare.map(command),
        `supervise ${name} ${delaySeconds} ${max} ${periodSeconds} ${runScriptPath(name)}`,
        ...(readiness === undefined ? [] : [`ready ${readiness.timeoutSeconds} ${command(readiness.check)}`]),
      ]),
    ),
    ...shellFunction('down', [
      `supervise-daemon ${name} --stop`,
      ...(cleanup.length === 0 ? [] : ['status=$?', ...guarded(cleanup.map(command)), 'return $status']),
    ]),
    ...shellFunction('undo', ['down 2>/dev/null']),
  ]
}

/**
 * The program of a long-running service: sets the scene, and becomes the process. Its output goes through a named
 * pipe to a logger, which ends when the last writer does; the logger is nobody's child but init's, since a
 * process need not expect children that it did not start.
 */
export function renderRunScript(service: Longrun): string {
  const { name, user, output = 'log', environment = {}, command: argv } = service
  const exported = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))
  // busybox's start-stop-daemon without --background changes the user and becomes the program. The pid file, which
  // holds no process, keeps it from looking for a running instance. (supervise-daemon --user would need PAM.)
  const become = user === undefined ? [] : ['start-stop-daemon', '-S', '-p', '/dev/null', '-c', user, '-x']
  const [program, ...rest] = argv
  return [
    '#!/bin/sh',
    ...(output === 'log'
      ? [`(logger -t ${name} <${logPipe(name)} &)`, `exec >${logPipe(name)} 2>&1`]
      : ['exec >/dev/null 2>&1']),
    ...exported.map(([key, value]) => `export ${key}=${quote(value)}`),
    `exec ${quoteAll([...become, program, ...(user === undefined ? [] : ['--']), ...rest])}`,
    '',
  ].join('\n')
}
