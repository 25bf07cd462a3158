/**
 * Debian's binary packages as sources of files.
 *
 * A system asks for packages ({@link PackageRequest}); {@link openPackages} finds out which versions, fetches them and
 * lets others refer to their files. Nothing is installed: no maintainer script runs, nothing is unpacked.
 *
 * 1. *Resolve.* `firmwright.lock` says which package versions answer the request, each with its SHA-256. Only when it
 *    does not is apt asked, in a private root of its own, with indexes that Debian's archive keyring must have signed.
 * 2. *Fetch.* apt downloads what the store does not have; what is in the store is addressed by the pinned SHA-256.
 * 3. *Open.* A package's `data.tar` lies in the store as one file, and a file of the package is a range of it.
 * 4. *Closure.* From the files that features refer to, to all that those need to run: links, libraries, loader,
 *    interpreters, data. Only these go into an image.
 *
 * `firmwright update` is {@link updatePackages}: the same request, resolved afresh.
 */

export { busyboxApplets, requireApplets } from './applets.ts'
export type { PackageContent, PackageFile } from './content.ts'
export { multiarchTriplet } from './libraries.ts'
export type { LockedSet, PinnedPackage } from './lock.ts'
export {
  type Closure,
  type Expectation,
  type FileReference,
  openPackages,
  type Packages,
} from './packages.ts'
export { type PackageRequest, type RequestedPackage, requestNames } from './request.ts'
export { type PackagesContext, type PinChange, resolvePackages, updatePackages } from './resolve.ts'
export { readTar } from './tar.ts'
