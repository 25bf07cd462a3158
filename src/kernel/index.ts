/**
 * Where kernels come from, and the proof that one has what was asked of it.
 *
 * A {@link KernelSource} says which kernel a system wants: Debian's ({@link readDebianKernel}), or one that is built for
 * it ({@link buildLinux}). Either is a {@link Kernel}: image, final configuration and modules, ready to be looked at.
 * {@link checkKernel} holds every requested symbol and module against it.
 */
export { type KernelSymbol, yes } from './base-config.ts'
export { buildLinux, type KernelDemands, type LinuxBuild } from './build-linux.ts'
export { checkKernel, lacksModule, type ModuleDemand, type SymbolDemand } from './check.ts'
export { applicable } from './conditional.ts'
export { parseConfigFile } from './config-file.ts'
export { readDebianKernel } from './debian.ts'
export type { Kernel } from './kernel.ts'
export {
  type DebianKernel,
  debianKernel,
  defaultKernelPackage,
  type KernelSource,
  kernelHeadersPackage,
  kmodSource,
  type LinuxSource,
  linuxSource,
  type SourcePlace,
} from './source.ts'
export { configHead, sourceVersion, whyNoModule } from './why-no-module.ts'
