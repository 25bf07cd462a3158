/**
 * Which kernel modules drive some hardware.
 *
 * The kernel announces every device that it finds by a *modalias*, and modules name patterns of those that they
 * drive. What a machine will announce can be read from its device tree ahead of time, as far as a device is described
 * there: {@link treeDevices} lists the enabled nodes, each with the modalias that its bus really sends, and
 * {@link matchDevices} asks a kernel's modules for them. A node of the SPI bus is announced by the short name of its
 * first `compatible`, whatever the driver would like; a PrimeCell by a number that stands in the device.
 *
 * What is built into a kernel has no aliases. {@link findSourceDrivers} finds it, and drivers that this kernel was built
 * without, in the kernel's source.
 */
export { type Bus, type TreeDevice, treeDevices } from './devices.ts'
export { type DeviceMatch, matchDevices } from './match.ts'
export {
  compatibleLines,
  findSourceDrivers,
  type KernelSource,
  readSourceCompatibles,
  type SourceDriver,
} from './source-drivers.ts'
