import { Command } from 'commander'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

/** `firmwright layout` */
export function layoutCommand(): Command {
  const command = new Command('layout')
    .description("Shows where everything lies in the board's memory when it boots over the network.")
    .argument('[SYSTEM]', 'system file', 'system.ts')
    .option('--svg <FILE>', 'draws the map into a file as well')
    .addHelpText('after', '\nExample:\n  firmwright layout examples/router/system.ts --svg map.svg')
  return addBuildOptions(command).action(
    async (file: string, options: BuildOptions & { readonly svg?: string }) => {
      const text = await withEngine(options, async (engine) => {
        const { layoutOf } = await import('./layout-map.ts')
        return layoutOf(engine, file, options)
      })
      process.stdout.write(text)
    },
  )
}
