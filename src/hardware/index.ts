/**
 * Which kernel modules drive some hardware.
 *
 * The kernel announces every device that it finds by a *modalias*, and modules name patterns of those that they
 * drive. What a machine will announce can be read from its device tree ahead of time, as far as a device is described
 * there: {@link treeDevices} lists the enabled nodes, each with the modalias that its bus really sends, and
 * {@link matchDevices} asks a kernel's modules for them; {@link matchModaliases} does for what a running machine has
 * announced. A node of the SPI bus is announced by the short name of its
 * first `compatible`, whatever the driver would like; a PrimeCell by a number that stands in the device.
 */
export { deviceMarks } from './device-names.ts'
export { type Bus, type TreeDevice, treeDevices } from './devices.ts'
export {
  type DeviceMatch,
  type ModaliasMatch,
  matchDevices,
  matchModaliases,
  type SourceMatch,
} from './match.ts'
export {
  type DeviceSource,
  deviceSources,
  type Placement,
  readSourceDrivers,
  type SourceDriver,
  type SourceDrivers,
} from './source-drivers.ts'
