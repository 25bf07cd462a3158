import { type Kmod, kmodOfFields } from './kmod.ts'
import type { ModinfoField } from './modinfo.ts'
import { kmodName } from './name.ts'

/**
 * `modules.builtin` (Documentation/kbuild/kbuild.rst): one path a line, as the file would be called had it been
 * built as a module.
 */
export function parseBuiltin(text: string): ReadonlySet<string> {
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map(kmodName),
  )
}

/**
 * `modules.builtin.modinfo`: the `.modinfo` of all that is built in, as NUL-terminated `module.key=value`. Built-in
 * device tables are not turned into aliases, so no `of:`, `pci:` or `usb:` alias is found here.
 */
export function parseBuiltinModinfo(bytes: Uint8Array): ReadonlyMap<string, Kmod> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const fields = new Map<string, ModinfoField[]>()
  for (const entry of text.split('\0')) {
    const dot = entry.indexOf('.')
    const equals = entry.indexOf('=')
    if (dot <= 0 || equals <= dot) continue
    const name = kmodName(entry.slice(0, dot))
    const field = { key: entry.slice(dot + 1, equals), value: entry.slice(equals + 1) }
    const known = fields.get(name)
    if (known === undefined) fields.set(name, [field])
    else known.push(field)
  }
  return new Map([...fields].map(([name, list]) => [name, kmodOfFields(list)]))
}
