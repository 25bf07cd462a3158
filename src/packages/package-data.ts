/**
 * Files that a package's programs open by name and cannot do without: what no header tells. One entry a package,
 * with the reason. Programs, libraries and links are found without this table; files that a program can miss
 * (documentation, translations, completions, samples) do not belong here.
 *
 * Looked at, and complete without data: busybox, dnsmasq-base (its trust anchors are for DNSSEC, which names the
 * file), dropbear-bin, nftables (the language is built in), libc6 (what it loads by name is for old encodings), openrc
 * (whose shell layer, /lib/rc/sh, targets have of their own).
 */
export interface PackageData {
  /** Who needs it: files of this package, as patterns. */
  readonly users: readonly string[]
  /** What they need, from the same package: patterns, where `*` is any name and `**` anything below. */
  readonly needs: readonly string[]
  readonly reason: string
}

export const packageData: Readonly<Record<string, readonly PackageData[]>> = {
  iproute2: [
    {
      users: ['/usr/sbin/tc'],
      needs: ['/usr/lib/*/tc/*.dist'],
      reason: "tc's netem reads its distribution tables; ip and the others have their names built in",
    },
  ],
  iptables: [
    {
      users: ['/usr/sbin/xtables-*multi'],
      needs: ['/usr/lib/*/xtables/*.so'],
      reason: 'every match and target of a rule is a plug-in that is loaded by name',
    },
  ],
}

/** Whether a canonical path is matched by a pattern of the table. */
export function matchesPattern(path: string, pattern: string): boolean {
  return patternExpression(pattern).test(path)
}

function patternExpression(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('')
  return new RegExp(`^${source}$`)
}
