/**
 * Which symbols `kernel impact` is tried with: drawn by seed, yet so that each of its answers comes often enough. What an
 * answer is likely to be is guessed from the configuration and the command files of the flashed build; a guess only says
 * where to draw from.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import {
  createConfiguration,
  createRandom,
  createResolver,
  diffConfigs,
  openTree,
  readConfig,
  writeConfig,
} from '../../src/kconfig/index.ts'
import { variables } from './base-build.ts'

export interface Candidate {
  /** `TUN=m` */
  readonly request: string
  readonly area: string
  readonly likely: Likely
  /** a vendor's menu that has to be opened on the way */
  readonly gate: boolean
  /** the whole .config, a byte string */
  readonly configText: string
}

/** What built-in code looks at: nothing that changes, the symbol itself, or others that come along. */
export type Likely = 'nothing' | 'the symbol' | 'others'

const areas: Readonly<Record<string, RegExp>> = {
  netfilter: /^net\/(?:\w+\/)?netfilter\//,
  'network drivers': /^drivers\/net\//,
  'file systems': /^fs\//,
  crypto: /^crypto\/|^drivers\/crypto\//,
  USB: /^drivers\/usb\//,
}

const gates =
  /^(?:NET|WLAN)_VENDOR_|^(?:CRYPTO_DEV_HW|CRYPTO_HW|USB_GADGET|USB_NET_DRIVERS|MISC_FILESYSTEMS)$/

/** Of so many of the ~1,000 built-in objects at most is a symbol that is drawn to touch the sources: else a trial takes ten minutes. */
export const mostObjects = 250

/** Some that are off and can be had, drawn by seed; or those that are asked for. `m` where a symbol can be m, else `y`. */
export async function candidates(
  base: string,
  wanted: readonly string[] = [],
): Promise<readonly Candidate[]> {
  const source = realpathSync(join(base, 'source'))
  const environment = { PATH: process.env.PATH ?? '', ...variables }
  const opened = await openTree({ srctree: source, arch: 'arm64', environment })
  if (!opened.ok) throw new Error(opened.error.message)
  const configuration = createConfiguration(opened.value)
  const before = readFileSync(join(base, '.config'), 'latin1')
  readConfig(configuration, before, { name: '.config' })
  const resolve = createResolver(configuration)
  const looked = symbolsOfBuiltinCode(base)
  const had = new Set([...before.matchAll(/^CONFIG_(\w+)=/gm)].map(([, name = '']) => name))
  const drawn = (): ReturnType<typeof entries> => {
    const all = shuffled(entries(source))
    const itself = all.filter(({ request }) => looked.has(request.slice(0, -2)))
    // Working out a configuration takes a while; and symbols that built-in code looks at itself are rare.
    return [...new Set([...all.slice(0, 120), ...itself.slice(0, 80)])]
  }
  const touched = (symbols: readonly string[]): number =>
    new Set(symbols.flatMap((symbol) => looked.get(symbol) ?? [])).size
  const all = wanted.length > 0 ? wanted.map((request) => ({ request, area: 'named' })) : drawn()
  return all.flatMap(({ request, area }) => {
    const [name = '', value = ''] = request.split('=')
    if (had.has(name)) return []
    const resolved = resolve([{ name, value }])
    if (!resolved.ok) return []
    const configText = writeConfig(resolved.value.configuration)
    const { added, changed } = diffConfigs(before, configText)
    const moved = [...added, ...changed].map((each) => each.name).filter((each) => each !== name)
    if (wanted.length === 0 && touched([name, ...moved]) > mostObjects) return []
    const others = moved.some((each) => looked.has(each))
    const likely = others ? 'others' : looked.has(name) ? 'the symbol' : 'nothing'
    return [{ request, area, likely, gate: moved.some((each) => gates.test(each)), configText }]
  })
}

/** Entries with a prompt in the Kconfig files of those areas. */
function entries(source: string): readonly { readonly request: string; readonly area: string }[] {
  const files = execFileSync('find', ['.', '-name', 'Kconfig*', '-printf', '%P\n'], {
    cwd: source,
    encoding: 'utf8',
  })
  return files
    .split('\n')
    .sort()
    .flatMap((file) => {
      const area = Object.keys(areas).find((name) => areas[name]?.test(file))
      if (area === undefined) return []
      const text = readFileSync(join(source, file), 'latin1')
      const found = [...text.matchAll(/^(?:menu)?config (\w+)\n\s+(tristate|bool) "/gm)]
      return found.map(([, name = '', type]) => ({ request: `${name}=${type === 'bool' ? 'y' : 'm'}`, area }))
    })
}

/** The symbols that fixdep found in the sources and headers of built-in objects, each with the command files of those. */
function symbolsOfBuiltinCode(base: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const path of readdirSync(base, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.o.cmd')) continue
    const text = readFileSync(join(base, path), 'latin1')
    if (text.includes('-DMODULE ')) continue
    const names = new Set([...text.matchAll(/include\/config\/(\w+)/g)].map(([, name = '']) => name))
    for (const name of names) {
      const paths = found.get(name)
      if (paths === undefined) found.set(name, [path])
      else paths.push(path)
    }
  }
  return found
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  const random = createRandom(4)
  return all
    .map((each) => ({ each, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each)
}

export interface Drawn {
  readonly area: string
  readonly verdict: string
  readonly gate: boolean
  readonly request: string
}

/** Where to draw from as long as an answer has not come often enough. */
const likelyOf: Readonly<Record<string, Likely>> = {
  'module-only': 'nothing',
  'new-vmlinux': 'the symbol',
  'needs-more': 'others',
}

/**
 * The next symbol to try: what lacks most comes first, and of that the area that has been drawn from least.
 *
 * @returns undefined when there are enough of all
 */
export function nextPick(
  all: readonly Candidate[],
  drawn: readonly Drawn[],
  { symbols, ofEach, behindGates }: { symbols: number; ofEach: number; behindGates: number },
): Candidate | undefined {
  const left = all.filter(({ request }) => !drawn.some((one) => one.request === request))
  const missing = Object.keys(likelyOf)
    .map((verdict) => ({ verdict, count: ofEach - drawn.filter((one) => one.verdict === verdict).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
  const gatesMissing = behindGates > drawn.filter(({ gate }) => gate).length
  if (missing.length === 0 && !gatesMissing && drawn.length >= symbols) return undefined
  const tiers = [
    ...(gatesMissing ? [left.filter(({ gate, likely }) => gate && likely === 'nothing')] : []),
    ...missing.map(({ verdict }) => left.filter(({ likely }) => likely === likelyOf[verdict])),
    left,
  ]
  const tier = tiers.find((each) => each.length > 0) ?? []
  const times = (area: string): number => drawn.filter((one) => one.area === area).length
  return tier.reduce<Candidate | undefined>(
    (best, each) => (best === undefined || times(each.area) < times(best.area) ? each : best),
    undefined,
  )
}
