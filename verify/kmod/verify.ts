/**
 * Kernel modules against kmod's own tools, over every module of Debian's kernels: modprobe's plans, depmod's
 * dependency map, and who answers to an alias.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../src/devicetree/conformance.ts'
import { openKmodFolder, readKmodGraph } from '../../src/kmod/index.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import { aliasPatterns, compareAliases, concreteAlias, nearMiss } from './aliases.ts'
import { indexedKernel, kernels } from './kernels.ts'
import { modprobeFor } from './modprobe.ts'
import { compareDependencyMap, comparePlans } from './plans.ts'

export const verifications: readonly Verification[] = [
  {
    name: 'kmod-plans',
    title: 'Load plans, dependency maps and aliases of every kernel module',
    run: verifyPlans,
  },
]

const concreteAliases = 5_000
const nearMisses = 1_000

async function verifyPlans({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const kernel of kernels) {
    const indexed = await indexedKernel(kernel, folder)
    const source = openKmodFolder(indexed.folder)
    if (!source.ok) throw new Error(source.error.message)
    const modprobe = modprobeFor(indexed)
    const graph = await readKmodGraph(source.value)
    const modulesDep = readFileSync(join(indexed.indexedFolder, 'modules.dep'), 'utf8')
    const dependencies = compareDependencyMap(source.value, graph, modulesDep)
    const names = [...source.value.names.keys()]
    const plans = await comparePlans(source.value, graph, modprobe, names)
    const random = seededRandom(20_261_124)
    const patterns = await aliasPatterns(source.value)
    const concrete = Array.from({ length: concreteAliases }, () =>
      concreteAlias(patterns[random(patterns.length)] ?? '', random),
    )
    const near = concrete.slice(0, nearMisses).map((alias) => nearMiss(alias, random))
    const aliases = await compareAliases(source.value, modprobe, [...concrete, ...near])
    const differences = [...dependencies, ...plans.notAsModprobe, ...plans.unexplained, ...aliases]
    for (const line of differences.slice(0, 20)) progress(`${indexed.version}: ${line}`)
    progress(`${indexed.version}: ${differences.length} differences`)
    failures += differences.length + graph.unreadable.size + graph.disagreements.length
    rows.push([
      indexed.version,
      names.length,
      plans.notAsModprobe.length,
      plans.unexplained.length,
      plans.larger,
      dependencies.length,
      graph.disagreements.length,
      `${aliases.length} of ${concrete.length + near.length}`,
    ])
  }
  const [version = ''] = execFileSync('modprobe', ['--version'], { encoding: 'utf8' }).split('\n')
  return {
    columns: [
      'kernel',
      'modules',
      'plan not as modprobe’s',
      'own plan unexplained',
      'own plan larger (softdeps)',
      'not as modules.dep',
      'symbols against depends=',
      'aliases answered otherwise',
    ],
    rows,
    notes: [
      `Against ${version}, on trees that its depmod indexed. Aliases: ${concreteAliases} made from the kernel's own patterns and ${nearMisses} near misses.`,
    ],
    failures,
  }
}
