/**
 * What U-Boot takes: images, scripts, and what is known of a loader.
 *
 * - **Legacy images** ("uImage"): {@link writeLegacyImage}, {@link writeScriptImage}, {@link readLegacyImage}; for an
 *   .lzma stream, {@link withLzmaSize} puts in the true size that old loaders insist on.
 * - **FIT**: {@link writeFit}: a device tree of images, each with a load address, and of configurations.
 * - **Scripts**: commands as data ({@link Command}), their lines ({@link commandLines}), and a check that none is
 *   longer than the loader takes ({@link checkLines}).
 * - **Loaders** are data files ({@link Loader}, {@link parseLoader}); {@link missingAbilities} says by name what one
 *   lacks.
 *
 * Nothing is compressed or sent here: bytes come in, bytes and lines go out. Failures are values.
 */
export {
  buildFit,
  type Fit,
  type FitConfiguration,
  type FitHash,
  type FitImage,
  writeFit,
} from './fit.ts'
export {
  ARCHITECTURES,
  type Architecture,
  COMPRESSIONS,
  type Compression,
  IMAGE_TYPES,
  type ImageType,
  LEGACY_HEADER_BYTES,
  LEGACY_NAME_BYTES,
  type LegacyImage,
  OPERATING_SYSTEMS,
  type OperatingSystem,
  readLegacyImage,
  type ScriptImageOptions,
  writeLegacyImage,
  writeScriptImage,
} from './legacy.ts'
export {
  type Autoboot,
  KERNEL_FORMATS,
  type KernelFormat,
  type Loader,
  missingAbilities,
  type Needs,
  type OwnTree,
  parseLoader,
} from './loader.ts'
export { type LzmaHeader, readLzmaHeader, withLzmaSize } from './lzma.ts'
export type { ImageReadError, ImageWriteError, LoaderDataError, Result, ScriptError } from './result.ts'
export { type Command, checkLines, commandLines, quote, setInSteps, type TreeValue } from './script.ts'
