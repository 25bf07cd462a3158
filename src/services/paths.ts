/** Where the parts of ours lie on the target. */
export const libraryFolder = '/usr/lib/firmwright'

/** Where OpenRC looks for its shell layer; /lib is a link on a usr-merged target. */
export const openRcFolder = '/usr/lib/rc'

/** The named pipe through which a service's output goes to the log. */
export function logPipe(name: string): string {
  return `/run/firmwright/log/${name}`
}

/** The program that supervise-daemon starts for a long-running service, once for every respawn. */
export function runScriptPath(name: string): string {
  return `${libraryFolder}/run/${name}`
}
