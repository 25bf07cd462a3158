/**
 * Services: what runs on the target, in which order, and the files that make its service manager run them.
 *
 * A service is a value: a {@link Oneshot} (up, down) or a {@link Longrun} (a supervised process). It names the
 * services it depends on by handle. {@link serviceGraph} proves that a set of services can start at all and
 * puts it in order.
 */
export {
  type AutoloadModule,
  deviceHandler,
  deviceHandlerPath,
  largestHandlerBytes,
  renderHandler,
  requestHandler,
  requestHandlerPath,
} from './autoload.ts'
export {
  clockService,
  entropyService,
  hostnameService,
  kernelLogService,
  loopbackService,
  sysctlService,
  syslogService,
} from './base.ts'
export { type PlacedService, type ServiceGraph, serviceGraph } from './graph.ts'
export { type InitramfsOptions, type RootDevice, renderInitramfs } from './initramfs.ts'
export { type Console, type OpenRcOptions, renderOpenRc } from './openrc.ts'
export {
  type Action,
  type Argv,
  type BootPhase,
  bootPhases,
  type KmodStep,
  type Longrun,
  type Oneshot,
  type Readiness,
  type Respawn,
  type Service,
  type ServiceHandle,
  type StatePath,
  serviceHandle,
} from './service.ts'
export { type LostState, type StateOptions, stateFolder, stateOf, stateService } from './state.ts'
export {
  appletPath,
  appletsOf,
  baseServiceApplets,
  busyboxApplets,
  initramfsApplets,
  loginApplets,
  openRcFiles,
  seedrngFile,
  terminalGroup,
} from './target-needs.ts'
