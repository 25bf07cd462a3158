/** One kernel built four ways: in one go; killed half-way and gone on with; on two other machines of which one dies; and its headers. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { VerifyContext } from '../verification.ts'
import { variables } from './base-build.ts'
import type { Line } from './build-once.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const program = [path('../../node_modules/.bin/jiti'), path('build-once.ts')]

/** How many files the second machine compiles before it dies. */
const mortal = 100

type Built = Extract<Line, { type: 'built' }>

export async function oneKernelFourWays({ folder, progress }: VerifyContext) {
  const place = (name: string): string => {
    const made = join(folder, name)
    mkdirSync(made)
    return made
  }
  progress('in one go')
  const clean = await build([...program, place('clean')])

  progress('killed half-way')
  const interrupted = place('interrupted')
  const killed = await build([...program, interrupted], (done, total, child) => {
    if (done >= total / 2 && child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
  })
  progress('and gone on with')
  const gone = await build([...program, interrupted])

  progress('on two other machines, of which one dies')
  const distributed = place('distributed')
  writeFileSync(join(distributed, 'mortal'), String(mortal))
  const rooms = ['--user', '--map-root-user', '--net', '--pid', '--fork', '--mount-proc', '--kill-child']
  const lab = ['unshare', ...rooms, 'sh', path('../../test/distcc/two-hosts.sh'), distributed]
  // The source is fetched before: there is no way out of that network.
  execFileSync('cp', ['-a', `${join(folder, 'clean')}/.`, distributed])
  forget(join(distributed, 'store'), clean.built?.archive ?? '')
  const elsewhere = await build([...lab, ...program, distributed, '198.51.100.2/4,198.51.100.6/4'])
  const compiledBy = (machine: 1 | 2): number =>
    readFileSync(join(distributed, `${machine}.log`), 'utf8').split('COMPILE_OK').length - 1

  progress('a module against its headers')
  const greeter = await againstHeaders(folder, clean.built)

  const same = (other: Built | undefined): boolean => other?.archive === clean.built?.archive
  const verdicts = [
    clean.built !== undefined,
    killed.built === undefined && killed.objects > 0,
    same(gone.built) && gone.objects < clean.objects,
    same(elsewhere.built) && compiledBy(1) > 0 && compiledBy(2) >= mortal,
    greeter,
  ]
  const bytes = (other: Built | undefined): string => (same(other) ? 'the same bytes' : 'OTHER BYTES')
  return {
    columns: ['build', 'objects compiled', 'result'],
    rows: [
      ['in one go', clean.objects, clean.built?.archive.slice(0, 16) ?? 'FAILED'],
      ['killed (SIGKILL) half-way', killed.objects, killed.built === undefined ? 'killed' : 'NOT KILLED'],
      ['gone on with', gone.objects, bytes(gone.built)],
      [
        `with two machines, one of which dies after ${mortal} objects`,
        `${elsewhere.objects}, of them ${compiledBy(1)} and ${compiledBy(2)} there`,
        bytes(elsewhere.built),
      ],
      [
        'a module against its headers, elsewhere',
        1,
        greeter ? 'the bytes of the one built with the kernel' : 'OTHER BYTES',
      ],
    ],
    notes: [
      'Linux 6.1 for arm64 with a module of its own and one with a source of its own; bytes are those of all that a build leaves: image, vmlinux, modules, System.map, Module.symvers, configuration. The two machines are network namespaces with Debian’s distccd.',
    ],
    failures: verdicts.filter((held) => !held).length,
  }
}

async function build(
  argv: readonly string[],
  onObject: (done: number, total: number, child: ChildProcess) => void = () => undefined,
): Promise<{ readonly objects: number; readonly built: Built | undefined }> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let objects = 0
  let built: Built | undefined
  for await (const text of createInterface({ input: child.stdout })) {
    const line: Line = JSON.parse(text)
    if (line.type === 'built') built = line
    else {
      objects++
      onObject(line.done, line.total, child)
    }
  }
  return { objects, built }
}

/** Takes out of a store all that it knows of a build: its objects, and the record of what it left. */
function forget(store: string, archive: string): void {
  rmSync(join(store, 'kept'), { recursive: true })
  for (const name of readdirSync(join(store, 'results'), { recursive: true, encoding: 'utf8' })) {
    const record = join(store, 'results', name)
    if (statSync(record).isFile() && readFileSync(record, 'latin1').includes(archive)) rmSync(record)
  }
}

/** Whether make, given the headers as `-C`, makes of the same source the module that was built with the kernel. */
async function againstHeaders(folder: string, built: Built | undefined): Promise<boolean> {
  if (built === undefined) return false
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  execFileSync('tar', ['-xf', built.headers, '-C', elsewhere])
  const [headers = ''] = readdirSync(elsewhere)
  const driver = join(folder, 'driver')
  execFileSync('cp', ['-a', join(folder, 'clean/greeter'), driver])
  const assignments = Object.entries({ ...variables, M: driver, KCFLAGS: `-fmacro-prefix-map=${driver}/=` })
  const { MAKEFLAGS: _, ...env } = process.env
  execFileSync(
    'make',
    [
      '-s',
      '-C',
      join(elsewhere, headers),
      ...assignments.map(([name, value]) => `${name}=${value}`),
      'modules',
    ],
    { env },
  )
  return readFileSync(join(driver, 'greeter.ko')).equals(Buffer.from(built.greeter, 'base64'))
}
