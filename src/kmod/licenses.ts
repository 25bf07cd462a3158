/** What the licence of a module lets it use. */
import type { Evidence } from './evidence.ts'
import type { KmodFinding } from './findings.ts'
import type { Symvers } from './symvers.ts'
import type { Export, Visible } from './visible.ts'

/** include/linux/license.h, `license_is_gpl_compatible`. */
const gplCompatible: readonly string[] = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]

export function checkLicense(
  module: Evidence,
  symbol: string,
  { exporter, gplOnly }: Export,
): readonly KmodFinding[] {
  // The kernel looks at the first licence alone (`get_modinfo`).
  const license = module.kmod.licenses[0] ?? ''
  if (!gplOnly || gplCompatible.includes(license)) return []
  const said = license === '' ? 'states no licence' : `has the licence “${license}”`
  const message = `${module.name} ${said}, and ${exporter} exports ${symbol} to GPL modules only`
  return [{ type: 'gpl-only', severity: 'error', module: module.name, license, symbol, exporter, message }]
}

/** Whether a module is proprietary for the kernel: by its licence, or since it uses symbols of one that is. */
export type Proprietary = (name: string) => boolean

export function findProprietary(sound: ReadonlyMap<string, Evidence>, visible: Visible): Proprietary {
  const known = new Map<string, boolean>()
  const isProprietary: Proprietary = (name) => {
    const module = sound.get(name)
    if (module === undefined) return false
    const before = known.get(name)
    if (before !== undefined) return before
    // For modules that use each other, until more is known.
    known.set(name, false)
    const is =
      !isGplCompatible(module) ||
      module.symbols.imports.some((symbol) => {
        const exporter = visible.find(symbol.name)?.exporter
        return exporter !== undefined && exporter !== name && isProprietary(exporter)
      })
    known.set(name, is)
    return is
  }
  return isProprietary
}

export const isGplCompatible = ({ kmod }: Evidence): boolean => gplCompatible.includes(kmod.licenses[0] ?? '')

/**
 * A module that uses symbols of a proprietary one counts as such itself, and may then use nothing that is for GPL
 * modules only (kernel/module/main.c, `inherit_taint`, since 5.9).
 */
export function checkTaint(
  module: Evidence,
  visible: Visible,
  symvers: Symvers | undefined,
  isProprietary: Proprietary,
): readonly KmodFinding[] {
  if (!isGplCompatible(module)) return []
  const given = module.symbols.imports.flatMap(({ name: symbol }) => {
    const known = symvers?.get(symbol)
    const found: Export | undefined = known?.exporter === 'vmlinux' ? known : visible.find(symbol)
    return found === undefined ? [] : [{ symbol, ...found }]
  })
  const tainting = given.find(({ exporter }) => exporter !== module.name && isProprietary(exporter))
  const gplOnly = given.find((each) => each.gplOnly)
  if (tainting === undefined || gplOnly === undefined) return []
  const license = module.kmod.licenses[0] ?? ''
  const { symbol, exporter } = gplOnly
  const message = `${module.name} uses ${tainting.symbol} of ${tainting.exporter}, which is proprietary, and ${symbol}, which ${exporter} exports to GPL modules only: the kernel refuses a module that does both`
  return [{ type: 'gpl-only', severity: 'error', module: module.name, license, symbol, exporter, message }]
}
