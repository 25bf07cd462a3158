import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

/** `firmwright demo`, which is what `npm start` runs */
export function demoCommand(): Command {
  const command = new Command('demo')
    .description('Builds the router example, boots it in QEMU and shows what runs on it.')
    .option('--interactive', 'stay on the console instead of looking around and powering off')
    .option('-o, --output-folder <DIR>', 'where to build', 'build')
    .addHelpText('after', '\nExample:\n  firmwright demo --interactive')
  return addBuildOptions(command).action(
    async (options: BuildOptions & { readonly interactive?: boolean; readonly outputFolder: string }) => {
      const file = fileURLToPath(new URL('../../examples/router/system.ts', import.meta.url))
      const folder = await withEngine(options, async (engine) => {
        const { buildDemo } = await import('./demo-tour.ts')
        return buildDemo(engine, file, options.outputFolder, options)
      })
      if (options.interactive) {
        const { runInTerminal } = await import('./run.ts')
        await runInTerminal(folder)
      } else {
        const { tour } = await import('./demo-tour.ts')
        await tour(folder, options.outputFolder)
      }
    },
  )
}
