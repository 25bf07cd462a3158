/**
 * What configuring a kernel costs, against the tools that a user would reach for, in the same run and the same
 * environment: olddefconfig of a small arm64 configuration of Linux 6.1 against the tree's own `conf`, reading the tree
 * against Kconfiglib, resolving 25 symbols of netfilter against one second. What is kept between runs is taken away for
 * the rows that say so; where a tree is read although its probes are kept, it is put away again in the same run
 * (src/kconfig/tree-cache.ts). Medians of several runs, with the wall clock and the processor time (user and system) of
 * whole processes; prints ratios and asserts nothing.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kconfigEnvironment } from '../src/kconfig/environment.ts'
import { fileReader } from '../src/kconfig/index.ts'
import { confTree } from '../test/conf.ts'
import { median } from './measure/median.ts'

const runs = 9
const megabytesWanted = 400
const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const library = fileURLToPath(new URL('../dist/kconfig/index.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const cache = join(folder, 'cache')

interface Measured {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
}

function once(argv: readonly string[], environment: Readonly<Record<string, string>>, cwd: string) {
  const report = join(folder, 'time')
  const result = spawnSync('/usr/bin/time', ['-o', report, '-f', '%e %U %S %M', ...argv], {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'latin1',
    maxBuffer: 1 << 26,
  })
  if (result.status !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`)
  const numbers = readFileSync(report, 'utf8').trim().split(' ').map(Number)
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN, kilobytes = Number.NaN] = numbers
  return {
    measured: { wallSeconds: wall, cpuSeconds: user + system, peakMegabytes: kilobytes / 1024 },
    stdout: result.stdout,
  }
}

function medianOf(measures: readonly Measured[]): Measured {
  const of = (key: keyof Measured): number => median(measures.map((each) => each[key]))
  return {
    wallSeconds: of('wallSeconds'),
    cpuSeconds: of('cpuSeconds'),
    peakMegabytes: of('peakMegabytes'),
  }
}

const seconds = (value: number): string => `${value.toFixed(2)} s`

function row(
  what: string,
  ours: Measured,
  theirs: Measured | undefined,
  against: string,
  wanted: string,
): void {
  const times = `${seconds(ours.wallSeconds)} (processor ${seconds(ours.cpuSeconds)}, ${ours.peakMegabytes.toFixed(0)} MB)`
  const other =
    theirs === undefined
      ? against
      : `${against} ${seconds(theirs.wallSeconds)} (${seconds(theirs.cpuSeconds)})  ratio ${(ours.wallSeconds / theirs.wallSeconds).toFixed(2)} (${(ours.cpuSeconds / theirs.cpuSeconds).toFixed(2)})`
  const aim = wanted === '' ? '' : `  wanted: ${wanted}`
  process.stdout.write(`  ${what.padEnd(38)} ${times}  ${other}${aim}\n`)
}

/** A small router: what is `y` and `m` here grows to some 500 values. */
const wishes =
  `MODULES=y NET=y INET=y NETFILTER=y NETFILTER_ADVANCED=y NF_CONNTRACK=m NF_TABLES=m NFT_MASQ=m NFT_CT=m
NF_NAT=m PCI=y VIRTIO_MENU=y VIRTIO_PCI=y VIRTIO_NET=y VIRTIO_BLK=y BLK_DEV=y BLOCK=y SQUASHFS=y PROC_FS=y SYSFS=y
TTY=y SERIAL_AMBA_PL011=y SERIAL_AMBA_PL011_CONSOLE=y DEVTMPFS=y BINFMT_ELF=y PRINTK=y MULTIUSER=y FUTEX=y EPOLL=y
UNIX=y PACKET=y`.split(/\s+/)

const netfilter =
  `NFT_FIB_IPV4 NFT_FIB_IPV6 NFT_MASQ NFT_NAT NFT_REDIR NFT_LOG NFT_LIMIT NFT_CT NFT_REJECT NFT_QUEUE
NFT_COMPAT NFT_HASH NFT_SOCKET NFT_TPROXY NFT_OSF NETFILTER_XT_MATCH_OWNER NETFILTER_XT_MATCH_CONNTRACK
NETFILTER_XT_MATCH_RECENT NETFILTER_XT_TARGET_TCPMSS NETFILTER_XT_TARGET_LOG NETFILTER_XT_SET IP_SET_HASH_IP
IP_NF_TARGET_MASQUERADE IP6_NF_NAT NF_FLOW_TABLE`.split(/\s+/)

/** Kconfiglib's times, those of the probes that it runs included. */
const kconfiglib = `
import os, sys, time
import kconfiglib
started, cpu = time.time(), sum(os.times()[:4])
kconfiglib.Kconfig("Kconfig", warn=False)
print(time.time() - started, sum(os.times()[:4]) - cpu)
`

try {
  const { srctree, conf } = await confTree('linux-6.1')
  const readFile = fileReader(srctree)
  const made = kconfigEnvironment({ srctree, arch: 'arm64', base: process.env, machine: 'x86_64', readFile })
  const environment: Record<string, string> = { ...made.variables }
  for (const [name, command] of Object.entries(made.commands))
    environment[name] = spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout.trim()

  const config = join(folder, '.config')
  const fragment = join(folder, 'fragment')
  writeFileSync(fragment, wishes.map((wish) => `CONFIG_${wish}\n`).join(''))
  const tree = ['--srctree', srctree, '--arch', 'arm64']
  const ours = [process.execPath, program, 'kconfig']
  const env = { FIRMWRIGHT_CACHE: cache }
  once([...ours, 'tinyconfig', ...tree, '--fragment', fragment, '-o', config], env, folder)

  const cached: Measured[] = []
  const readAgain: Measured[] = []
  const uncached: Measured[] = []
  const theirs: Measured[] = []
  const place = join(folder, 'conf')
  mkdirSync(place)
  const olddefconfig = [...ours, 'olddefconfig', ...tree, '--config', config, '-o', join(folder, 'out')]
  for (let i = 0; i < runs; i++) {
    cpSync(config, join(place, '.config'))
    theirs.push(once([conf, '--olddefconfig', 'Kconfig'], environment, place).measured)
    rmSync(join(cache, 'kconfig-trees'), { recursive: true, force: true })
    readAgain.push(once(olddefconfig, env, folder).measured)
    cached.push(once(olddefconfig, env, folder).measured)
    uncached.push(once(olddefconfig, { FIRMWRIGHT_CACHE: join(folder, `new-${i}`) }, folder).measured)
  }
  if (readFileSync(join(folder, 'out'), 'latin1') !== readFileSync(join(place, '.config'), 'latin1'))
    throw new Error('conf and we do not write the same: nothing was measured')
  const judge = medianOf(theirs)
  row('olddefconfig, probes and tree kept', medianOf(cached), judge, 'conf', '0.35')
  row('olddefconfig, probes kept, tree read', medianOf(readAgain), judge, 'conf', '')
  row('olddefconfig, nothing kept', medianOf(uncached), judge, 'conf', '1.00')

  const copy = join(folder, 'copy')
  cpSync(srctree, copy, {
    recursive: true,
    filter: (from) => !/\.(?:c|h|S|rst|dts|dtsi|txt|yaml|json|py)$/.test(from),
  })
  const moduleFile = join(copy, 'kernel/module/Kconfig')
  writeFileSync(moduleFile, readFileSync(moduleFile, 'utf8').replace(/^\tmodules$/m, '\toption modules'))
  const parsing = `
import { openTree } from ${JSON.stringify(library)}
const started = performance.now()
const cpu = process.cpuUsage()
const { ok } = await openTree({ srctree: ${JSON.stringify(srctree)}, arch: 'arm64', probeCacheFile: ${JSON.stringify(join(cache, 'kconfig-probes.json'))} })
const { user, system } = process.cpuUsage(cpu)
console.log((performance.now() - started) / 1000, (user + system) / 1e6)
if (!ok) process.exit(1)`
  const inside = (argv: readonly string[], variables: Readonly<Record<string, string>>): Measured => {
    const { measured, stdout } = once(argv, variables, folder)
    const [wallSeconds = Number.NaN, cpuSeconds = Number.NaN] = stdout.trim().split(' ').map(Number)
    return { wallSeconds, cpuSeconds, peakMegabytes: measured.peakMegabytes }
  }
  const parse: Measured[] = []
  const python: Measured[] = []
  for (let i = 0; i < runs; i++) {
    parse.push(inside([process.execPath, '--input-type=module', '-e', parsing], env))
    python.push(inside(['/usr/bin/python3', '-c', kconfiglib], { ...environment, srctree: copy }))
  }
  row('reading the tree, probes kept', medianOf(parse), medianOf(python), 'Kconfiglib', '0.25')

  const resolving = [...ours, 'resolve', ...tree, '--config', config, ...netfilter.map((name) => `${name}=m`)]
  const resolved = Array.from({ length: runs }, () => once(resolving, env, folder).measured)
  row('resolve, 25 symbols of netfilter', medianOf(resolved), undefined, '', '1.00 s')
  const peak = Math.max(
    ...[...cached, ...readAgain, ...uncached, ...parse, ...resolved].map((each) => each.peakMegabytes),
  )
  process.stdout.write(`  memory at most ${peak.toFixed(0)} MB  wanted: ${megabytesWanted} MB\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
