/**
 * What the boot tests share: systems are built by the real program into a temporary folder, and booted. When the
 * tests of a file are over, however they went, its machines are killed and its folder is gone; a failed test shows
 * what every machine said on its console.
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Machine, type MachineOptions, startMachine } from '../../src/machine/index.ts'
import {
  type BuiltSystem,
  buildVm,
  routerText,
  systemText,
  type TestDevice,
  transcriptOf,
  untilUp,
} from './guest.ts'

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

  const buildFile = (name: string, device: TestDevice, text: string): Promise<BuiltSystem> =>
    buildVm(join(folder, device.device, name), device, text)

  function start(options: MachineOptions): Machine {
    const machine = startMachine(options)
    machines.push(machine)
    return machine
  }

  return {
    folder: () => folder,
    start,
    async build(name, device) {
      return buildFile(name, device, await systemText(name))
    },
    async buildRouter(device, authorizedKey) {
      const example = await routerText()
      const text = example.replaceAll('qemuAarch64', device.export)
      const withKey = text.replace(/'ssh-ed25519 [^']*'/, `'${authorizedKey}'`)
      if (withKey === text) throw new Error('the router example no longer has a key to replace')
      return buildFile('router', device, authorizedKey === undefined ? text : withKey)
    },
    async boot(options) {
      return untilUp(start(options), basename(options.folder))
    },
  }
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
