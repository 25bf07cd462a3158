/** The commands that ask, and those that list what would be asked. */
import { type AskMode, ask, type Console } from './ask.ts'
import {
  type CommandHost,
  type CommandResult,
  done,
  failed,
  openForCommand,
  startFrom,
  type TreeOptions,
} from './command-host.ts'
import { writeConfig } from './config-file.ts'

export interface AskOptions extends TreeOptions {
  readonly config?: string | undefined
  readonly fragments?: readonly string[]
  /** default: where `config` is */
  readonly output?: string | undefined
}

export async function askCommand(
  mode: Exclude<AskMode, 'syncconfig'>,
  options: AskOptions,
  host: CommandHost,
  console: Console,
): Promise<CommandResult> {
  const lists = mode === 'listnewconfig' || mode === 'helpnewconfig'
  const output = options.output ?? options.config
  if (!lists && output === undefined) return failed('where shall it be written? Name a file with --output', 2)
  const opened = await openForCommand(options, host)
  if (!opened.ok) return opened.result
  const begun = startFrom(opened.value, options.config, host, options.fragments)
  if (!begun.ok) return begun.result
  const { configuration, warnings } = begun.value
  console.writeError(opened.value.messages + warnings.map((line) => `${line}\n`).join(''))
  let shown = 0
  const showWarnings = (): void => {
    for (; shown < configuration.warnings.length; shown++)
      console.writeError(configuration.warnings[shown] ?? '')
  }
  showWarnings()
  const { complete } = ask(configuration, mode, console)
  showWarnings()
  if (!complete) return failed('the answers ended before the questions did; nothing was written')
  if (lists || output === undefined) return done('')
  return done('', new Map([[output, writeConfig(configuration)]]))
}
