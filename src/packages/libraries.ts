/**
 * Where the dynamic loader of a Debian target looks for libraries (ld.so(8)).
 */

/** Debian's multiarch triplets (wiki: Multiarch/Tuples), where they are not `<architecture>-linux-gnu`. */
const triplets: Readonly<Record<string, string>> = {
  amd64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  armel: 'arm-linux-gnueabi',
  armhf: 'arm-linux-gnueabihf',
  loong64: 'loongarch64-linux-gnu',
  mips64el: 'mips64el-linux-gnuabi64',
  ppc64el: 'powerpc64le-linux-gnu',
}

export function multiarchTriplet(architecture: string): string {
  return triplets[architecture] ?? `${architecture}-linux-gnu`
}

/**
 * The directories that Debian's loader has built in, in their order, for a usr-merged target. There is no
 * ld.so.cache on a target: nothing runs ldconfig, and its own directories suffice.
 */
export function defaultLibraryFolders(architecture: string): readonly string[] {
  return [`/usr/lib/${multiarchTriplet(architecture)}`, '/usr/lib']
}

/**
 * Directories of an rpath or runpath, `$ORIGIN`, `$LIB` and `$PLATFORM` put in. Empty items (the current folder)
 * and relative ones mean nothing to a target and are left out.
 */
export function expandFolders(
  items: readonly string[],
  origin: string,
  architecture: string,
): readonly string[] {
  return items
    .map((item) =>
      item
        .replace(/\$(ORIGIN|\{ORIGIN\})/g, () => origin)
        .replace(/\$(LIB|\{LIB\})/g, () => `lib/${multiarchTriplet(architecture)}`),
    )
    .filter((item) => item.startsWith('/') && !item.includes('$'))
}
