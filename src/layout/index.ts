/**
 * Memory and flash maps: planned, proved, drawn.
 *
 * Everything is a {@link Region}: a name, a physical address, a size. Some are settled ({@link FixedRegion}: the
 * loader, reserved memory, an address that a device file gives); the others ({@link MovableRegion}) come with
 * constraints (size, alignment, order, bounds, distance), and {@link planLayout} gives them addresses, or the
 * shortest reason why it cannot. {@link checkLayout} proves the result, and any other layout, without sharing a line
 * with the planner.
 *
 * A map is only as true as its regions. A kernel takes more memory than its file: {@link readArm64Image} and
 * {@link readZImage} read what it will take when it is moved, unpacked and running; {@link handedRegions} says where
 * the boot loader copies what it hands over. All of that goes into the request as regions like any other.
 */
export { checkLayout, overlaps, type Violation } from './check.ts'
export { drawSvg, drawTable, showSize } from './draw.ts'
export {
  compressedImageRegions,
  type KernelFootprint,
  type UnpackedKernel,
  unpackedFootprint,
} from './footprint.ts'
export {
  ARM64_ALIGN_BYTES,
  type Arm64Image,
  arm64Constraints,
  arm64Footprint,
  readArm64Image,
} from './kernel-arm64.ts'
export {
  readZImage,
  type ZImage,
  type ZImagePlace,
  zImageFootprint,
  zImageLoadedBytes,
  zImageUnpackedRegion,
} from './kernel-zimage.ts'
export {
  type Handed,
  type HighPlacement,
  handedRegions,
  highPlacement,
  loaderRegion,
  TREE_GROWTH_BYTES,
} from './loader.ts'
export { planLayout } from './plan.ts'
export {
  type Distance,
  type FixedRegion,
  type Layout,
  type LayoutRequest,
  MAX_MOVABLE,
  type MovableRegion,
  type PlacedRegion,
  type Region,
  type Span,
  showRegion,
} from './region.ts'
export type { KernelImageError, LayoutError, LoaderRoomError, Result } from './result.ts'
export { type AddressView, toLoaderAddress, toPhysicalAddress } from './view.ts'
