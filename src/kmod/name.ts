/**
 * Names of kernel modules.
 *
 * The kernel knows a module by the name of its object with `-` written as `_` (scripts/Makefile.lib,
 * `name-fix`), while the file keeps its dashes; every tool takes either. Here a module's name is always the
 * kernel's form.
 */

export type Compression = 'xz' | 'gz' | 'zst'

/** Modules as installed, plain or compressed (scripts/Makefile.modinst, `suffix-y`). */
const suffixes = ['.ko', '.ko.xz', '.ko.gz', '.ko.zst'] as const

/** By string comparison: asked of every file of a kernel at every start, before an expression has been compiled. */
function suffixOf(path: string): (typeof suffixes)[number] | undefined {
  for (const suffix of suffixes) if (path.endsWith(suffix)) return suffix
  return undefined
}

/** `nft-fib.ko.xz`, `kernel/net/nft-fib.ko`, `nft-fib`: all `nft_fib`. */
export function kmodName(nameOrPath: string): string {
  const suffix = suffixOf(nameOrPath)
  const name =
    suffix === undefined
      ? nameOrPath
      : nameOrPath.slice(nameOrPath.lastIndexOf('/') + 1, nameOrPath.length - suffix.length)
  return kernelForm(name)
}

/** The kernel's own form of a module's name: `-` and `_` are the same. */
export const kernelForm = (name: string): string => (name.includes('-') ? name.replaceAll('-', '_') : name)

/** Whether a path is that of a kernel module, going by its name. */
export function isKmodPath(path: string): boolean {
  const suffix = suffixOf(path)
  if (suffix === undefined || path.length === suffix.length) return false
  return path.charAt(path.length - suffix.length - 1) !== '/'
}

/** How a module's file is compressed, going by its name; `undefined` for a plain one. */
export function kmodCompression(path: string): Compression | undefined {
  switch (suffixOf(path)) {
    case '.ko.xz':
      return 'xz'
    case '.ko.gz':
      return 'gz'
    case '.ko.zst':
      return 'zst'
    default:
      return undefined
  }
}

/**
 * `-` to `_` in an alias or a name, except inside brackets, where `-` makes a range (libkmod's
 * `alias_normalize`). An alias with an unbalanced bracket can match nothing: `undefined`.
 */
export function normalizeAlias(alias: string): string | undefined {
  if (!/[-[\]]/.test(alias)) return alias
  let text = ''
  for (let at = 0; at < alias.length; at++) {
    const character = alias.charAt(at)
    if (character === ']') return undefined
    if (character === '[') {
      const end = alias.indexOf(']', at)
      if (end === -1) return undefined
      text += alias.slice(at, end + 1)
      at = end
    } else text += character === '-' ? '_' : character
  }
  return text
}
