/** Trees given as texts, and GNU make as the judge of what their Makefiles say. */
import { spawnSync } from 'node:child_process'
import type { SymbolValue } from '../condition.ts'
import type { SourceTree } from '../expand.ts'
import { type Kbuild, readKbuild, type SymbolState } from '../kbuild.ts'

export type Config = Readonly<Record<string, SymbolValue>>

export function treeOf(files: Readonly<Record<string, string>>): SourceTree {
  const all: Readonly<Record<string, string>> = { 'arch/test/Makefile': '', ...files }
  return {
    readFile: (name) => all[name],
    list(folder) {
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`
      const below = Object.keys(all).filter((name) => name.startsWith(prefix))
      if (below.length === 0) return undefined
      return [...new Set(below.map((name) => name.slice(prefix.length).replace(/\/.*/, '/')))]
    },
  }
}

export function kbuildOf(
  files: Readonly<Record<string, string>>,
  symbol: (name: string) => SymbolState = () => ({ type: 'tristate' }),
): Kbuild {
  const result = readKbuild({ tree: treeOf(files), srcarch: 'test', symbol })
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

export const fixed =
  (config: Config) =>
  (name: string): SymbolState => ({ type: 'value', value: config[name] ?? 'n' })

/** `$(obj-y)` and `$(obj-m)` as GNU make has them after reading a Makefile, sorted, without double words. */
export function askMake(makefile: string, config: Config): Readonly<Record<'y' | 'm', readonly string[]>> {
  const settings = Object.entries(config).flatMap(([name, value]) =>
    value === 'n' ? [] : [`CONFIG_${name}=${value}\n`],
  )
  const text = `srctree := .\nobj := .\nsrc := .\nobj-y :=\nobj-m :=\n${settings.join('')}${makefile}\n$(info y:$(obj-y))\n$(info m:$(obj-m))\nnothing: ;\n`
  const { stdout, stderr, status } = spawnSync('make', ['-rRsf', '-', 'nothing'], {
    input: text,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  if (status !== 0) throw new Error(`${stderr}\n${text}`)
  const words = (name: string): readonly string[] => {
    const line = stdout.split('\n').find((each) => each.startsWith(`${name}:`))
    return [
      ...new Set(
        (line ?? '')
          .slice(2)
          .split(/\s+/)
          .filter((word) => word !== ''),
      ),
    ].sort()
  }
  return { y: words('y'), m: words('m') }
}

/** Every configuration of some symbols. */
export function configsOf(symbols: readonly string[]): readonly Config[] {
  return symbols.reduce<readonly Config[]>(
    (configs, symbol) =>
      configs.flatMap((config) =>
        (['n', 'm', 'y'] as const).map((value) => ({ ...config, [symbol]: value })),
      ),
    [{}],
  )
}
