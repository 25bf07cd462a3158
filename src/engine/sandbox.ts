/** Commands in a room of their own: bubblewrap, where it works. */
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { executorPath } from './action.ts'

/** The working folder as a sandboxed command sees it, so that no path of this machine gets into its output. */
export const sandboxWorkFolder = '/build'

export interface SandboxOptions {
  readonly network: boolean
  /** Host folders behind the working folder and /tmp. */
  readonly workFolder: string
  readonly temporaryFolder: string
  /** Path in the working folder → path on the host that appears there, read-only. */
  readonly readOnly: ReadonlyMap<string, string>
  /** The same, for what the command may write to. */
  readonly writable: ReadonlyMap<string, string>
}

/** What a program with a network needs from /etc to find a name and to check a certificate. */
const networkFiles = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/host.conf',
  '/etc/services',
  '/etc/ssl',
  '/etc/ca-certificates',
]

/** Arguments of `bwrap` up to the `--`. */
export function sandboxArguments(options: SandboxOptions): readonly string[] {
  const args = ['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL']
  if (options.network) args.push('--share-net')
  // One user and host for everybody: root and an ordinary user get the same bytes.
  args.push('--uid', '1000', '--gid', '1000', '--hostname', 'firmwright')
  args.push('--ro-bind', '/usr', '/usr')
  for (const folder of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    // On a merged system these are links into /usr.
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) args.push('--symlink', readlinkSync(folder), folder)
    else if (stat !== undefined) args.push('--ro-bind', folder, folder)
  }
  for (const file of ['/etc/alternatives', '/etc/ld.so.cache', ...(options.network ? networkFiles : [])]) {
    if (existsSync(file)) args.push('--ro-bind', file, file)
  }
  args.push('--proc', '/proc', '--dev', '/dev', '--bind', options.temporaryFolder, '/tmp')
  args.push('--bind', options.workFolder, sandboxWorkFolder)
  for (const [path, source] of options.readOnly)
    args.push('--ro-bind', source, `${sandboxWorkFolder}/${path}`)
  for (const [path, source] of options.writable) args.push('--bind', source, `${sandboxWorkFolder}/${path}`)
  args.push('--chdir', sandboxWorkFolder)
  return args
}

/** Undefined when a sandbox works in `folder`, otherwise why not. */
export async function probeSandbox(folder: string): Promise<string | undefined> {
  const none = new Map<string, string>()
  const folders = { workFolder: folder, temporaryFolder: folder, readOnly: none, writable: none }
  const options = { network: false, ...folders }
  return new Promise((resolve) => {
    const child = spawn('bwrap', [...sandboxArguments(options), '--', 'true'], {
      env: { PATH: executorPath },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 10_000,
    })
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString('utf8')
    })
    child.on('error', () => resolve('bubblewrap (bwrap) is not installed'))
    child.on('close', (code) => {
      const [line = ''] = complaint.trim().split('\n')
      resolve(code === 0 ? undefined : `bubblewrap does not work here: ${line || `exit code ${code}`}`)
    })
  })
}
