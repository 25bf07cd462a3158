/**
 * Kernel modules: what a .ko says about itself, and which ones must be loaded in which order.
 *
 * A kernel module is a relocatable ELF file. Its `.modinfo` section holds `key=value` strings: its name, the modules
 * whose symbols it uses (`depends`), those it would like to have loaded before or after it (`softdep`), the
 * *aliases* by which the kernel asks for it (`pci:v00008086d…`, `nft-expr-1-fib`, `fs-btrfs`), its licence, its
 * parameters, the firmware it may ask for, and the `vermagic` of the kernel that it was built for.
 *
 * A {@link KmodSource} is the set of modules of one kernel, `lib/modules/VERSION`: a module's file name gives its
 * name, and the file is read when it is needed. {@link planLoad} turns names, paths or aliases into a
 * {@link LoadPlan}: the files to load, in order, each with the reason why it is there.
 *
 * In a module's name `-` and `_` are the same; here it is always written with `_`.
 *
 * Functions answer with a value or a typed error; input is hostile and never makes them throw.
 */
export { type AliasIndex, indexAliases } from './alias.ts'
export { parseBuiltin, parseBuiltinModinfo } from './builtin.ts'
export { type CheckOptions, checkKmods, type KmodCheck } from './check.ts'
export type { BuiltinUse, PlanError, PlanNote, StepReason } from './closure.ts'
export { type DecompressOptions, decompressKmod } from './decompress.ts'
export { type PlanGraph, planGraph, planGraphToDot, planGraphToSvg } from './draw.ts'
export type { KmodError, KmodResult, Result } from './error.ts'
export type { ExportedSymbol } from './exports.ts'
export type { FindingSeverity, KmodFinding } from './findings.ts'
export { type FirmwareFiles, type FirmwareLoader, firmwareFiles, firmwareNames } from './firmware.ts'
export { openKmodFolder } from './folder.ts'
export { type KmodGraph, readKmodGraph } from './graph.ts'
export { type Kmod, readKmod } from './kmod.ts'
export type { KmodParameter, ModinfoField, Softdep } from './modinfo.ts'
export { type ModprobePlan, type ModprobeStep, planAsModprobe } from './modprobe.ts'
export {
  type ModprobeConfig,
  type ModprobeFile,
  noModprobeConfig,
  parseModprobeConfig,
} from './modprobe-config.ts'
export {
  type Compression,
  isKmodPath,
  kernelForm,
  kmodCompression,
  kmodName,
  normalizeAlias,
} from './name.ts'
export { describeReason, type LoadPlan, type LoadStep, planLoad, reasonChain } from './plan.ts'
export { type KmodSignature, readSignature } from './signature.ts'
export {
  type AliasMatches,
  createKmodSource,
  type KmodReceiver,
  type KmodSource,
  type KmodSourceOptions,
  lookUp,
} from './source.ts'
export { type ImportedSymbol, type KmodSymbols, readKmodSymbols } from './symbols.ts'
export { parseSymvers, type Symvers, type SymversEntry } from './symvers.ts'
