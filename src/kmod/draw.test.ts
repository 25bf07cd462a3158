import { expect, it } from 'vitest'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import {
  createKmodSource,
  type PlanGraph,
  planGraph,
  planGraphToDot,
  planGraphToSvg,
  planLoad,
} from './index.ts'

const modinfo: Readonly<Record<string, readonly string[]>> = {
  app: ['depends=base,compiled_in', 'softdep=pre: hash post: late', 'softdep=absent'],
  base: ['depends='],
  hash: ['depends=base', 'softdep=pre: app'],
  late: ['depends='],
}

async function graph(): Promise<PlanGraph> {
  const source = createKmodSource({
    paths: Object.keys(modinfo).map((name) => `kernel/${name}.ko`),
    builtin: 'kernel/compiled_in.ko\n',
    read: (path) => {
      const name = path.slice('kernel/'.length, -'.ko'.length)
      return assembleKmod({ modinfo: [`name=${name}`, ...(modinfo[name] ?? [])] })
    },
  })
  const plan = await planLoad(source, ['app'])
  const drawn = plan.ok ? await planGraph(source, plan.value) : plan
  if (!drawn.ok) throw new Error(drawn.error.message)
  return drawn.value
}

it('a plan as a graph has every dependency, every softdep that brought a module, and what is built in', async () => {
  const { nodes, edges } = await graph()
  expect(Object.fromEntries(nodes.map(({ name, kind }) => [name, kind]))).toEqual({
    app: 'target',
    base: 'dependency',
    hash: 'softdep',
    late: 'softdep',
    compiled_in: 'builtin',
  })
  expect(edges.map(({ from, to, softdep = '' }) => `${from} ${to} ${softdep}`).sort()).toEqual([
    'app base ',
    'app compiled_in ',
    'app hash pre',
    'app late post',
    'hash base ',
  ])
})

it('Graphviz is told of softdeps by dashes, and why each is there', async () => {
  const dot = planGraphToDot(await graph())
  expect(dot).toContain('"hash" [fillcolor="#fff3cf", tooltip="softdep of app: pre: hash post: late"]')
  expect(dot).toContain('"app" -> "hash" [style=dashed, label="pre"]')
  expect(dot).toContain('  "app" -> "base"\n')
})

it('a drawing has each module once, and what it needs in a layer below', async () => {
  const svg = planGraphToSvg(await graph())
  const rows = new Map(
    [...svg.matchAll(/<text x="[\d.]+" y="(\d+)"[^>]*>([^<]+)</g)].map(([, y, name]) => [name, Number(y)]),
  )
  expect([...rows.keys()].sort()).toEqual(['app', 'base', 'compiled_in', 'hash', 'late'])
  expect(rows.get('app')).toBeLessThan(rows.get('hash') ?? 0)
  expect(rows.get('hash')).toBeLessThan(rows.get('base') ?? 0)
  expect(svg.match(/ marker-end=/g)).toHaveLength(5)
})

it('a drawing of softdeps in a circle comes to an end', () => {
  const nodes = ['a', 'b'].map((name) => ({ name, kind: 'target', why: '<"&">' }) as const)
  const edges = [
    { from: 'a', to: 'b', softdep: 'pre' },
    { from: 'b', to: 'a', softdep: 'pre' },
  ] as const
  const svg = planGraphToSvg({ nodes, edges })
  expect(svg).toContain('&lt;&quot;&amp;')
  expect(svg.match(/<rect /g)).toHaveLength(2)
})
