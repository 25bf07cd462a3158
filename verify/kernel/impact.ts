/** Predicts what adding something takes, then really builds that kernel to its end, and compares. */
import type { VerifyContext } from '../verification.ts'
import { baseBuild } from './base-build.ts'
import { withCompilerCache } from './compiler-cache.ts'
import { remembered, type Trial, tryOut } from './impact-trial.ts'
import { type Candidate, candidates, mostObjects, nextPick } from './symbol-picks.ts'

/** The examples that have to come out as the kernel's authors know them. */
const named: Readonly<Record<string, string>> = {
  'TUN=m': 'module-only',
  'E1000E=m': 'module-only',
  'NF_CONNTRACK=m': 'new-vmlinux',
  'VLAN_8021Q=m': 'new-vmlinux',
  // Besides the member of struct net_device: the kernel has no keyring yet, which signed regulatory data take.
  'CFG80211=m': 'needs-more',
  'WLAN=y': 'new-vmlinux',
}

export const impactAgainstRebuild = (context: VerifyContext) =>
  withCompilerCache('aarch64-linux-gnu-gcc', () => run(context))

async function run({ folder, progress }: VerifyContext) {
  const base = await baseBuild({ modversions: true })
  const symbols = Number(process.env.FIRMWRIGHT_VERIFY_SYMBOLS ?? 60)
  const share = symbols / 60
  const quota = { symbols, ofEach: Math.floor(15 * share), behindGates: Math.floor(5 * share) }
  const trials = remembered(base)
  const tried = async (candidate: Candidate, number: number): Promise<Trial> => {
    const known = trials.get(candidate.request)
    if (known !== undefined) return known
    progress(`${number + 1}: ${candidate.request}`)
    const trial = await tryOut(base, candidate, folder)
    trials.add(trial)
    progress(`${cells(trial).join(' | ')} (${trial.seconds} s)`)
    return trial
  }
  const examples: Trial[] = []
  for (const candidate of await candidates(base, Object.keys(named)))
    examples.push(await tried(candidate, examples.length))
  const pool = (await candidates(base)).filter(({ request }) => named[request] === undefined)
  progress(`${pool.length} symbols to draw from`)
  const drawn: Trial[] = []
  for (;;) {
    const candidate = nextPick(pool, drawn, quota)
    if (candidate === undefined) break
    drawn.push(await tried(candidate, examples.length + drawn.length))
  }
  return judgement(examples, drawn, pool.length, quota)
}

function judgement(
  examples: readonly Trial[],
  drawn: readonly Trial[],
  pool: number,
  quota: Parameters<typeof nextPick>[2],
) {
  const all = [...examples, ...drawn]
  const count = (verdict: string): number => drawn.filter((trial) => trial.verdict === verdict).length
  const gates = drawn.filter(({ gate }) => gate).length
  const results = all.map(resultOf)
  const needless = results.filter((result) => result === 'needless').length
  const wrong = results.filter((result) => result !== 'right' && result !== 'needless').length
  const tooMany = needless > drawn.length / 20 ? needless : 0
  const lacking = [
    ...['module-only', 'new-vmlinux', 'needs-more'].map((verdict) => quota.ofEach - count(verdict)),
    quota.behindGates - gates,
    Object.keys(named).length - examples.length,
  ].filter((missing) => missing > 0).length
  const areas = [...new Set(drawn.map(({ area }) => area))].sort()
  return {
    columns: [
      'asked for',
      'predicted',
      'objects that look, differ',
      'for example',
      '.ko new, changed',
      'rebuilt: objects, exports, vmlinux',
      'others alone',
      'prediction',
    ],
    rows: all.map((trial, index) => [...cells(trial), results[index] ?? '']),
    failures: wrong + tooMany + lacking,
    notes: [
      `Linux 6.1 for arm64, MODVERSIONS on. The ${examples.length} named examples, then ${drawn.length} of ${pool} symbols that are off, can be had and are looked at by at most ${mostObjects} built-in objects, drawn by seed until each answer had come ${quota.ofEach} times: ${count('module-only')} module only, ${count('new-vmlinux')} new vmlinux, ${count('needs-more')} needs more; ${gates} behind a gate like NET_VENDOR_INTEL; ${areas.map((area) => `${drawn.filter((trial) => trial.area === area).length} of ${area}`).join(', ')}. Needless “new vmlinux”: ${needless}.`,
      '“Rebuilt” is the judge: the kernel built to its end by its own make with the new configuration, in a copy of the O= folder. Built-in objects, as `ar` lists them, that are new, gone or whose sections, relocations or visible names differ, as readelf and objdump show them; lines of Module.symvers for vmlinux that differ; and whether vmlinux is the same to the byte without its build-id. “Module only” also means that each new module was proved against the flashed kernel’s Module.symvers.',
      '“Others alone” tells “needs more” from “new vmlinux”: built-in objects that differ, and are the same objects when kbuild is made to build what comes along without the symbol itself. ccache stands before the compiler of all these builds.',
    ],
  }
}

/** `FALSE` is what must never be: a module handed over for a kernel that would have to change. */
function resultOf({ request, verdict, rebuilt, othersAlone, findings }: Trial): string {
  const same = rebuilt.objects.length === 0 && rebuilt.exports === 0 && rebuilt.sameImage
  const expected = named[request]
  if (expected !== undefined && verdict !== expected) return `NOT ${expected}`
  if (verdict === 'module-only') return same ? (findings.length === 0 ? 'right' : 'NOT PROVED') : 'FALSE'
  if (same) return 'needless'
  const truth = (othersAlone ?? 0) > 0 ? 'needs-more' : 'new-vmlinux'
  return verdict === truth ? 'right' : `NOT ${truth}`
}

const cells = ({ rebuilt, ...trial }: Trial): readonly (string | number)[] => [
  trial.request,
  trial.verdict,
  `${trial.looking}, ${trial.differ}`,
  trial.because,
  `${trial.added}, ${trial.changed}`,
  `${rebuilt.objects.length}, ${rebuilt.exports}, ${rebuilt.sameImage ? 'same' : 'another'}`,
  trial.othersAlone ?? '',
]
