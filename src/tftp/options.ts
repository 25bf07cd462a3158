/**
 * What client and server agree on: block size (RFC 2348), timeout and file size (RFC 2349), window size (RFC 7440).
 * An option that is not known, or has a value that cannot be, is left out of the answer, as RFC 2347 wants it: then
 * it does not count.
 */

export interface Terms {
  readonly blockBytes: number
  /** Blocks sent before an acknowledgement is waited for. */
  readonly windowBlocks: number
  /** Longest wait before sending again. */
  readonly timeoutMs: number
  /** The options of the answer; empty when there is nothing to answer. */
  readonly accepted: ReadonlyMap<string, string>
}

const DEFAULT_BLOCK_BYTES = 512
const DEFAULT_TIMEOUT_MS = 1000

/** A whole number within bounds, in plain decimal digits. */
function number(text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value >= least && value <= most ? value : undefined
}

/**
 * The terms for a file of this size. `maxWindowBytes` bounds what one transfer keeps in memory: a larger window is
 * answered with a smaller one, which RFC 7440 leaves to the server.
 */
export function negotiate(
  options: ReadonlyMap<string, string>,
  fileSizeBytes: number,
  maxWindowBytes: number,
): Terms {
  const accepted = new Map<string, string>()
  const blockBytes = number(options.get('blksize'), 8, 65464)
  if (blockBytes !== undefined) accepted.set('blksize', String(blockBytes))
  const timeoutSeconds = number(options.get('timeout'), 1, 255)
  if (timeoutSeconds !== undefined) accepted.set('timeout', String(timeoutSeconds))
  if (number(options.get('tsize'), 0, Number.MAX_SAFE_INTEGER) !== undefined) {
    accepted.set('tsize', String(fileSizeBytes))
  }
  const wantedBlocks = number(options.get('windowsize'), 1, 65535)
  const mostBlocks = Math.max(1, Math.floor(maxWindowBytes / (blockBytes ?? DEFAULT_BLOCK_BYTES)))
  const windowBlocks = wantedBlocks === undefined ? 1 : Math.min(wantedBlocks, mostBlocks)
  if (wantedBlocks !== undefined) accepted.set('windowsize', String(windowBlocks))
  return {
    blockBytes: blockBytes ?? DEFAULT_BLOCK_BYTES,
    windowBlocks,
    timeoutMs: timeoutSeconds === undefined ? DEFAULT_TIMEOUT_MS : timeoutSeconds * 1000,
    accepted,
  }
}
