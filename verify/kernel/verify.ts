/** Builds the router example on a kernel from source, boots it, and builds the kernel again elsewhere. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { startMachine } from '../../src/machine/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import type { Verification, VerifyContext } from '../verification.ts'
import { architectures } from './architectures.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

export const verifications: readonly Verification[] = [
  {
    name: 'kernel-source-router',
    title: 'Kernels from source: the router example, built, booted, and built again in another place',
    run: routers,
  },
  {
    name: 'kernel-architectures',
    title: 'Kernels from source: each architecture, built and started',
    run: architectures,
  },
]

const devices = [
  { name: 'qemu-aarch64', export: 'qemuAarch64' },
  { name: 'qemu-x86_64', export: 'qemuX86_64' },
] as const

interface Manifest {
  readonly loadPlans: Readonly<Record<string, readonly string[]>>
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

async function routers({ folder, progress }: VerifyContext) {
  const rows: (string | number)[][] = []
  let failures = 0
  for (const device of devices) {
    progress(`${device.name}: build`)
    const first = await build(join(folder, device.name), device.export, cacheFolder)
    progress(`${device.name}: boot`)
    const onTarget = await modulesOnTarget(first.vm)
    const planned = [...new Set(Object.values(first.manifest.loadPlans).flat())].map((path) => basename(path))
    // The initramfs has its own; what is on the root is for the services.
    const initramfs = new Set((first.manifest.loadPlans.initramfs ?? []).map((path) => basename(path)))
    const others = Object.entries(first.manifest.loadPlans).flatMap(([name, paths]) =>
      name === 'initramfs' ? [] : paths.map((path) => basename(path)),
    )
    const wanted = [...new Set(others)].sort()
    const same = JSON.stringify(onTarget) === JSON.stringify(wanted)
    progress(`${device.name}: build again, in another folder with a store of its own`)
    const second = await build(join(folder, 'again', device.name), device.export, join(folder, 'again/cache'))
    const digest = (manifest: Manifest): string =>
      manifest.files.map(({ name, sha256 }) => `${name} ${sha256}`).join('\n')
    const reproduced = digest(first.manifest) === digest(second.manifest)
    if (!same || !reproduced) failures++
    rows.push([
      device.name,
      planned.length,
      initramfs.size,
      onTarget.length,
      same ? 'the union of their load plans' : `NOT ${wanted.join(' ')}`,
      reproduced ? 'the same bytes' : 'OTHER BYTES',
    ])
  }
  return {
    columns: [
      'device',
      'modules in plans',
      'of the initramfs',
      '.ko on the root',
      'which are',
      'built again',
    ],
    rows,
    failures,
    notes: [
      'Kernel: Debian’s linux-source-6.1. Booted in QEMU to the prompt; modules are what `find -name "*.ko"` lists there.',
    ],
  }
}

async function build(folder: string, device: string, cache: string) {
  mkdirSync(folder, { recursive: true })
  const example = readFileSync(join(project, 'examples/router-source/system.ts'), 'utf8')
  writeFileSync(join(folder, 'system.ts'), example.replaceAll('qemuAarch64', device))
  const program = join(project, 'dist/bin/main.js')
  await execa('node', [program, 'build', 'system.ts', 'vm', '--cache', cache], { cwd: folder })
  const vm = join(folder, 'build/vm')
  return { vm, manifest: JSON.parse(readFileSync(join(vm, 'manifest.json'), 'utf8')) as Manifest }
}

/** Names of the modules on the root of a running system, sorted. */
async function modulesOnTarget(folder: string): Promise<readonly string[]> {
  const machine = startMachine({ folder })
  try {
    await machine.console.expect(/firmwright: up in [\d.]+ s\n/, 600_000)
    await machine.console.expect(/:\/?[^\n]*[#$] $/, 60_000)
    const { output } = await machine.run("find / -xdev -name '*.ko'")
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => basename(line.trim()))
      .sort()
  } finally {
    machine.kill()
    await machine.off
  }
}
