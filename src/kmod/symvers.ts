/** A symbol that vmlinux or a module of the same build exports. */
export interface SymversEntry {
  readonly name: string
  readonly crc: number
  /** `vmlinux`, or a module's path without `.ko`: `net/netfilter/nf_tables`. */
  readonly exporter: string
  readonly gplOnly: boolean
  /** Empty for a symbol that belongs to no namespace. */
  readonly namespace: string
}

/** What a build exports, by name of the symbol. */
export type Symvers = ReadonlyMap<string, SymversEntry>

/**
 * `Module.symvers` (Documentation/kbuild/modules.rst, 6.3): checksum, symbol, exporter, kind of export and namespace,
 * separated by tabs. Without CONFIG_MODVERSIONS every checksum is 0. Lines of another shape are passed over.
 */
export function parseSymvers(text: string): Symvers {
  const entries = new Map<string, SymversEntry>()
  for (const line of text.split('\n')) {
    const [crc = '', name = '', exporter = '', kind = '', namespace = ''] = line.split('\t')
    if (!/^0x[0-9a-f]{8}$/.test(crc) || name === '' || exporter === '' || !kind.startsWith('EXPORT_'))
      continue
    entries.set(name, {
      name,
      crc: Number(crc),
      exporter,
      gplOnly: kind.startsWith('EXPORT_SYMBOL_GPL'),
      namespace: namespace.trim(),
    })
  }
  return entries
}
