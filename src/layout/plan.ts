/** Finds addresses for the regions of a request, or says why there are none. */
import { explain } from './explain.ts'
import {
  hex,
  type Layout,
  type LayoutRequest,
  MAX_MOVABLE,
  type MovableRegion,
  type PlacedRegion,
} from './region.ts'
import type { LayoutError, Result } from './result.ts'
import { arrange, joinSpans, piecesOf, roundedSize, settle } from './search.ts'

/** Addresses for all movable regions, or the shortest reason why there are none. */
export function planLayout(request: LayoutRequest): Result<Layout, LayoutError> {
  const bad = findMistake(request) ?? findCollision(request)
  if (bad !== undefined) return { ok: false, error: bad }
  const pieces = piecesOf(request)
  const found = arrange(pieces)
  if (found === undefined) return { ok: false, error: explain(request) }
  const addresses = settle(pieces, found)
  const placed: PlacedRegion[] = request.fixed.map(({ name, address, sizeBytes, reserved }) => {
    return { name, address, sizeBytes, reserved: reserved === true }
  })
  for (const [index, region] of request.movable.entries()) {
    const address = addresses[index] ?? 0
    placed.push({ name: region.name, address, sizeBytes: roundedSize(region), reserved: false })
  }
  placed.sort((a, b) => a.address - b.address)
  return { ok: true, value: { regions: placed } }
}

function isCount(number: number | undefined, least: number): boolean {
  return number === undefined || (Number.isSafeInteger(number) && number >= least)
}

function findMistake(request: LayoutRequest): LayoutError | undefined {
  const mistake = (message: string): LayoutError => ({ type: 'bad-request', message })
  if (request.movable.length > MAX_MOVABLE) return mistake(`more than ${MAX_MOVABLE} regions to place`)
  for (const { start, end } of request.memory) {
    if (!isCount(start, 0) || !isCount(end, start)) return mistake(`${start} to ${end} is no range of memory`)
  }
  const fixedNames = new Set(request.fixed.map(({ name }) => name))
  for (const { name, address, sizeBytes, alignBytes } of request.fixed) {
    if (
      !isCount(address, 0) ||
      !isCount(sizeBytes, 0) ||
      !isCount(address + sizeBytes, 0) ||
      !isCount(alignBytes, 1)
    ) {
      return mistake(`"${name}" is at ${address} and has ${sizeBytes} bytes: not a region`)
    }
  }
  const names = new Set<string>()
  for (const region of request.movable) {
    if (names.has(region.name) || fixedNames.has(region.name))
      return mistake(`two regions are called "${region.name}"`)
    names.add(region.name)
  }
  for (const region of request.movable) {
    const right =
      isCount(region.sizeBytes, 1) &&
      isCount(region.sizeUnitBytes, 1) &&
      isCount(region.alignBytes, 1) &&
      isCount(region.alignOffsetBytes, 0) &&
      isCount(roundedSize(region), 1) &&
      (region.awayFrom ?? []).every(({ distanceBytes }) => isCount(distanceBytes, 0)) &&
      (region.within ?? []).every(({ start, end }) => isCount(start, 0) && isCount(end, start))
    if (!right) return mistake(`the size, alignment or bounds of "${region.name}" are not counts of bytes`)
    const others = [
      ...(region.after ?? []),
      ...(region.before ?? []),
      ...(region.awayFrom ?? []).map((d) => d.name),
    ]
    const unknown = others.find((name) => !names.has(name) && !fixedNames.has(name))
    if (unknown !== undefined)
      return mistake(`"${region.name}" refers to "${unknown}", which is not a region`)
  }
  const circle = findCircle(request)
  return circle === undefined ? undefined : mistake(`the order goes in a circle: ${circle.join(' after ')}`)
}

function findCircle(request: LayoutRequest): readonly string[] | undefined {
  const below = new Map(request.movable.map((region) => [region.name, [...(region.after ?? [])]]))
  for (const region of request.movable)
    for (const name of region.before ?? []) below.get(name)?.push(region.name)
  const finished = new Set<string>()
  const visit = (name: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name]
    if (finished.has(name)) return undefined
    for (const next of below.get(name) ?? []) {
      const found = visit(next, [...way, name])
      if (found !== undefined) return found
    }
    finished.add(name)
    return undefined
  }
  for (const { name } of request.movable) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

/** Trouble between regions that the planner cannot move. */
function findCollision(request: LayoutRequest): LayoutError | undefined {
  const banks = joinSpans(request.memory)
  for (const region of request.fixed) {
    if (region.reserved === true || region.sizeBytes === 0) continue
    const end = region.address + region.sizeBytes
    if (banks.some((bank) => region.address >= bank.start && end <= bank.end)) continue
    const shown = banks.map((bank) => `${hex(bank.start)} to ${hex(bank.end)}`).join(', ')
    const message = `${region.name} (${hex(region.address)} to ${hex(end)}) is not inside the memory (${shown})`
    return { type: 'outside-memory', region: region.name, message }
  }
  for (const [index, a] of request.fixed.entries()) {
    for (const b of request.fixed.slice(index + 1)) {
      if (a.reserved === true && b.reserved === true) continue
      const overlapBytes =
        Math.min(a.address + a.sizeBytes, b.address + b.sizeBytes) - Math.max(a.address, b.address)
      if (overlapBytes <= 0) continue
      // What is reserved stays; otherwise the later one in the request is the one to move.
      const [stays, moves] = b.reserved === true ? [b, a] : [a, b]
      return explainOverlap(request, stays.name, moves.name, overlapBytes)
    }
  }
  return undefined
}

function explainOverlap(
  request: LayoutRequest,
  stays: string,
  moves: string,
  overlapBytes: number,
): LayoutError {
  const find = (name: string) => request.fixed.find((region) => region.name === name)
  const [a, b] = [find(stays), find(moves)]
  const others = request.fixed.filter((region) => region !== b)
  const free: MovableRegion = {
    name: moves,
    sizeBytes: Math.max(1, b?.sizeBytes ?? 1),
    alignBytes: b?.alignBytes ?? 1,
    after: [stays],
  }
  const reserved = others.map((region) => ({ ...region, reserved: true }))
  const suggestedAddress = arrange(
    piecesOf({ memory: request.memory, fixed: reserved, movable: [free] }),
  )?.[0]
  const range = a === undefined ? '' : ` (${hex(a.address)}+${hex(a.sizeBytes)})`
  const advice =
    suggestedAddress === undefined
      ? `there is no room for ${moves} above it`
      : `put ${moves} at ${hex(suggestedAddress)} or above`
  const message = `${stays}${range} covers ${hex(overlapBytes)} bytes of ${moves} (at ${hex(b?.address ?? 0)}); ${advice}`
  return { type: 'overlap', regions: [stays, moves], overlapBytes, suggestedAddress, message }
}
