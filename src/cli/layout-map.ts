import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { drawSvg, drawTable } from '../layout/index.ts'
import { planNetworkBoot } from '../outputs/index.ts'
import type { BuildOptions } from './session.ts'
import { assembleFile } from './systems.ts'
import { writeWhole } from './write-whole.ts'

/** The memory maps of a file's systems, as tables or as lines of JSON. */
export async function layoutOf(
  engine: Engine,
  file: string,
  options: BuildOptions & { readonly svg?: string },
): Promise<string> {
  const systems = await assembleFile(engine, file, options)
  if (options.svg !== undefined && systems.length > 1) {
    throw new UserError({ what: 'one drawing shows one system', why: `${file} has ${systems.length}` })
  }
  const texts: string[] = []
  for (const system of systems) {
    const { placement, choice, format } = await planNetworkBoot(engine, system)
    const { layout, memory } = placement
    const name = `${system.requirements.hostname.value} on ${system.definition.device.name}`
    if (options.svg !== undefined) writeWhole(options.svg, drawSvg(layout, name))
    if (options.json) {
      texts.push(
        `${JSON.stringify({ system: name, root: choice, format, memory, regions: layout.regions })}\n`,
      )
    } else {
      texts.push(
        `${name}: kernel as ${format}, root by ${choice.transport} (${choice.why})\n${drawTable(layout)}`,
      )
    }
  }
  return texts.join('\n')
}
