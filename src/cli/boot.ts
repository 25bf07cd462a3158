import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

export interface BootCommandOptions extends BuildOptions {
  readonly serial: string
  readonly outputFolder: string
  readonly untilUp?: boolean
  /** Seconds. */
  readonly upWithin?: number
  readonly probe?: string
  /** False with --no-build. */
  readonly build: boolean
  readonly address?: string
}

/** `firmwright boot` */
export function bootCommand(): Command {
  const command = new Command('boot')
    .description(
      "Builds tftpboot, serves it over TFTP and drives a board's U-Boot to the running system; then it is the console.",
    )
    .argument('[SYSTEM]', 'system file', 'system.ts')
    .requiredOption(
      '--serial <DEVICE>',
      'the serial line: /dev/ttyUSB0, /dev/ttyUSB0,115200, unix:PATH or tcp:HOST:PORT',
    )
    .option('-o, --output-folder <DIR>', 'where to build', 'build')
    .option('--no-build', 'boot what was built before')
    .option('--probe <FILE>', "instead: writes the loader's data file from help, bdinfo and printenv")
    .option('--address <IP>', 'address to serve on (default: every address of this machine)')
    .option('--until-up', 'end when the system is up, instead of staying as its console (ctrl-] leaves that)')
    .option(
      '--up-within <SECONDS>',
      'give up when the system takes longer (default: when nothing has come for 5 minutes)',
      seconds,
    )
    .addHelpText(
      'after',
      '\nExample:\n  firmwright boot examples/router/system.ts --serial /dev/ttyUSB0\n\nTFTP has port 69, which is not open to everyone: the message says how it is opened.',
    )
  return addBuildOptions(command).action(async (file: string, options: BootCommandOptions) => {
    const { bootFolder, parseSerial, probeTo } = await import('./boot-session.ts')
    const serial = parseSerial(options.serial)
    if (options.probe !== undefined) {
      await probeTo(options.probe, serial, options.json === true)
      return
    }
    const folder = resolve(options.outputFolder)
    if (options.build) {
      await withEngine(options, async (engine) => {
        const { buildFile } = await import('./build-file.ts')
        await buildFile(engine, file, ['tftpboot'], folder, options)
      })
    }
    await bootFolder(join(folder, 'tftpboot'), serial, options)
  })
}

function seconds(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('It is no number of seconds.')
  return number
}
