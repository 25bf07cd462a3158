/** The `.modinfo` of many modules in one: a line of JSON with names and sizes, and after it all of them. */
export function packModinfos(all: ReadonlyMap<string, Uint8Array>): Buffer {
  const sizes = [...all].map(([name, { length }]) => [name, length] as const)
  return Buffer.concat([Buffer.from(`${JSON.stringify(sizes)}\n`), ...all.values()])
}

/** Parts of what {@link packModinfos} made. */
export function unpackModinfos(packed: Buffer): ReadonlyMap<string, Uint8Array> {
  const start = packed.indexOf('\n') + 1
  const sizes = JSON.parse(packed.toString('utf8', 0, start)) as readonly (readonly [string, number])[]
  const all = new Map<string, Uint8Array>()
  let at = start
  for (const [name, size] of sizes) {
    all.set(name, packed.subarray(at, at + size))
    at += size
  }
  return all
}
