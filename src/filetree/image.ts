import type { Node } from './tree.ts'
import { type FileTree, sortedEntries } from './tree.ts'

/**
 * What a writer is given: the names of a tree in order, hard links last, without who asked for them, so that two systems whose
 * images have the same bytes are the same piece of work.
 */
export type ImageEntries = readonly (readonly [path: string, node: Node])[]

export function imageEntries(tree: FileTree): ImageEntries {
  const entries = sortedEntries(tree).map(
    ([path, { origins, neededBy, package: from, ...node }]): readonly [string, Node] => [path, node],
  )
  // A tar archive can only link to what it has already named.
  const isLink = ([, node]: readonly [string, Node]): boolean => node.type === 'hardlink'
  return [...entries.filter((entry) => !isLink(entry)), ...entries.filter(isLink)]
}

/**
 * Modification time of everything in an image, and the earliest time a device without a clock can believe:
 * 2024-01-01T00:00:00Z. One constant, so that the same inputs give the same bytes on any day.
 */
export const imageTimeSeconds = 1_704_067_200
