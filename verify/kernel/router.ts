/** Builds the router example on a kernel from source, boots it, and builds the kernel again from kept objects, elsewhere. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { startMachine } from '../../src/machine/index.ts'
import type { VerifyContext } from '../verification.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

interface Device {
  /** as `firmwright/devices` exports it */
  readonly export: string
  readonly name: string
}

interface Manifest {
  readonly loadPlans: Readonly<Record<string, readonly string[]>>
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

const example = readFileSync(join(project, 'examples/router-source/system.ts'), 'utf8')

/** The example with one driver more than it needs, and one with a source of its own. */
const withDrivers = example
  .replace('linuxSource }', 'kmodSource, linuxSource }')
  .replace(
    "'linux-source-6.1' })",
    "'linux-source-6.1' }, { kmods: [kmodSource({ directory: 'driver', modules: ['greeter'] })] })",
  )
  .replace(
    '  setup(system) {',
    `  setup(system) {
    system.kernel.require({ modules: ['e1000e'] })
    system.kernel.load('greeter', ['greeter'])`,
  )

const driver = {
  Kbuild: 'obj-m := greeter.o\n',
  'greeter.c': `#include <linux/module.h>
#include <linux/netdevice.h>
static int __init greeter_init(void)
{
	pr_info("greeter of %s sees %s\\n", __FILE__, init_net.loopback_dev->name);
	return 0;
}
static void __exit greeter_exit(void) {}
module_init(greeter_init);
module_exit(greeter_exit);
MODULE_LICENSE("GPL");
`,
}

/** Modules on the target, bytes of a rebuild, and a module with a source of its own. */
export async function routerFromSource({ folder, progress }: VerifyContext, device: Device) {
  const here = join(folder, 'here')
  progress('build')
  const first = await build(here, device, example)
  progress('boot')
  const onTarget = (await onConsole(first.vm, "find / -xdev -name '*.ko'"))
    .map((path) => basename(path))
    .sort()
  const { initramfs = [], ...services } = first.manifest.loadPlans
  const namesOf = (plans: readonly (readonly string[])[]): readonly string[] =>
    [...new Set(plans.flat().map((path) => basename(path)))].sort()
  // The initramfs has modules of its own; what is on the root is for the services.
  const wanted = namesOf(Object.values(services))
  const same = JSON.stringify(onTarget) === JSON.stringify(wanted)
  progress('build with two drivers more, from those objects, and boot')
  placeDriver(here)
  const more = await build(here, device, withDrivers)
  const greeting = await onConsole(more.vm, 'dmesg | grep -o "greeter of.*"')
  const greeted = greeting.join() === 'greeter of greeter.c sees lo'
  progress('and without them again, from the objects of that, in another place')
  const elsewhere = join(folder, 'some/where/else')
  mkdirSync(join(folder, 'some/where'), { recursive: true })
  renameSync(here, elsewhere)
  // Nothing is remembered but the objects.
  rmSync(join(elsewhere, 'cache/store/results'), { recursive: true })
  const again = await build(elsewhere, device, example)
  const digest = ({ files }: Manifest): string => files.map(({ name, sha256 }) => `${name} ${sha256}`).join()
  const reproduced = digest(first.manifest) === digest(again.manifest)
  const minutes = [first, more, again].map((one) => one.minutes.toFixed(1))
  const rows = [
    ['modules in load plans', namesOf([initramfs, ...Object.values(services)]).length],
    ['of these in the initramfs', namesOf([initramfs]).length],
    ['`find -name "*.ko"` on the booted root', onTarget.length],
    ['which are', same ? 'the union of the load plans of its services' : `NOT ${wanted.join(' ')}`],
    [
      'a module with a source of its own, loaded',
      greeted ? 'says what it should' : `says “${greeting.join()}”`,
    ],
    [
      'built with two drivers more, then without them elsewhere',
      reproduced ? 'the bytes of the clean build' : 'OTHER BYTES',
    ],
    ['minutes: clean, two drivers more, without them', minutes.join(', ')],
  ]
  return {
    columns: ['', device.name],
    rows,
    failures: [same, greeted, reproduced].filter((held) => !held).length,
    notes: [
      'Kernel: Debian’s linux-source-6.1, image and modules. Bytes: of every file of the output `vm`. The minutes are those of a busy machine, whole builds with their packages.',
    ],
  }
}

async function build(folder: string, device: Device, text: string) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'system.ts'), text.replaceAll('qemuAarch64', device.export))
  const program = join(project, 'dist/bin/main.js')
  const begun = performance.now()
  await execa('node', [program, 'build', 'system.ts', 'vm', '--cache', 'cache'], { cwd: folder })
  const minutes = (performance.now() - begun) / 60_000
  const vm = join(folder, 'build/vm')
  return { vm, minutes, manifest: JSON.parse(readFileSync(join(vm, 'manifest.json'), 'utf8')) as Manifest }
}

function placeDriver(folder: string): void {
  mkdirSync(join(folder, 'driver'), { recursive: true })
  for (const [name, text] of Object.entries(driver)) writeFileSync(join(folder, 'driver', name), text)
}

/** The lines that a command writes on the console of a system that has come up. */
async function onConsole(folder: string, command: string): Promise<readonly string[]> {
  const machine = startMachine({ folder })
  try {
    await machine.console.expect(/firmwright: up in [\d.]+ s\n/, 600_000)
    await machine.console.expect(/:\/?[^\n]*[#$] $/, 60_000)
    const { output } = await machine.run(command)
    return output.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  } finally {
    machine.kill()
    await machine.off
  }
}
