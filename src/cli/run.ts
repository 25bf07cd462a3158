import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { UserError } from '../diagnostics/index.ts'
import { addBuildOptions, type BuildOptions, withEngine } from './session.ts'

/** `firmwright run` */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Builds a system and boots it in QEMU, its console on this terminal (ctrl-a x leaves).')
    .argument('[SYSTEM]', 'system file', 'system.ts')
    .option('-o, --output-folder <DIR>', 'where to build', 'build')
    .addHelpText('after', '\nExample:\n  firmwright run examples/router/system.ts')
  return addBuildOptions(command).action(
    async (file: string, options: BuildOptions & { readonly outputFolder: string }) => {
      const [vm] = await withEngine(options, async (engine) => {
        const { buildFile } = await import('./build-file.ts')
        return buildFile(engine, file, ['vm'], resolve(options.outputFolder), options)
      })
      if (vm === undefined) throw new Error('the build of one output gave none')
      await runInTerminal(vm.folder)
    },
  )
}

/** Runs the run.sh of a `vm` output on this terminal until the machine is off. */
export async function runInTerminal(folder: string): Promise<void> {
  const { spawn } = await import('node:child_process')
  const child = spawn('sh', [join(folder, 'run.sh')], { stdio: 'inherit' })
  // ctrl-c belongs to the guest; QEMU passes it on.
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  const code = await new Promise<number | null>((done, fail) => {
    child.on('error', fail)
    child.on('close', done)
  })
  process.off('SIGINT', ignore)
  if (code !== 0) {
    throw new UserError({
      what: `the machine ended with exit code ${code}`,
      fix: `try ${join(folder, 'run.sh')} by hand`,
    })
  }
}
