import type { Node } from './tree.ts'
import { type FileTree, sortedEntries } from './tree.ts'

/**
 * What a writer is given: the names of a tree in order, without who asked for them, so that two systems whose
 * images have the same bytes are the same piece of work.
 */
export type ImageEntries = readonly (readonly [path: string, node: Node])[]

export function imageEntries(tree: FileTree): ImageEntries {
  return sortedEntries(tree).map(([path, { origins, neededBy, package: from, ...node }]) => [path, node])
}

/**
 * Modification time of everything in an image, and the earliest time a device without a clock can believe:
 * 2024-01-01T00:00:00Z. One constant, so that the same inputs give the same bytes on any day.
 */
export const imageTimeSeconds = 1_704_067_200
