/**
 * A system: everything that one system file declares.
 *
 * {@link defineSystem} checks a definition; evaluating it runs `setup` and collects contributions, each with its
 * origin; merging joins them into requirements or refuses what disagrees, naming both origins; assembling turns
 * requirements into a kernel, load plans, services and file trees. The data flows one way, and each stage is a
 * function of what the one before it gave.
 */
export { type AssembledSystem, assemble, type InitramfsRequest, type MadeInitramfs } from './assemble.ts'
export type { SystemBuilder } from './builder.ts'
export type {
  ConfigRequest,
  ConfigValue,
  ConsoleLogin,
  Contribution,
  KernelRequirement,
  KmodChoice,
  KmodTarget,
  LongrunRequest,
  NetworkInterface,
  OneshotRequest,
  User,
} from './contributions.ts'
export {
  type BootOptions,
  type DefinedSystem,
  defineSystem,
  hostnameSchema,
  type SystemDefinition,
} from './definition.ts'
export type {
  Architecture,
  Device,
  DeviceTreeSource,
  DeviceTreeText,
  Emulator,
  Firmware,
  NetworkBoot,
} from './device.ts'
export { boardTree, treeFailure } from './device-tree.ts'
export { evaluate, type System } from './evaluate.ts'
export { type EvaluatedSystem, evaluateSystem } from './evaluated.ts'
export { defineFeature } from './feature.ts'
export { installedPath } from './kmod-files.ts'
export { type LoadOptions, loadSystems } from './load.ts'
export { merge, type Requirements } from './merge.ts'
export { lockSetNames, type SystemFolders, updateSystem } from './package-needs.ts'
