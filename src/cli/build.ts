import { join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import type { WrittenOutput } from '../outputs/index.ts'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

/** `firmwright build` */
export function buildCommand(): Command {
  const command = new Command('build')
    .description('Builds outputs of a system into DIR/OUTPUT/, each with a manifest.json.')
    .argument('[SYSTEM]', 'system file', 'system.ts')
    .argument('[OUTPUT...]', "outputs to build (default: the device's own)")
    .option('-o, --output-folder <DIR>', 'where to', 'build')
    .addHelpText('after', '\nExample:\n  firmwright build examples/router/system.ts rootfs vm -o build')
  return addBuildOptions(command).action(
    async (file: string, names: string[], options: BuildOptions & { readonly outputFolder: string }) => {
      const written = await withEngine(options, async (engine) => {
        const { buildFile } = await import('./build-file.ts')
        return buildFile(engine, file, names, resolve(options.outputFolder), options)
      })
      if (!options.json) for (const output of written) process.stdout.write(`${describe(output)}\n`)
    },
  )
}

function describe({ folder, sizesBytes }: WrittenOutput): string {
  const shown = relative(process.cwd(), folder)
  return Object.entries(sizesBytes)
    .map(([name, size]) => `${join(shown.startsWith('..') ? folder : shown, name)}  ${formatSize(size)}`)
    .join('\n')
}

function formatSize(bytes: number): string {
  return bytes < 10_000
    ? `${bytes} bytes`
    : bytes < 1e6
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : `${(bytes / 1e6).toFixed(2)} MB`
}
