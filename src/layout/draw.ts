/** A memory map for people: as a table of text, and as a drawing. */
import { hex, type Layout, type PlacedRegion } from './region.ts'

/** `12.5 MiB`: in the largest unit that leaves a whole or short number. */
export function showSize(sizeBytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let size = sizeBytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${Number.isInteger(size) ? size : size.toFixed(1)} ${units[unit]}`
}

/** Lines of start, end (the last byte), size and name, in the order of addresses; ends with a newline. */
export function drawTable(layout: Layout): string {
  const rows = layout.regions.map((region) => [
    hex(region.address),
    region.sizeBytes === 0 ? '' : hex(region.address + region.sizeBytes - 1),
    hex(region.sizeBytes),
    showSize(region.sizeBytes),
    region.reserved ? `${region.name} (reserved)` : region.name,
  ])
  const table = [['start', 'last byte', 'size', '', 'region'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => {
    return row.map((cell, column) => (column < 4 ? cell.padStart(widths[column] ?? 0) : cell)).join('  ')
  })
  return `${lines.join('\n')}\n`
}

const WIDTH = 640
const BAR_LEFT = 130
const BAR_WIDTH = 320
const ROW_HEIGHT = 34
const GAP_HEIGHT = 16

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/**
 * A drawing with the lowest address at the bottom, as data sheets have it. Heights are not to scale, or nothing but
 * the largest region could be seen; free space between two regions is a narrow row. The same layout gives the same
 * text.
 */
export function drawSvg(layout: Layout, title = 'Memory map'): string {
  const regions = [...layout.regions].filter((region) => region.sizeBytes > 0)
  const rows: {
    readonly region: PlacedRegion | undefined
    readonly address: number
    readonly sizeBytes: number
  }[] = []
  let end: number | undefined
  for (const region of regions) {
    if (end !== undefined && region.address > end) {
      rows.push({ region: undefined, address: end, sizeBytes: region.address - end })
    }
    rows.push({ region, address: region.address, sizeBytes: region.sizeBytes })
    end = Math.max(end ?? 0, region.address + region.sizeBytes)
  }
  const height = 60 + rows.reduce((sum, row) => sum + (row.region === undefined ? GAP_HEIGHT : ROW_HEIGHT), 0)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="24" font-size="15" font-weight="bold">${escapeXml(title)}</text>`,
  ]
  let y = height - 12
  for (const { region, address, sizeBytes } of rows) {
    const rowHeight = region === undefined ? GAP_HEIGHT : ROW_HEIGHT
    y -= rowHeight
    const fill = region === undefined ? '#ffffff' : region.reserved ? '#d8d8d8' : '#bfdcf5'
    const name = region === undefined ? 'free' : region.reserved ? `${region.name} (reserved)` : region.name
    const middle = y + rowHeight / 2 + 4
    const colour = region === undefined ? '#767676' : '#000000'
    parts.push(
      `<rect x="${BAR_LEFT}" y="${y}" width="${BAR_WIDTH}" height="${rowHeight}" fill="${fill}" stroke="#555555"/>`,
      `<text x="${BAR_LEFT + BAR_WIDTH / 2}" y="${middle}" text-anchor="middle" fill="${colour}">${escapeXml(name)}</text>`,
      `<text x="${BAR_LEFT - 8}" y="${y + rowHeight}" text-anchor="end" font-family="monospace">${hex(address)}</text>`,
      `<text x="${BAR_LEFT + BAR_WIDTH + 12}" y="${middle}" fill="${colour}">${showSize(sizeBytes)}</text>`,
    )
  }
  if (end !== undefined) {
    parts.push(
      `<text x="${BAR_LEFT - 8}" y="${y + 4}" text-anchor="end" font-family="monospace">${hex(end)}</text>`,
    )
  }
  return `${parts.join('\n')}\n</svg>\n`
}
