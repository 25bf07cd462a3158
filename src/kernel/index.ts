/**
 * Where kernels come from, and the proof that one has what was asked of it.
 *
 * A {@link KernelSource} says which kernel a system wants; {@link provideKernel} makes a {@link Kernel} of it: image,
 * final configuration and modules, ready to be looked at. {@link checkKernel} holds every requested symbol and module
 * against it.
 */
export { checkKernel, type ModuleDemand, type SymbolDemand } from './check.ts'
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
} from './source.ts'
