/**
 * The target's file system as data.
 *
 * A {@link FileTree} maps absolute paths to entries; an entry says what the name is (file, directory, link,
 * device), where its bytes come from and who asked for it. Trees from packages, kernel modules, services and the
 * system file are merged (a conflict names both sides), completed with the directories they lie in, and only then
 * written in some format. The target is always usr-merged: `/bin` is a link to `usr/bin`.
 */

export type { ContentReader } from './content.ts'
export { contentDigest, readContent } from './content.ts'
export { writeCpio } from './cpio.ts'
export type { ImageEntries } from './image.ts'
export { imageEntries, imageTimeSeconds } from './image.ts'
export { buildSquashfs } from './squashfs.ts'
export type { Content, Entry, FileTree, Node, PackageIdentity } from './tree.ts'
export {
  canonicalPath,
  completeTree,
  contentSize,
  mergeTrees,
  parentPath,
  sortedEntries,
  usrMergeLinks,
} from './tree.ts'
