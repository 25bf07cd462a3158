/** Numbers from 0 to 1, not included, from a seed: the same ones everywhere and in every run (mulberry32, public domain). */
export function seededFractions(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}

/** Whole numbers below what each call asks for. */
export type Random = (below: number) => number

/** The same from a seed. */
export function seededRandom(seed: number): Random {
  const fraction = seededFractions(seed)
  return (below) => Math.floor(fraction() * below)
}
