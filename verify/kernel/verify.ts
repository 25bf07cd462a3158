/** Kernels from source, held against what really happens: boots, rebuilds, a device that refuses a module. */
import type { Verification, VerifyContext } from '../verification.ts'
import { architectures } from './architectures.ts'
import { conntrackExperiment } from './conntrack.ts'
import { goneSymbols } from './gone-symbol.ts'
import { impactAgainstRebuild } from './impact.ts'
import { oneKernelFourWays } from './interrupted-build.ts'
import { routerFromSource } from './router.ts'

const devices = [
  { name: 'qemu-aarch64', export: 'qemuAarch64' },
  { name: 'qemu-x86_64', export: 'qemuX86_64' },
]

const routers: readonly Verification[] = devices.map((device) => ({
  name: `kernel-source-router-${device.name.slice('qemu-'.length)}`,
  title: `Kernels from source: the router example on ${device.name}, booted, and built again in another place`,
  run: (context: VerifyContext) => routerFromSource(context, device),
}))

export const verifications: readonly Verification[] = [
  ...routers,
  {
    name: 'kernel-architectures',
    title: 'Kernels from source: each architecture, built and started',
    run: architectures,
  },
  {
    name: 'kernel-build',
    title: 'Kernels from source: one kernel, killed half-way, on two other machines, and its headers',
    run: oneKernelFourWays,
  },
  {
    name: 'kernel-gone-symbols',
    title: 'Kernels from source: symbols of 6.1 that 6.12 has no more',
    run: goneSymbols,
  },
  {
    name: 'kernel-impact',
    title: 'Adding a module to a flashed kernel: predicted, then really built and compared',
    run: impactAgainstRebuild,
  },
  {
    name: 'kernel-conntrack',
    title: 'A module from a second build, refused, forced, and built together with its kernel',
    run: conntrackExperiment,
  },
]
