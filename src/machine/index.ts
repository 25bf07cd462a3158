/**
 * Virtual machines that run: starts the `vm` output of a system and talks to its console. Used by `firmwright run`,
 * by the demonstration, and by the tests that boot something.
 */

export type { Machine, MachineOptions } from './machine.ts'
export { startMachine } from './machine.ts'
export type { SerialLine, Waited } from './serial.ts'
export { openSerialLine } from './serial.ts'
