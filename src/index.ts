/**
 * Firmwright: one TypeScript file declares an embedded Linux system, and becomes firmware that boots.
 *
 * This is what a system file and the author of a feature import. Devices, features and outputs are in
 * `firmwright/devices`, `firmwright/features` and `firmwright/outputs`; the libraries are subpaths of their own.
 */
export { type Diagnostic, type Origin, UserError } from './diagnostics/index.ts'
export { debianKernel, type KernelSource, kmodSource, linuxSource } from './kernel/index.ts'
export { type ServiceHandle, serviceHandle } from './services/index.ts'
export {
  type DefinedSystem,
  type Device,
  defineFeature,
  defineSystem,
  type KernelRequirement,
  type LongrunRequest,
  type OneshotRequest,
  type SystemBuilder,
  type SystemDefinition,
} from './system/index.ts'
