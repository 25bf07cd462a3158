#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import colors from 'picocolors'
import { formatDiagnostic, placeInStack, UserError } from '../diagnostics/index.ts'
import { bootCommand } from './boot.ts'
import { buildCommand } from './build.ts'
import { demoCommand } from './demo.ts'
import { dtCommand } from './dt.ts'
import { kbuildCommand } from './kbuild.ts'
import { kconfigCommand } from './kconfig.ts'
import { kernelCommand } from './kernel.ts'
import { kmodCommand } from './kmod.ts'
import { layoutCommand } from './layout.ts'
import { runCommand } from './run.ts'
import { storeCommand } from './store.ts'
import { tftpCommand } from './tftp.ts'
import { updateCommand } from './update.ts'

/** Exit codes, see `firmwright --help`. */
const exit = { done: 0, userMustAct: 1, wrongUsage: 2, bug: 70, interrupted: 130, readerGone: 141 } as const

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** In the order in which `--help` shows them. */
const commands = {
  build: buildCommand,
  run: runCommand,
  boot: bootCommand,
  tftp: tftpCommand,
  layout: layoutCommand,
  dt: dtCommand,
  update: updateCommand,
  store: storeCommand,
  kbuild: kbuildCommand,
  kconfig: kconfigCommand,
  kernel: kernelCommand,
  kmod: kmodCommand,
  demo: demoCommand,
}

function createProgram(): Command {
  const program = new Command('firmwright')
    .description('Turns one TypeScript file that declares an embedded Linux system into firmware that boots.')
    .version(version())
    .showHelpAfterError('(firmwright COMMAND --help tells more)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 something must be changed (the message says what), 2 wrong usage, 70 a bug of Firmwright.
Environment: FIRMWRIGHT_CACHE (folder of the store; ~/.cache/firmwright), FIRMWRIGHT_MIRROR and
FIRMWRIGHT_SECURITY_MIRROR (Debian's archives, where the host's own apt sources name none), NO_COLOR,
DEBUG=firmwright (stack traces).`,
    )
  // To make one command takes a tenth of what all take: the others are for `--help` and for names that are none.
  const [, , name = ''] = process.argv
  const wanted = Object.hasOwn(commands, name)
    ? [commands[name as keyof typeof commands]]
    : Object.values(commands)
  for (const create of wanted) program.addCommand(create())
  exitOverride(program)
  return program
}

/** Commander would end the process itself; the one place that does is below. */
function exitOverride(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) exitOverride(child)
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.wrongUsage
  if (error instanceof UserError) {
    for (const diagnostic of error.diagnostics) {
      process.stderr.write(`${colors.red('error:')} ${formatDiagnostic(diagnostic)}\n`)
    }
    if (process.env.DEBUG === 'firmwright') process.stderr.write(`${error.stack}\n`)
    return exit.userMustAct
  }
  if (error instanceof Error && error.name === 'AbortError') {
    process.stderr.write('interrupted; what was finished is kept in the store\n')
    return exit.interrupted
  }
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${colors.red('bug in Firmwright:')} ${message}\n`)
  if (process.env.DEBUG === 'firmwright' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  else process.stderr.write('DEBUG=firmwright shows where; please report it with that\n')
  return exit.bug
}

/**
 * A system file runs in this process. What it throws where nobody can catch it (in a timer, in a promise that it does
 * not await) is its user's to mend, and ends the program in good order.
 */
function endStray(error: unknown): never {
  const place = error instanceof Error ? placeInStack(error.stack ?? '') : undefined
  if (error instanceof UserError || !(error instanceof Error) || place === undefined)
    process.exit(report(error))
  const stray = new UserError({
    what: `the system file threw ${error.name}: ${error.message}`,
    where: [place],
    why: 'in something that was started and not awaited',
    fix: 'make setup async and await what it starts',
  })
  process.exit(report(stray))
}

// Whoever read what we say has heard enough (`| head`). There is nobody to tell; the code is that of SIGPIPE.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exit.readerGone)
})
process.once('uncaughtException', endStray)
process.once('unhandledRejection', endStray)

/** Nothing is left that could happen, and a promise is still awaited: without a word Node would end as if all were done. */
function endWaiting(): never {
  const waiting = new UserError({
    what: 'something is awaited that never happens',
    why: 'nothing is left to be done that could bring it about',
    fix: 'have every promise that setup awaits come to an end',
  })
  process.exit(report(waiting))
}

// What is bundled is CommonJS, which has no `await` outside functions.
async function main(): Promise<void> {
  process.once('beforeExit', endWaiting)
  try {
    await createProgram().parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
  process.off('beforeExit', endWaiting)
}
void main()
