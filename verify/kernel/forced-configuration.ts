/** A configuration that Kconfig would not allow: what a symbol brings along, without the symbol. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Takes a symbol out of what kbuild reads, which is not .config but what is made from it. The time of
 * include/config/SYMBOL is how objects are told that it changed (scripts/basic/fixdep.c).
 *
 * @param folder a build that has the symbol
 */
export function withoutSymbol(folder: string, symbol: string): void {
  const edit = (file: string, line: RegExp): void => {
    const path = join(folder, file)
    const text = readFileSync(path, 'latin1')
    const edited = text.replace(line, '')
    if (edited === text) throw new Error(`${symbol} is not in ${path}`)
    writeFileSync(path, Buffer.from(edited, 'latin1'))
  }
  edit('include/generated/autoconf.h', new RegExp(`^#define CONFIG_${symbol}(?:_MODULE)? .*\\n`, 'm'))
  const now = new Date()
  utimesSync(join(folder, 'include/config', symbol), now, now)
  // Last, since make asks Kconfig again when .config or anything else is newer.
  edit('include/config/auto.conf', new RegExp(`^CONFIG_${symbol}=.*\\n`, 'm'))
}
