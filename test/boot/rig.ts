/**
 * What the boot tests share: systems are built by the real program into a temporary folder, and booted. When the
 * tests of a file are over, however they went, its machines are killed and its folder is gone; a failed test shows
 * what every machine said on its console.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Machine, type MachineOptions, startMachine } from '../../src/machine/index.ts'
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

export interface Rig {
  /** The temporary folder, its path short enough for sockets (108 bytes, unix(7)). */
  readonly folder: () => string
  /** Builds the vm output of a file in `systems/`. */
  build(name: string, device: TestDevice): Promise<BuiltSystem>
  /** Builds the router example for a device, with a key of the test's own. */
  buildRouter(device: TestDevice, authorizedKey?: string): Promise<BuiltSystem>
  /** Starts a machine without waiting for anything. */
  start(options: MachineOptions): Machine
  /** Starts a machine and waits until it is up and its console is at a prompt. */
  boot(options: MachineOptions): Promise<Machine>
}

const project = fileURLToPath(new URL('../..', import.meta.url))

/** Sets up this test file. */
export function setUpRig(): Rig {
  let folder = ''
  const machines: Machine[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fw-boot-'))
  })
  afterEach(({ task }) => {
    if (task.result?.state !== 'fail') return
    for (const machine of machines) process.stderr.write(`\n${transcriptOf(machine)}\n`)
  })
  afterAll(async () => {
    for (const machine of machines) machine.kill()
    await Promise.all(machines.map(({ off }) => off))
    await rm(folder, { recursive: true, force: true })
  })

  async function buildFile(name: string, device: TestDevice, text: string): Promise<BuiltSystem> {
    const target = join(folder, device.device, name)
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

  function start(options: MachineOptions): Machine {
    const machine = startMachine(options)
    machines.push(machine)
    return machine
  }

  return {
    folder: () => folder,
    start,
    async build(name, device) {
      return buildFile(name, device, await readFile(join(project, 'test/boot/systems', `${name}.ts`), 'utf8'))
    },
    async buildRouter(device, authorizedKey) {
      const example = await readFile(join(project, 'examples/router/system.ts'), 'utf8')
      const text = example.replaceAll('qemuAarch64', device.export)
      const withKey = text.replace(/'ssh-ed25519 [^']*'/, `'${authorizedKey}'`)
      if (withKey === text) throw new Error('the router example no longer has a key to replace')
      return buildFile('router', device, authorizedKey === undefined ? text : withKey)
    },
    async boot(options) {
      const machine = start(options)
      try {
        await machine.console.expect(/firmwright: up in [\d.]+ s\n/, 240_000)
        await machine.console.expect(/:\/?[^\n]*[#$] $/, 60_000)
      } catch (error) {
        throw new Error(`${basename(options.folder)} did not come up\n${transcriptOf(machine)}`, {
          cause: error,
        })
      }
      return machine
    },
  }
}

function transcriptOf(machine: Machine): string {
  return `--- console ---\n${machine.console.transcript()}\n--- end of console ---`
}

/** Runs a command that must succeed, and returns what it printed. */
export async function output(machine: Machine, command: string, timeoutMs?: number): Promise<string> {
  const { status, output } = await machine.run(command, timeoutMs)
  if (status !== 0) throw new Error(`${command}: exit status ${status}\n${output}`)
  return output
}

/** Runs a command until it succeeds, for what takes its time on the other side. */
export async function eventually(machine: Machine, command: string, seconds = 120): Promise<string> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const { status, output } = await machine.run(command)
    if (status === 0) return output
    if (Date.now() > deadline) throw new Error(`${command}: still exit status ${status}\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** Names of modules as the kernel shows them, from the paths of load plans. */
export function moduleNames(...plans: readonly (readonly string[] | undefined)[]): string[] {
  const names = plans.flatMap((plan = []) =>
    plan.map((path) =>
      basename(path)
        .replace(/\.ko(\.\w+)?$/, '')
        .replaceAll('-', '_'),
    ),
  )
  return [...new Set(names)].sort()
}

/** Names of the modules that are loaded. */
export async function loadedModules(machine: Machine): Promise<string[]> {
  return (await output(machine, "lsmod | awk 'NR > 1 { print $1 }'")).split('\n').sort()
}

/** A network between exactly two machines: what each of the two is plugged into. */
export function wire(folder: string, name: string): readonly [string, string] {
  const end = (local: string, remote: string): string =>
    `dgram,local.type=unix,local.path=${join(folder, local)},remote.type=unix,remote.path=${join(folder, remote)}`
  return [end(`${name}.a`, `${name}.b`), end(`${name}.b`, `${name}.a`)]
}

/** A fresh ssh key; returns the path of the private half and the text of the public one. */
export async function makeSshKey(path: string): Promise<{ readonly file: string; readonly line: string }> {
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
  return { file: path, line: (await readFile(`${path}.pub`, 'utf8')).trim() }
}

/** A copy of a vm folder, so that two machines of one system do not share their disks. */
export async function copyOf(built: BuiltSystem, folder: string): Promise<BuiltSystem> {
  await cp(built.folder, folder, { recursive: true })
  return { ...built, folder }
}
