/**
 * From the parts of a system to a board that boots them.
 *
 * {@link readKernelProgram} reads what a kernel will take of the memory; {@link placeBoot} gives root, initramfs,
 * device tree and kernel their places, with all that loader and kernel copy and unpack, proved disjoint;
 * {@link bootScript} says it to the loader. {@link BootFile} is all of it as data, in the folder that is served, for
 * whoever drives the board. Nothing here reads or sends anything; failures are values.
 */
export { appendTree } from './appended.ts'
export { type BootFile, parseBootFile } from './file.ts'
export { builtInTreeParameters, phramParameter, stayingParameters } from './parameters.ts'
export {
  type Board,
  type BootAddresses,
  type BootParts,
  type BootPlacement,
  PACKINGS,
  type PackedTransfer,
  type Packing,
  placeBoot,
  rootRegionBytes,
} from './plan.ts'
export {
  type KernelArchitecture,
  type KernelProgram,
  programArchitecture,
  type ReadKernel,
  readKernelProgram,
} from './program.ts'
export type { BootPlanError, Result } from './result.ts'
export {
  type BootFiles,
  type BootLine,
  type BootNetwork,
  type BootStage,
  bootScript,
  FIT_CONFIGURATION,
  PHRAM_NAME,
  type ScriptRequest,
  scriptText,
  typedText,
} from './script.ts'
export { chooseTransport, ROOT_TRANSPORTS, type RootTransport, type TransportChoice } from './transport.ts'
