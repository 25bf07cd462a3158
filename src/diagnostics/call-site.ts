import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Origin } from './index.ts'

/** The folder that Firmwright's own code lies in; its frames never are where a user wrote something. */
const ownFolder = dirname(dirname(fileURLToPath(import.meta.url))) + sep
const frame = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*?):(\d+):\d+\)?$/

function isOwn(file: string): boolean {
  return (file.startsWith(ownFolder) && !file.includes('.test.')) || file.includes(`${sep}node_modules${sep}`)
}

/** The place in a stack trace nearest to the throw that is the user's own source; nothing if there is none. */
export function placeInStack(stack: string): { readonly file: string; readonly line: number } | undefined {
  for (const text of stack.split('\n')) {
    const match = frame.exec(text.trim())
    if (match?.[1] === undefined || match[2] === undefined) continue
    const file = match[1].startsWith('file://') ? fileURLToPath(match[1]) : match[1]
    if (!isOwn(file)) return { file, line: Number(match[2]) }
  }
  return undefined
}

/** Where, in the user's source, the running call was written. `feature` goes into the origin as it is. */
export function callSite(feature?: string): Origin {
  const limit = Error.stackTraceLimit
  // A feature of a feature of a feature may put more than the default ten frames above the user's line.
  Error.stackTraceLimit = 50
  const place = placeInStack(new Error().stack ?? '')
  Error.stackTraceLimit = limit
  return { ...(feature === undefined ? {} : { feature }), ...place }
}
