import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import colors from 'picocolors'
import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { type Machine, startMachine } from '../machine/index.ts'
import { buildFile } from './build-file.ts'
import type { BuildOptions } from './session.ts'

/** Emulated, on a busy host, a boot may take this long; nothing waits longer for a machine that says nothing. */
const bootTimeoutMs = 300_000

/**
 * Builds the example's virtual machine. The example is copied first: a build pins packages beside the system file,
 * and the example itself is to work on any later day.
 */
export async function buildDemo(
  engine: Engine,
  example: string,
  outputFolder: string,
  options: BuildOptions,
): Promise<string> {
  const project = resolve(outputFolder, 'router')
  await mkdir(project, { recursive: true })
  const file = join(project, 'system.ts')
  await copyFile(example, file)
  const [vm] = await buildFile(engine, file, ['vm'], project, options)
  if (vm === undefined) throw new Error('the build of one output gave none')
  return vm.folder
}

/** Boots a `vm` folder, looks around on its console, shows what it saw, and powers it off. */
export async function tour(folder: string, outputFolder: string): Promise<void> {
  say(`\nbooting ${relative(process.cwd(), folder)} in QEMU`)
  const machine = startMachine({ folder })
  try {
    const up = await machine.console.expect(/firmwright: up in ([\d.]+) s([^\n]*)\n/, bootTimeoutMs)
    await machine.console.expect(/# /, bootTimeoutMs)
    // Kernel messages would run into what is read below.
    await machine.run('stty -echo; dmesg -n 1')
    await show(machine, folder, up[1] ?? '', up[2] ?? '')
    machine.console.send('poweroff\n')
    await machine.off
  } catch (error) {
    throw new UserError({
      what: 'the example did not come up as it should',
      why: error instanceof Error ? error.message : String(error),
      fix: `look at it yourself: sh ${join(folder, 'run.sh')}`,
    })
  } finally {
    machine.kill()
  }
  heading('powered off. What to try next')
  const project = relative(process.cwd(), resolve(outputFolder, 'router'))
  say(`  npm start -- --interactive                    the same system, you on its console
  $EDITOR ${join(project, 'system.ts')}                change it: another address, a port forward …
  npx firmwright run ${join(project, 'system.ts')}     … and boot it again
  npx firmwright build --help                   other outputs: rootfs, initramfs, kernel`)
}

async function show(machine: Machine, folder: string, upSeconds: string, failed: string): Promise<void> {
  heading('services')
  say(indent((await machine.run('rc-status -C default')).output))
  heading('kernel modules loaded')
  const modules = (await machine.run('cut -d " " -f 1 /proc/modules')).output.split('\n')
  say(indent(`${modules.length}: ${modules.sort().join(' ')}`))
  heading('firewall')
  say(indent((await machine.run('nft list ruleset')).output))
  heading('addresses')
  say(indent((await machine.run('ip -o -4 address | awk \'{ print $2 " " $4 }\'')).output))
  heading('measured')
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    readonly lostAtPowerOff: readonly { readonly what: string }[]
  }
  const size = async (name: string): Promise<string> =>
    `${((await stat(join(folder, name))).size / 1e6).toFixed(2)} MB`
  say(`  root file system   ${await size('rootfs.squashfs')}
  initramfs          ${await size('initramfs.img')}
  kernel             ${await size('kernel')}
  up after           ${upSeconds} s${failed === '' ? '' : colors.red(failed)}`)
  if (manifest.lostAtPowerOff.length > 0) {
    const lost = manifest.lostAtPowerOff.map(({ what }) => what).join('; ')
    say(`  lost at power-off  ${lost}\n                     (a system with \`state\` keeps them)`)
  }
}

function heading(text: string): void {
  say(`\n${colors.bold(text)}`)
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
