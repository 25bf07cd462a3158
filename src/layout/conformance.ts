/**
 * Judges the planner over random requests: by the independent check, and on small cases by an exhaustive search. The
 * unit tests run a fixed-seed share of what the long verification runs. Not part of the room's public face.
 */
import { type Random, seededRandom } from '../../test/seeded-random.ts'
import { checkLayout } from './check.ts'
import { planLayout } from './plan.ts'
import type { FixedRegion, LayoutRequest, MovableRegion, Span } from './region.ts'

export interface Conformance {
  readonly checked: number
  /** How many requests had no layout. */
  readonly refused: number
  /** One line for each disagreement; empty when all is well. */
  readonly failures: readonly string[]
}

function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[random(choices.length)] ?? choices[0]
}

const PAGE = 4096
const MIB = 1 << 20

/** A size that likes to be just below, at, or just above a boundary. */
function awkwardSize(random: Random, limitBytes: number): number {
  const unit = pick(random, [PAGE, PAGE, 65536, MIB, 2 * MIB])
  const sizeBytes = unit * random(Math.max(1, Math.floor(limitBytes / unit))) + pick(random, [-1, 0, 1])
  return Math.max(1, sizeBytes)
}

/** A board as they are: RAM, loader at its top, reserved memory, and root, tree and kernel to be placed. */
function randomBoard(random: Random): LayoutRequest {
  const ramStart = pick(random, [0, 0x10000000, 0x40000000, 0x80000000, 0x8_0000_0000])
  const ramBytes = pick(random, [8, 16, 64, 128, 256, 512, 2048]) * MIB
  const memory: Span[] = [{ start: ramStart, end: ramStart + ramBytes }]
  // A second bank, which may touch the first.
  if (random(4) === 0) {
    const start = ramStart + ramBytes + random(2) * 64 * MIB
    memory.push({ start, end: start + (1 + random(64)) * MIB })
  }
  const fixed: FixedRegion[] = [
    { name: 'boot loader', address: ramStart + ramBytes - 2 * MIB, sizeBytes: 2 * MIB, reserved: true },
  ]
  for (let index = random(4); index > 0; index--) {
    const address = ramStart + random(ramBytes / PAGE) * PAGE
    fixed.push({
      name: `reserved ${index}`,
      address,
      sizeBytes: awkwardSize(random, ramBytes / 4),
      reserved: true,
    })
  }
  if (random(6) === 0) {
    fixed.push({ name: 'unpacked', address: ramStart + 0x8000, sizeBytes: awkwardSize(random, ramBytes / 3) })
  }
  const movable: MovableRegion[] = [
    {
      name: 'root',
      sizeBytes: awkwardSize(random, ramBytes / 2),
      sizeUnitBytes: PAGE,
      alignBytes: pick(random, [PAGE, 65536]),
    },
    { name: 'tree', sizeBytes: awkwardSize(random, 4 * 65536), alignBytes: PAGE, after: ['root'] },
    {
      name: 'kernel',
      sizeBytes: awkwardSize(random, ramBytes / 2),
      alignBytes: pick(random, [PAGE, 2 * MIB]),
      alignOffsetBytes: pick(random, [0, 0, 0x80000]),
      after: ['tree'],
    },
  ]
  if (random(2) === 0) {
    const name = 'initramfs'
    const awayFrom = random(2) === 0 ? [{ name: 'kernel', distanceBytes: random(4) * 65536 }] : []
    movable.push({ name, sizeBytes: awkwardSize(random, ramBytes / 4), alignBytes: PAGE, awayFrom })
  }
  if (random(5) === 0) {
    const half = { start: ramStart, end: ramStart + ramBytes / 2 }
    movable.push({ name: 'script', sizeBytes: awkwardSize(random, 65536), within: [half], before: ['tree'] })
  }
  return { memory, fixed, movable }
}

/**
 * Random boards: the independent check finds nothing wrong with any layout; and where there is none, the number of
 * missing bytes is right: with that much more memory there is one, with one byte less there is not.
 */
export function verifyBoards(seed: number, boards: number): Conformance {
  const random = seededRandom(seed)
  const failures: string[] = []
  let refused = 0
  for (let index = 0; index < boards; index++) {
    const request = randomBoard(random)
    const label = `seed ${seed}, board ${index}`
    const plan = planLayout(request)
    if (plan.ok) {
      for (const violation of checkLayout(request, plan.value))
        failures.push(`${label}: ${violation.message}`)
      continue
    }
    refused++
    if (plan.error.type !== 'no-room') continue
    const { regions, missingBytes } = plan.error
    if (missingBytes === undefined || request.movable.some((region) => region.within !== undefined)) continue
    const core = {
      memory: request.memory,
      fixed: request.fixed
        .filter(({ name }) => regions.includes(name))
        .map((region) => ({ ...region, reserved: true })),
      movable: withoutOthers(request.movable, regions),
    }
    if (!fitsWith(core, missingBytes)) failures.push(`${label}: ${missingBytes} bytes more are not enough`)
    if (fitsWith(core, missingBytes - 1))
      failures.push(`${label}: fewer than ${missingBytes} bytes more are enough`)
  }
  return { checked: boards, refused, failures }
}

function fitsWith(request: LayoutRequest, moreBytes: number): boolean {
  const memory = request.memory.map(({ start, end }) => ({ start, end: end + moreBytes }))
  return planLayout({ ...request, memory }).ok
}

/** Only the regions named, in an order that what was between them still forces. */
function withoutOthers(
  movable: readonly MovableRegion[],
  names: readonly string[],
): readonly MovableRegion[] {
  const isBelow = (low: string, high: string, depth = 0): boolean => {
    if (depth > movable.length) return false
    return movable.some((region) => {
      const direct =
        region.name === high ? (region.after ?? []) : region.before?.includes(high) ? [region.name] : []
      return direct.some((name) => name === low || isBelow(low, name, depth + 1))
    })
  }
  return movable
    .filter(({ name }) => names.includes(name))
    .map(({ before: _before, ...region }) => ({
      ...region,
      after: names.filter(
        (name) => movable.some((other) => other.name === name) && isBelow(name, region.name),
      ),
      awayFrom: (region.awayFrom ?? []).filter(({ name }) => names.includes(name)),
    }))
}

/** A handful of bytes of memory with up to three regions: small enough to try every arrangement. */
function randomPuzzle(random: Random): LayoutRequest {
  const end = 4 + random(12)
  const split = random(end)
  const gap = random(2)
  const memory =
    random(2) === 0
      ? [{ start: random(3), end }]
      : [
          { start: 0, end: split },
          { start: split + gap, end },
        ]
  const fixed: FixedRegion[] = Array.from({ length: random(3) }, (_, index) => {
    return { name: `f${index}`, address: random(end), sizeBytes: random(4), reserved: true }
  })
  const count = 1 + random(3)
  const names = [
    ...fixed.map(({ name }) => name),
    ...Array.from({ length: count }, (_, index) => `m${index}`),
  ]
  const movable: MovableRegion[] = Array.from({ length: count }, (_, index) => {
    const name = `m${index}`
    const others = names.filter((other) => other !== name)
    const alignBytes = pick(random, [1, 1, 2, 4, 3])
    const other = others[random(others.length)]
    const relation = other === undefined ? 9 : random(8)
    const start = random(end)
    return {
      name,
      sizeBytes: 1 + random(4),
      sizeUnitBytes: pick(random, [1, 1, 2]),
      alignBytes,
      alignOffsetBytes: random(alignBytes),
      ...(random(4) === 0 ? { within: [{ start, end: start + 1 + random(end) }] } : {}),
      ...(relation === 0 && other !== undefined ? { after: [other] } : {}),
      ...(relation === 1 && other !== undefined ? { before: [other] } : {}),
      ...(relation <= 3 && other !== undefined
        ? { awayFrom: [{ name: other, distanceBytes: random(4) }] }
        : {}),
    }
  })
  return { memory, fixed, movable }
}

/** Tries every address for every region, and asks the independent check about each arrangement that is complete. */
function existsByTrying(request: LayoutRequest): boolean {
  const top = Math.max(0, ...request.memory.map(({ end }) => end))
  const fixed = request.fixed.map((region) => ({ ...region, reserved: region.reserved === true }))
  const attempt = (placed: readonly number[]): boolean => {
    const next = request.movable[placed.length]
    if (next === undefined) {
      const moved = request.movable.map((region, index) => ({
        name: region.name,
        address: placed[index] ?? 0,
        sizeBytes: region.sizeBytes + ((region.sizeUnitBytes ?? 1) === 2 ? region.sizeBytes % 2 : 0),
        reserved: false,
      }))
      return checkLayout(request, { regions: [...fixed, ...moved] }).length === 0
    }
    for (let address = 0; address + next.sizeBytes <= top; address++)
      if (attempt([...placed, address])) return true
    return false
  }
  return attempt([])
}

/** Small cases: there is a layout exactly when trying every arrangement finds one, and the check accepts ours. */
export function verifyPuzzles(seed: number, puzzles: number): Conformance {
  const random = seededRandom(seed)
  const failures: string[] = []
  let refused = 0
  for (let index = 0; index < puzzles; index++) {
    const request = randomPuzzle(random)
    const plan = planLayout(request)
    const label = `seed ${seed}, puzzle ${index}: ${JSON.stringify(request)}`
    if (plan.ok) {
      for (const violation of checkLayout(request, plan.value))
        failures.push(`${label}: ${violation.message}`)
    } else {
      refused++
      if (existsByTrying(request))
        failures.push(`${label}: refused (${plan.error.message}), but there is a layout`)
    }
  }
  return { checked: puzzles, refused, failures }
}
