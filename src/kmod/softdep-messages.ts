import type { Softdep } from './modinfo.ts'

/** For names of a softdep of module `of` that are before any `pre:` or `post:`. */
export const bareSoftdep = (of: string, { line, bare }: Softdep): string =>
  `softdep of ${of} (${line}): ${bare.join(', ')} without pre: or post:, loaded before it; modprobe ignores that`

/** For a name of a softdep of module `of` that is no module of this kernel and no alias. */
export const unansweredSoftdep = (of: string, { line }: Softdep, wanted: string): string =>
  `softdep of ${of} (${line}): nothing in this kernel is or answers to ${wanted}`
