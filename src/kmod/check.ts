import type { KmodResult } from './error.ts'
import { type Evidence, readEvidence } from './evidence.ts'
import { crcText, type KmodFinding } from './findings.ts'
import { checkFirmware, type FirmwareFiles } from './firmware.ts'
import { type KmodGraph, readKmodGraph } from './graph.ts'
import { checkLicense, checkTaint, findProprietary, isGplCompatible } from './licenses.ts'
import { kmodName } from './name.ts'
import { bareSoftdep, unansweredSoftdep } from './softdep-messages.ts'
import { type KmodSource, lookUp } from './source.ts'
import type { ImportedSymbol } from './symbols.ts'
import type { Symvers } from './symvers.ts'
import { createVisible, type Export, type Visible } from './visible.ts'

export interface CheckOptions {
  /** Names of modules in the order in which they are loaded, once for each plan. Without: all modules, in any order. */
  readonly plans?: readonly (readonly string[])[]
  /** What vmlinux exports. Without it nothing that is imported from vmlinux is proved. */
  readonly symvers?: Symvers
  /** The kernel's release, as `uname -r` says it. Without: what most modules were built for. */
  readonly release?: string
  /** Whether the kernel refuses unsigned modules (CONFIG_MODULE_SIG_FORCE). */
  readonly signatureForced?: boolean
  /** What is under /lib/firmware. Without it firmware is not looked at. */
  readonly firmware?: FirmwareFiles
}

export interface KmodCheck {
  readonly findings: readonly KmodFinding[]
  /** How many modules were looked at, and how many imported symbols were proved. */
  readonly modules: number
  readonly provedSymbols: number
}

/** Modules that are read besides those in question, to know what is usual in this kernel. */
const sampleSize = 8

/**
 * Proves that modules load: that each is sound, built for this kernel and this architecture, that every symbol it
 * imports is exported by vmlinux or by a module loaded before it, with the same checksum, in a namespace that it
 * imports and under a licence that it has; that its firmware is there. What the kernel checks is in its
 * kernel/module/main.c and version.c; here is the same, before anything is shipped.
 */
export async function checkKmods(source: KmodSource, options: CheckOptions = {}): Promise<KmodCheck> {
  const { plans, symvers, firmware } = options
  const names = [...new Set(plans === undefined ? source.names.keys() : plans.flat().map(kmodName))]
  const sample = [...source.names.keys()].slice(0, sampleSize)
  const evidence = await readEvidence(source, [...names, ...sample])
  const findings: KmodFinding[] = []
  const sound = new Map<string, Evidence>()
  const usual = usualOf([...evidence.values()], options.release)
  for (const name of names) {
    const module = evidence.get(name)
    if (module === undefined) continue
    if (!module.ok) {
      const { error } = module
      findings.push({ type: 'unreadable', severity: 'error', module: name, error, message: error.message })
      continue
    }
    const own = checkAlone(module.value, usual, options)
    findings.push(...own, ...(await checkSoftdeps(source, module.value)))
    if (!own.some(({ type }) => type === 'foreign-architecture')) sound.set(name, module.value)
  }

  const allFree = [...sound.values()].every(isGplCompatible)
  const kernel = openKernel(source, symvers)
  const proof = { proved: 0, unproved: 0, modules: new Set<string>() }
  for (const plan of plans?.map((steps) => steps.map(kmodName)) ?? [[...sound.keys()]]) {
    const visible = createVisible()
    const proprietary = findProprietary(sound, visible)
    if (plans === undefined) for (const module of sound.values()) visible.add(module)
    for (const name of plan) {
      const module = sound.get(name)
      if (module === undefined) continue
      if (plans !== undefined) visible.add(module)
      for (const symbol of module.symbols.imports) {
        const found = await checkImport(module, symbol, visible, kernel)
        if (found === 'not-proved') {
          proof.unproved++
          proof.modules.add(name)
        } else if (found === 'proved') proof.proved++
        else findings.push(...found)
      }
      findings.push(
        ...checkLayout(module, symvers),
        ...checkDepends(module, visible),
        ...(allFree ? [] : checkTaint(module, visible, symvers, proprietary)),
      )
    }
    if (plans === undefined) findings.push(...visible.duplicates())
  }
  if (firmware !== undefined) findings.push(...checkFirmware(firmware, sound.values(), source.builtinKmods))
  if (proof.unproved > 0) {
    findings.push({
      type: 'imports-not-proved',
      severity: 'not-proved',
      modules: proof.modules.size,
      symbols: proof.unproved,
      message: `${proof.unproved} imports of ${proof.modules.size} modules from vmlinux are not proved: that takes the kernel's Module.symvers`,
    })
  }
  const once = new Map(findings.map((finding) => [finding.message, finding]))
  return { findings: [...once.values()], modules: names.length, provedSymbols: proof.proved }
}

interface Usual {
  readonly architecture: string | undefined
  readonly vermagic: string | undefined
}

/** What most modules have. */
function usualOf(modules: readonly KmodResult<Evidence>[], release: string | undefined): Usual {
  const readable = modules.flatMap((module) => (module.ok ? [module.value] : []))
  const magics = readable.flatMap(({ kmod: { vermagic } }) => (vermagic === undefined ? [] : [vermagic]))
  const own = magics.filter((vermagic) => release === undefined || vermagic.split(' ')[0] === release)
  return {
    architecture: mostFrequent(readable.map(({ architecture }) => architecture)),
    vermagic: mostFrequent(own) ?? release,
  }
}

function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

/**
 * What can be said of a module without any other. Where checksums agree (CONFIG_MODVERSIONS) the kernel itself lets
 * another release pass and looks at the rest of vermagic alone; a mixture of builds is refused here all the same.
 */
function checkAlone(module: Evidence, usual: Usual, options: CheckOptions): readonly KmodFinding[] {
  const { name, kmod, symbols, architecture, signed } = module
  if (usual.architecture !== undefined && architecture !== usual.architecture) {
    const message = `${name} is for another architecture: ${architecture}, and this kernel is for ${usual.architecture}`
    const expected = usual.architecture
    return [
      { type: 'foreign-architecture', severity: 'error', module: name, architecture, expected, message },
    ]
  }
  const findings: KmodFinding[] = []
  if (usual.vermagic !== undefined && kmod.vermagic?.trim() !== usual.vermagic.trim()) {
    const vermagic = kmod.vermagic ?? ''
    const expected = usual.vermagic
    const message = `${name} was built for ${vermagic === '' ? 'no kernel that it names' : `“${vermagic}”`}, and this kernel is “${expected}”`
    findings.push({ type: 'vermagic', severity: 'error', module: name, vermagic, expected, message })
  }
  if (options.signatureForced === true && !signed) {
    const message = `${name} has no signature, and this kernel loads signed modules only (CONFIG_MODULE_SIG_FORCE)`
    findings.push({ type: 'unsigned', severity: 'error', module: name, message })
  }
  if (hasChecksums(options.symvers) && symbols.imports.length > 0 && symbols.versions.size === 0) {
    const message = `${name} was built without checksums of the symbols it uses, and this kernel checks them (CONFIG_MODVERSIONS)`
    findings.push({ type: 'no-checksums', severity: 'error', module: name, message })
  }
  return findings
}

function hasChecksums(symvers: Symvers | undefined): boolean {
  for (const { crc } of symvers?.values() ?? []) if (crc !== 0) return true
  return false
}

async function checkSoftdeps(source: KmodSource, { name, kmod }: Evidence): Promise<readonly KmodFinding[]> {
  const findings: KmodFinding[] = []
  for (const softdep of kmod.softdeps) {
    const { line, pre, post, bare } = softdep
    if (bare.length > 0) {
      const message = bareSoftdep(name, softdep)
      findings.push({ type: 'softdep-bare', severity: 'warning', module: name, line, bare, message })
    }
    for (const wanted of [...bare, ...pre, ...post]) {
      const found = await lookUp(source, wanted)
      if (!found.ok || found.value.length > 0) continue
      const message = unansweredSoftdep(name, softdep, wanted)
      findings.push({ type: 'softdep-missing', severity: 'warning', module: name, line, wanted, message })
    }
  }
  return findings
}

/** What is known beside the modules that are loaded. */
interface KernelExports {
  readonly symvers: Symvers | undefined
  /** The module, loaded or not, that exports a symbol. The first call reads every module. */
  exporterOf(symbol: string): Promise<string | undefined>
}

function openKernel(source: KmodSource, symvers: Symvers | undefined): KernelExports {
  let graph: Promise<KmodGraph> | undefined
  return {
    symvers,
    async exporterOf(symbol) {
      graph ??= readKmodGraph(source)
      return (await graph).exporterOf(symbol)
    },
  }
}

async function checkImport(
  module: Evidence,
  symbol: ImportedSymbol,
  visible: Visible,
  kernel: KernelExports,
): Promise<readonly KmodFinding[] | 'proved' | 'not-proved'> {
  const { name } = symbol
  const known = kernel.symvers?.get(name)
  // The kernel looks into vmlinux first (find_symbol).
  const given: Export | undefined = known?.exporter === 'vmlinux' ? known : visible.find(name)
  if (given === undefined) {
    if (symbol.weak) return 'proved'
    const exporter = await kernel.exporterOf(name)
    if (exporter !== undefined) {
      const message = `${module.name} imports ${name} from ${exporter}, which is not loaded before it`
      return [
        { type: 'late-symbol', severity: 'error', module: module.name, symbol: name, exporter, message },
      ]
    }
    if (kernel.symvers === undefined) return 'not-proved'
    const message = `${module.name} imports ${name}, which neither vmlinux nor any module of this kernel exports`
    return [{ type: 'unknown-symbol', severity: 'error', module: module.name, symbol: name, message }]
  }
  const findings = [
    ...checkCrc(module, symbol, given, kernel.symvers),
    ...checkNamespace(module, name, given),
    ...checkLicense(module, name, given),
  ]
  return findings.length > 0 ? findings : 'proved'
}

function checkCrc(
  module: Evidence,
  { name: symbol, crc }: Pick<ImportedSymbol, 'name' | 'crc'>,
  { exporter, crc: exported }: Export,
  symvers: Symvers | undefined,
): readonly KmodFinding[] {
  if (crc === undefined || exported === undefined || crc === exported) return []
  const other = symvers?.get(symbol)
  const whose =
    other !== undefined && other.crc === crc && other.exporter !== exporter
      ? `; ${crcText(crc)} is what ${other.exporter} exports according to Module.symvers`
      : ''
  const message = `${module.name} was built against another ${symbol}: it wants version ${crcText(crc)}, and ${exporter} exports ${crcText(exported)}${whose}`
  return [
    {
      type: 'crc-mismatch',
      severity: 'error',
      module: module.name,
      symbol,
      exporter,
      crc,
      exported,
      message,
    },
  ]
}

function checkNamespace(
  module: Evidence,
  symbol: string,
  { namespace = '' }: Export,
): readonly KmodFinding[] {
  if (namespace === '' || module.kmod.importedNamespaces.includes(namespace)) return []
  const message = `${module.name} uses ${symbol} of namespace ${namespace} and does not import that (MODULE_IMPORT_NS)`
  return [{ type: 'namespace', severity: 'error', module: module.name, symbol, namespace, message }]
}

/** `module_layout` stands for the layout of the kernel's own structures (kernel/module/version.c). */
function checkLayout(module: Evidence, symvers: Symvers | undefined): readonly KmodFinding[] {
  const name = 'module_layout'
  const known = symvers?.get(name)
  const crc = module.symbols.versions.get(name)
  return known === undefined || crc === undefined ? [] : checkCrc(module, { name, crc }, known, symvers)
}

/** `depends=` is what modprobe goes by; symbols are what the kernel goes by. */
function checkDepends({ name, kmod, symbols }: Evidence, visible: Visible): readonly KmodFinding[] {
  const used = new Set<string>()
  for (const { name: symbol } of symbols.imports) {
    const exporter = visible.find(symbol)?.exporter
    if (exporter !== undefined && exporter !== name) used.add(exporter)
  }
  const unnamed = [...used].filter((other) => !kmod.depends.includes(other)).sort()
  const unused = kmod.depends.filter((other) => !used.has(other)).sort()
  if (unnamed.length === 0 && unused.length === 0) return []
  const parts = [
    ...(unnamed.length === 0 ? [] : [`does not name ${unnamed.join(', ')}, whose symbols it uses`]),
    ...(unused.length === 0 ? [] : [`names ${unused.join(', ')}, of which it uses nothing`]),
  ]
  const message = `depends= of ${name} ${parts.join(' and ')}`
  return [{ type: 'depends-disagrees', severity: 'warning', module: name, unnamed, unused, message }]
}
