/**
 * What modules are built against on another machine: Makefiles, headers, configuration, the programs of the build and
 * Module.symvers, chosen as scripts/package/builddeb of the kernel chooses for Debian's headers packages.
 *
 *     tar -xf linux-headers.tar
 *     make -C linux-headers-RELEASE ARCH=… CROSS_COMPILE=… M=$PWD/driver modules
 */
import type { Engine, FileArtifact } from '../engine/index.ts'
import type { BuildTarget } from './build-target.ts'
import type { Compiler } from './compiler.ts'
import { type LinuxTree, stableTar, treeInputs, unpackScript, unpackTools } from './linux-tree.ts'
import type { LinuxSource } from './source.ts'

export interface HeadersBuild {
  readonly source: LinuxSource
  readonly tree: LinuxTree
  readonly target: BuildTarget
  readonly compiler: Compiler
  readonly config: FileArtifact
  /** what the build of the kernel left */
  readonly archive: FileArtifact
  readonly variables: Readonly<Record<string, string>>
}

/** An archive with one top folder, `linux-headers-RELEASE`. */
export async function kernelHeaders(engine: Engine, build: HeadersBuild): Promise<FileArtifact> {
  const { tree, config, archive, compiler } = build
  const { 'headers.tar': headers } = await engine.build({
    kind: 'command',
    name: `collect the headers of ${tree.name}`,
    argv: ['sh', '-c', headersScript(build)],
    env: {},
    inputs: { ...treeInputs(tree), config, 'kernel.tar': archive },
    outputs: ['headers.tar'],
    tools: [...unpackTools, ...compiler.tools, 'nproc', 'find', 'sort', 'grep', 'tr'],
  })
  if (headers?.kind !== 'file') throw new Error('tar left no archive')
  return headers
}

function headersScript({ tree, target, variables }: HeadersBuild): string {
  const { srcarch } = target
  const assignments = Object.entries(variables).map(([name, value]) => `${name}='${value}'`)
  return `set -eu
${unpackScript(tree)}cp config linux/.config
tar -xOf kernel.tar --wildcards './usr/lib/modules/*/Module.symvers' > linux/Module.symvers
make -C linux -j"$(nproc)" ${assignments.join(' ')} modules_prepare
folder=linux-headers-$(cat linux/include/config/kernel.release)
mv linux $folder
{
  find $folder $folder/arch/${srcarch} -maxdepth 1 -name 'Makefile*'
  find $folder/include $folder/scripts -type f
  find $folder/arch/${srcarch} -type f '(' -path '*/include/*' -o -path '*/scripts/*' -o -name 'Kbuild*' -o -name Platform ')'
  if [ -e $folder/tools/objtool/objtool ]; then echo $folder/tools/objtool/objtool; fi
  echo $folder/.config
  echo $folder/Module.symvers
} | grep -v '[.]o$' | grep -v '[.]cmd$' | LC_ALL=C sort -u | tr '\\n' '\\0' | ${stableTar} headers.tar
`
}
