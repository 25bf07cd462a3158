import { nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import { readElf } from '../elf/index.ts'
import type { Packages } from './packages.ts'

/**
 * The applets that a package's busybox was built with, sorted. They are names for links to it: Debian's package has
 * only `/bin/busybox`, and its maintainer scripts make none either.
 *
 * The binary holds its names as one run of NUL-terminated strings, sorted as `strcmp` does, because busybox looks
 * applets up in it by bisection (libbb/appletlib.c, `applet_names`). Debian's begin with `[` and `[[`.
 */
export async function busyboxApplets(
  packages: Pick<Packages, 'read'>,
  name: 'busybox' | 'busybox-static' = 'busybox',
  origin?: Origin,
): Promise<readonly string[]> {
  const found = findApplets(await packages.read(name, '/bin/busybox', origin))
  if (found !== undefined) return found
  throw new UserError({
    what: `the applets of /bin/busybox of the package ${name} cannot be told`,
    ...(origin === undefined ? {} : { where: [origin] }),
    why: 'its table of names does not look as that of Debian’s busybox does',
  })
}

/** The table of applet names in a busybox binary; undefined where there is none. */
export function findApplets(binary: Uint8Array): readonly string[] | undefined {
  const elf = readElf(binary)
  const section = elf.ok ? elf.value.sectionData('.rodata') : undefined
  if (section?.ok !== true || section.value === undefined) return undefined
  const data = Buffer.from(section.value)
  const start = data.indexOf('[\0[[\0', 0, 'latin1')
  if (start < 0) return undefined
  const names: string[] = []
  for (let offset = start; ; ) {
    const end = data.indexOf(0, offset)
    const name = end < 0 ? '' : data.toString('latin1', offset, end)
    // Whatever comes after the table is no name, or does not keep the order.
    if (!/^[a-z0-9_[][a-z0-9_.[-]*$/.test(name) || name <= (names.at(-1) ?? '')) break
    names.push(name)
    offset = end + 1
  }
  return names.length > 2 ? names : undefined
}

/**
 * Checks that busybox has all the applets that somebody wants.
 *
 * @throws UserError naming each one that it has not, with near names
 */
export function requireApplets(
  applets: readonly string[],
  wanted: readonly { readonly applet: string; readonly origin: Origin }[],
): void {
  const known = new Set(applets)
  const unknown = wanted.filter(({ applet }) => !known.has(applet))
  if (unknown.length === 0) return
  throw new UserError(
    ...unknown.map(({ applet, origin }) => {
      const near = nearNames(applet, applets)
      return {
        what: `Debian's busybox has no applet ${applet}`,
        where: [origin],
        fix: near.length > 0 ? `did you mean ${near.join(', ')}?` : 'take it from another package',
      }
    }),
  )
}
