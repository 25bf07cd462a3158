/**
 * Three readers of the engine's one event stream: a terminal display, a plain log, and lines of JSON. They show and
 * decide nothing.
 */
export { jsonProgress } from './json.ts'
export { formatElapsed, type ProgressReader, plainProgress } from './plain.ts'
export { terminalProgress } from './terminal.ts'
