import { formatOrigin, type Origin } from '../diagnostics/index.ts'

/**
 * Names for those who ask, without the places in the user's files, so that a configuration is not worked out anew when
 * those move.
 */
export interface Askers {
  name(origins: readonly Origin[]): string
  /** A text with the places in it, and whose they are. */
  reveal(text: string): { readonly text: string; readonly origins: readonly Origin[] }
}

export function createAskers(): Askers {
  const known: (readonly Origin[])[] = []
  return {
    name: (origins) => `asked for by <${known.push(origins) - 1}>`,
    reveal(text) {
      const origins: Origin[] = []
      const revealed = text.replaceAll(/<(\d+)>/g, (_, index: string) => {
        const named = known[Number(index)] ?? []
        origins.push(...named)
        return named.map((origin) => formatOrigin(origin)).join(' and ')
      })
      return { text: revealed, origins }
    },
  }
}
