/** Predicts what adding a module takes, then really builds that kernel to its end, and compares. */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { openBuildFolder } from '../../src/impact/build-folder.ts'
import { type Impact, kernelImpact } from '../../src/impact/index.ts'
import { wishFor } from '../../src/impact/wish.ts'
import { createRandom } from '../../src/kconfig/index.ts'
import type { VerifyContext } from '../verification.ts'
import { baseBuild, make } from './base-build.ts'

/** The examples that have to come out as the kernel's authors know them. */
const named: readonly (readonly [string, string])[] = [
  ['TUN=m', 'module-only'],
  ['E1000E=m', 'module-only'],
  ['NF_CONNTRACK=m', 'new-vmlinux'],
  ['VLAN_8021Q=m', 'new-vmlinux'],
  ['CFG80211=m', 'new-vmlinux'],
  ['WLAN=y', 'new-vmlinux'],
]

/** Where symbols are picked from: the places of their entries. */
const places = /^(?:net\/(?:ipv4\/|ipv6\/|bridge\/)?netfilter|drivers\/net|fs|crypto|drivers\/usb)\//

export async function impactAgainstRebuild({ folder, progress }: VerifyContext) {
  const base = await baseBuild()
  const wanted = Number(process.env.FIRMWRIGHT_VERIFY_SYMBOLS ?? 60)
  const picked = await pick(base, wanted)
  const rows: (string | number)[][] = []
  let failures = 0
  for (const [request, expected] of [...named, ...picked.map((name) => [`${name}=m`, undefined] as const)]) {
    progress(`${request} (${rows.length} of ${named.length + picked.length})`)
    const [name = '', value = ''] = request.split('=')
    const impact = await kernelImpact(base, [{ name, value }])
    const truth = await rebuild(base, { name, value }, join(folder, 'rebuilt'))
    const same = (impact.verdict === 'module-only') === truth.same
    const asExpected = expected === undefined || impact.verdict === expected
    if (!same || !asExpected || impact.findings.length > 0) failures++
    const row = [
      request,
      impact.verdict,
      `${impact.builtin.looking} of ${impact.builtin.objects}`,
      impact.objects.length,
      firstReason(impact),
      impact.modules.added.length,
      impact.modules.changed.length,
      truth.same ? 'the same' : 'another',
      same ? (asExpected ? 'right' : `NOT ${expected}`) : truth.same ? 'NEEDLESS' : 'FALSE',
    ]
    rows.push(row)
    progress(row.join(' | '))
  }
  const count = (verdict: string): number => rows.filter((row) => row[1] === verdict).length
  return {
    columns: [
      'asked for',
      'predicted',
      'built-in objects that look',
      'that differ',
      'for example',
      'new .ko',
      'changed .ko',
      'vmlinux and exports, rebuilt',
      'prediction',
    ],
    rows,
    failures,
    notes: [
      `Linux 6.1 for arm64, MODVERSIONS on. The named examples, then ${picked.length} of 60 symbols picked by seed 4 among those of netfilter, network drivers, file systems, crypto and USB that can be m: ${count('module-only')} module only, ${count('new-vmlinux')} new vmlinux, ${count('needs-more')} needs more.`,
      'The judge: the kernel built to its end with the new configuration, in a copy of the O= folder; vmlinux compared by its bytes without the build-id and the embedded configuration, Module.symvers by its lines for vmlinux. “Module only” also means that each new module was proved against the flashed kernel’s Module.symvers.',
    ],
  }
}

function firstReason({ objects }: Impact): string {
  const [first] = objects
  const reason = first?.reasons[0]
  if (first === undefined || reason === undefined) return ''
  return `${first.path}: ${reason.symbol ?? ''}, ${reason.through}`
}

/** Names of tristate symbols that are off and can be m, by seed. */
async function pick(base: string, count: number): Promise<readonly string[]> {
  const build = openBuildFolder(base)
  const found: string[] = []
  const files = execFileSync('grep', ['-rlE', '^[[:space:]]*tristate', '--include=Kconfig*', '.'], {
    cwd: build.source,
    encoding: 'utf8',
  })
  const names = files
    .split('\n')
    .map((file) => file.replace(/^\.\//, ''))
    .filter((file) => places.test(file))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(build.source, file), 'latin1')
      return [...text.matchAll(/^config (\w+)\n\s+tristate/gm)].map(([, name = '']) => name)
    })
  const random = createRandom(4)
  while (found.length < count) {
    const name = names[random() % names.length]
    if (name === undefined || found.includes(name) || (build.config.get(name) ?? 'n') !== 'n') continue
    const possible = await wishFor(build, [{ name, value: 'm' }]).catch(() => undefined)
    if (possible !== undefined) found.push(name)
  }
  return found
}

/** What vmlinux and its exports are when the kernel is built with that. */
async function rebuild(base: string, request: { name: string; value: string }, folder: string) {
  const build = openBuildFolder(base)
  const { configText } = await wishFor(build, [request])
  rmSync(folder, { recursive: true, force: true })
  await execa('cp', ['-a', '--reflink=auto', realpathSync(base), folder])
  writeFileSync(join(folder, '.config'), Buffer.from(configText, 'latin1'))
  await make(build.source, folder, ['Image', 'modules'])
  const same = kernelDigest(folder) === kernelDigest(base) && exportsOf(folder) === exportsOf(base)
  rmSync(folder, { recursive: true, force: true })
  return { same }
}

function kernelDigest(folder: string): string {
  const args = ['-O', 'binary', '--remove-section=.note.gnu.build-id', join(folder, 'vmlinux'), '/dev/stdout']
  const image = execFileSync('aarch64-linux-gnu-objcopy', args, { maxBuffer: 1 << 28 })
  return createHash('sha256').update(withoutConfiguration(image)).digest('hex')
}

/** kernel/configs.o holds the .config, compressed, between two marks. */
function withoutConfiguration(image: Buffer): Buffer {
  const start = image.indexOf('IKCFG_ST')
  const end = image.indexOf('IKCFG_ED')
  return start === -1 ? image : Buffer.concat([image.subarray(0, start), image.subarray(end)])
}

const exportsOf = (folder: string): string =>
  readFileSync(join(folder, 'Module.symvers'), 'utf8')
    .split('\n')
    .filter((line) => line.split('\t')[2] === 'vmlinux')
    .sort()
    .join('\n')
