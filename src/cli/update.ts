import { Command } from 'commander'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

/** `firmwright update` */
export function updateCommand(): Command {
  const command = new Command('update')
    .description('Moves the package pins of a system to what the mirrors have now, in firmwright.lock.')
    .argument('[SYSTEM]', 'system file', 'system.ts')
    .addHelpText('after', '\nExample:\n  firmwright update examples/router/system.ts')
  return addBuildOptions(command).action(async (file: string, options: BuildOptions) => {
    const changes = await withEngine(options, async (engine) => {
      const { updateFile } = await import('./systems.ts')
      return updateFile(engine, file, options)
    })
    if (options.json) return
    for (const { name, from, to } of changes) {
      process.stdout.write(`${name}: ${from?.version ?? '(new)'} -> ${to?.version ?? '(gone)'}\n`)
    }
    if (changes.length === 0) process.stdout.write('every pin is the newest already\n')
  })
}
