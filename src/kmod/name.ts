/**
 * Names of kernel modules.
 *
 * The kernel knows a module by the name of its object with `-` written as `_` (scripts/Makefile.lib,
 * `name-fix`), while the file keeps its dashes; every tool takes either. Here a module's name is always the
 * kernel's form.
 */

export type Compression = 'xz' | 'gz' | 'zst'

/** Modules as installed, plain or compressed (scripts/Makefile.modinst, `suffix-y`). */
const fileName = /([^/]*)\.ko(?:\.(xz|gz|zst))?$/

/** `nft-fib.ko.xz`, `kernel/net/nft-fib.ko`, `nft-fib`: all `nft_fib`. */
export function kmodName(nameOrPath: string): string {
  const match = fileName.exec(nameOrPath)
  return (match?.[1] ?? nameOrPath).replaceAll('-', '_')
}

/** Whether a path is that of a kernel module, going by its name. */
export function isKmodPath(path: string): boolean {
  const match = fileName.exec(path)
  return match !== null && match[1] !== ''
}

/** How a module's file is compressed, going by its name; `undefined` for a plain one. */
export function kmodCompression(path: string): Compression | undefined {
  const suffix = fileName.exec(path)?.[2]
  return suffix === 'xz' || suffix === 'gz' || suffix === 'zst' ? suffix : undefined
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
