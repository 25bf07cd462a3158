import type { KmodResult } from './error.ts'
import { describeReason, type LoadPlan } from './plan.ts'
import type { KmodSource } from './source.ts'

/** A load plan as a picture: an arrow from each module to what it needs. */
export interface PlanGraph {
  readonly nodes: readonly {
    readonly name: string
    readonly kind: 'target' | 'dependency' | 'softdep' | 'builtin'
    /** Why it is there. */
    readonly why: string
  }[]
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    /** Absent for a dependency by symbols. */
    readonly softdep?: 'pre' | 'post' | 'bare'
  }[]
}

/** Of several reasons for a softdep'd module the first is drawn; of dependencies all. */
export async function planGraph(source: KmodSource, plan: LoadPlan): Promise<KmodResult<PlanGraph>> {
  const names = new Set(plan.steps.map(({ name }) => name))
  const edges: PlanGraph['edges'][number][] = []
  for (const { name } of plan.steps) {
    const kmod = await source.load(name)
    if (!kmod.ok) return kmod
    for (const to of kmod.value.depends) if (names.has(to)) edges.push({ from: name, to })
  }
  const uses = [...plan.steps, ...plan.builtin]
  for (const { name, reason } of uses) {
    if (reason.type === 'softdep') edges.push({ from: reason.of, to: name, softdep: reason.when })
    else if (reason.type === 'dependency' && !names.has(name)) edges.push({ from: reason.of, to: name })
  }
  const nodes = uses.map(({ name, reason }) => ({
    name,
    kind: names.has(name) ? reason.type : ('builtin' as const),
    why: names.has(name) ? describeReason(reason) : `built in; ${describeReason(reason)}`,
  }))
  return { ok: true, value: { nodes, edges } }
}

const fills = { target: '#cfe3ff', dependency: '#ffffff', softdep: '#fff3cf', builtin: '#e4e4e4' } as const

/** In the language of Graphviz. */
export function planGraphToDot({ nodes, edges }: PlanGraph): string {
  const lines = [
    ...nodes.map(
      ({ name, kind, why }) =>
        `  ${quoted(name)} [fillcolor="${fills[kind]}", tooltip=${quoted(why)}${kind === 'builtin' ? ', style="filled,dashed"' : ''}]`,
    ),
    ...edges.map(
      ({ from, to, softdep }) =>
        `  ${quoted(from)} -> ${quoted(to)}${softdep === undefined ? '' : ` [style=dashed, label=${quoted(softdep)}]`}`,
    ),
  ]
  return `digraph kmods {\n  node [shape=box, style=filled]\n${lines.join('\n')}\n}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Pixels. */
const layout = { character: 7.3, padding: 12, height: 26, gap: 16, layer: 74, margin: 10 } as const

interface Box {
  readonly node: PlanGraph['nodes'][number]
  readonly x: number
  readonly y: number
  readonly width: number
}

/** A drawing in layers: what a module needs is below it. The reason for each is its tooltip. */
export function planGraphToSvg(graph: PlanGraph): string {
  const boxes = new Map(placeBoxes(graph).map((box) => [box.node.name, box]))
  const all = [...boxes.values()]
  const width = Math.max(0, ...all.map(({ x, width: own }) => x + own)) + layout.margin
  const height = Math.max(0, ...all.map(({ y }) => y + layout.height)) + layout.margin
  const lines = graph.edges.flatMap(({ from, to, softdep }) => {
    const [start, end] = [boxes.get(from), boxes.get(to)]
    return start === undefined || end === undefined ? [] : [arrow(start, end, softdep)]
  })
  const rectangles = all.map(({ node, x, y, width: own }) => {
    const dashed = node.kind === 'builtin' ? ' stroke-dasharray="4 3"' : ''
    return `<g><title>${escaped(node.why)}</title><rect x="${x}" y="${y}" width="${own}" height="${layout.height}" rx="4" fill="${fills[node.kind]}" stroke="#444"${dashed}/><text x="${x + own / 2}" y="${y + 17}" text-anchor="middle">${escaped(node.name)}</text></g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${Math.ceil(height)}" font-family="monospace" font-size="12">
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#444"/></marker></defs>
${[...lines, ...rectangles].join('\n')}
</svg>
`
}

function arrow(from: Box, to: Box, softdep: string | undefined): string {
  const x = from.x + from.width / 2
  const y = from.y + layout.height
  const endX = to.x + to.width / 2
  // Upwards, sideways and to itself the line leaves below all the same, so that every arrow is to be seen.
  const bend = Math.max(24, (to.y - y) / 2)
  const style = softdep === undefined ? '' : ' stroke-dasharray="5 3"'
  const title = softdep === undefined ? '' : `<title>softdep ${softdep}:</title>`
  return `<path d="M${x} ${y}C${x} ${y + bend} ${endX} ${to.y - bend} ${endX} ${to.y}" fill="none" stroke="#444"${style} marker-end="url(#head)">${title}</path>`
}

/** A layer is one more than the deepest user's; within a layer, below those that lie above. */
function placeBoxes({ nodes, edges }: PlanGraph): readonly Box[] {
  const depth = new Map(nodes.map(({ name }) => [name, 0]))
  // Softdeps may go in circles: as many rounds as there are nodes are enough where there is none, and an end where
  // there is one.
  for (let round = 0, moved = true; moved && round < nodes.length; round++) {
    moved = false
    for (const { from, to } of edges) {
      const below = (depth.get(from) ?? 0) + 1
      if (from === to || below <= (depth.get(to) ?? 0) || below >= nodes.length) continue
      depth.set(to, below)
      moved = true
    }
  }
  const centres = new Map<string, number>()
  const boxes: Box[] = []
  const layers = [...new Set(depth.values())].sort((a, b) => a - b)
  for (const [row, layer] of layers.entries()) {
    const placed = nodes
      .filter(({ name }) => depth.get(name) === layer)
      .map((node) => {
        const above = edges.flatMap(({ from, to }) =>
          to === node.name && centres.has(from) ? [centres.get(from) ?? 0] : [],
        )
        return { node, wish: above.reduce((sum, x) => sum + x, 0) / Math.max(1, above.length) }
      })
      .sort((a, b) => a.wish - b.wish)
    let x: number = layout.margin
    for (const { node } of placed) {
      const width = Math.round(node.name.length * layout.character) + layout.padding
      boxes.push({ node, x, y: layout.margin + row * layout.layer, width })
      centres.set(node.name, x + width / 2)
      x += width + layout.gap
    }
  }
  return boxes
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
