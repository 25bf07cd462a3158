/**
 * The numbers that the C library's `rand()` gives after `srand(seed)`: an additive feedback generator over 31 words
 * (TYPE_3 of random(3)). randconfig is only repeatable across tools with the very same numbers.
 */
export function createRandom(seed: number): () => number {
  const words = new Int32Array(34)
  words[0] = seed >>> 0 === 0 ? 1 : seed | 0
  for (let i = 1; i < 31; i++) {
    const previous = words[i - 1] ?? 0
    // 16807 * previous mod (2^31 - 1) without leaving 32 bits (Schrage's method)
    const high = Math.trunc(previous / 127773)
    const low = previous % 127773
    let word = 16807 * low - 2836 * high
    if (word < 0) word += 2147483647
    words[i] = word
  }
  const state = words.slice(0, 31)
  let front = 3
  let rear = 0
  const step = (): number => {
    const sum = ((state[front] ?? 0) + (state[rear] ?? 0)) | 0
    state[front] = sum
    front = (front + 1) % 31
    rear = (rear + 1) % 31
    return sum >>> 1
  }
  for (let i = 0; i < 310; i++) step()
  return step
}
