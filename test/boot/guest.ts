/** Systems that are built by the real program and booted, for tests and verifications alike. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { kmodName } from '../../src/kmod/index.ts'
import type { Machine } from '../../src/machine/index.ts'
import { cacheFolder } from '../cache.ts'

/** Every device that QEMU plays: what users call it, and what system files import. */
export const devices = [
  { device: 'qemu-aarch64', export: 'qemuAarch64' },
  { device: 'qemu-x86_64', export: 'qemuX86_64' },
] as const
export type TestDevice = (typeof devices)[number]

/** The parts of a manifest that tests look at (src/outputs/manifest.ts). */
export interface Manifest {
  readonly loadPlans: Readonly<Record<string, readonly string[]>>
  readonly lostAtPowerOff: readonly { readonly path: string; readonly what: string }[]
  readonly commandLine: string
}

export interface BuiltSystem {
  /** Folder of the `vm` output. */
  readonly folder: string
  readonly manifest: Manifest
}

const project = fileURLToPath(new URL('../..', import.meta.url))

/** The system file `systems/NAME.ts`. */
export function systemText(name: string): Promise<string> {
  return readFile(join(project, 'test/boot/systems', `${name}.ts`), 'utf8')
}

/** The router example's. */
export function routerText(): Promise<string> {
  return readFile(join(project, 'examples/router/system.ts'), 'utf8')
}

/** Builds the vm output of a system file into a folder of its own. */
export async function buildVm(target: string, device: TestDevice, text: string): Promise<BuiltSystem> {
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'system.ts'), text)
  await writeFile(
    join(target, 'parameters.ts'),
    `import { ${device.export} } from 'firmwright/devices'\nexport const device = ${device.export}\n`,
  )
  const program = join(project, 'dist', 'bin', 'main.js')
  await execa('node', [program, 'build', 'system.ts', 'vm', '--cache', cacheFolder], { cwd: target })
  const vm = join(target, 'build', 'vm')
  return { folder: vm, manifest: JSON.parse(await readFile(join(vm, 'manifest.json'), 'utf8')) }
}

/** Waits until a machine is up and its console is at a prompt. */
export async function untilUp(machine: Machine, name: string): Promise<Machine> {
  try {
    await machine.console.expect(/firmwright: up in [\d.]+ s\n/, 540_000)
    await machine.console.expect(/:\/?[^\n]*[#$] $/, 60_000)
    return machine
  } catch (error) {
    throw new Error(`${name} did not come up\n${transcriptOf(machine)}`, { cause: error })
  }
}

export function transcriptOf(machine: Machine): string {
  return `--- console ---\n${machine.console.transcript()}\n--- end of console ---`
}

/** Runs a command that must succeed, and returns what it printed. */
export async function output(machine: Machine, command: string, timeoutMs?: number): Promise<string> {
  const { status, output } = await machine.run(command, timeoutMs)
  if (status !== 0) throw new Error(`${command}: exit status ${status}\n${output}`)
  return output
}

/** Names of modules as the kernel shows them, from the paths of load plans. */
export function moduleNames(...plans: readonly (readonly string[] | undefined)[]): string[] {
  const names = plans.flatMap((plan = []) => plan.map(kmodName))
  return [...new Set(names)].sort()
}

/** Names of the modules that are loaded. */
export async function loadedModules(machine: Machine): Promise<string[]> {
  return (await output(machine, "lsmod | awk 'NR > 1 { print $1 }'")).split('\n').sort()
}
