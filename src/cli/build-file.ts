import { join } from 'node:path'
import { type Diagnostic, nearNames, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { type Output, outputs, type WrittenOutput, writeOutput } from '../outputs/index.ts'
import type { AssembledSystem } from '../system/index.ts'
import type { BuildOptions } from './session.ts'
import { assembleFile } from './systems.ts'

/**
 * Builds the named outputs (or each device's default one) of every system in a file. A file that exports several
 * systems gets a folder a system, by host name.
 */
export async function buildFile(
  engine: Engine,
  file: string,
  names: readonly string[],
  folder: string,
  options: BuildOptions,
): Promise<readonly WrittenOutput[]> {
  const wanted = names.map(findOutput)
  const systems = await assembleFile(engine, file, options)
  const folders = systems.length === 1 ? [folder] : systems.map((system) => join(folder, hostname(system)))
  refuseSameFolders(systems, folders)
  const written: WrittenOutput[] = []
  for (const [index, system] of systems.entries()) {
    const chosen = wanted.length > 0 ? wanted : [findOutput(system.definition.device.defaultOutput)]
    for (const output of chosen)
      written.push(await writeOutput(engine, system, output, folders[index] ?? folder))
  }
  return written
}

function hostname(system: AssembledSystem): string {
  return system.requirements.hostname.value
}

function findOutput(name: string): Output {
  const output = outputs.find((candidate) => candidate.name === name)
  if (output !== undefined) return output
  const names = outputs.map((candidate) => candidate.name)
  const near = nearNames(name, names)
  throw new UserError({
    what: `there is no output ${name}`,
    fix: near.length > 0 ? `did you mean ${near.join(' or ')}?` : `choose among ${names.join(', ')}`,
  })
}

function refuseSameFolders(systems: readonly AssembledSystem[], folders: readonly string[]): void {
  const conflicts: Diagnostic[] = []
  for (const [index, folder] of folders.entries()) {
    const first = folders.indexOf(folder)
    const [a, b] = [systems[first], systems[index]]
    if (first === index || a === undefined || b === undefined) continue
    conflicts.push({
      what: `two systems in one file have the host name ${hostname(a)}`,
      where: [a.definition.origin, b.definition.origin],
      fix: 'give each its own, or put them into files of their own',
    })
  }
  if (conflicts.length > 0) throw new UserError(...conflicts)
}
