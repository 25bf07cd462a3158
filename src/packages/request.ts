import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'

/** A package somebody asked for by name. */
export interface RequestedPackage {
  readonly name: string
  readonly origins: readonly Origin[]
}

/**
 * What a system wants from Debian. Names may be given several times (by several features); order does not matter.
 */
export interface PackageRequest {
  /** Code name of the release, for example `bookworm`. It is the system's choice, not the host's. */
  readonly release: string
  /** Debian's name of the target's architecture, for example `arm64`. */
  readonly architecture: string
  /** Packages wanted with everything they depend on, as apt's solver finds it. */
  readonly install: readonly RequestedPackage[]
  /**
   * Packages wanted alone, without what they depend on: a kernel image's dependencies are for installing it on a
   * Debian system. A kernel *metapackage* (`linux-image-arm64`) stands for the versioned package it names.
   */
  readonly only: readonly RequestedPackage[]
}

/** The names of a request, sorted, each once: what a lock remembers of it. */
export interface RequestNames {
  readonly install: readonly string[]
  readonly only: readonly string[]
}

export function requestNames(request: PackageRequest): RequestNames {
  const sorted = (packages: readonly RequestedPackage[]) =>
    [...new Set(packages.map((requested) => requested.name))].sort()
  return { install: sorted(request.install), only: sorted(request.only) }
}

/** Who asked for the package of this name, everywhere in the request. */
export function originsOf(request: PackageRequest, name: string): readonly Origin[] {
  return [...request.install, ...request.only]
    .filter((requested) => requested.name === name)
    .flatMap((requested) => requested.origins)
}

/**
 * Refuses a request whose words could not be names (Debian policy, sections 5.6.1 and 5.6.8): they end up on apt's
 * command line and in paths.
 *
 * @throws UserError
 */
export function checkRequest(request: PackageRequest): void {
  const problems: Diagnostic[] = []
  if (!/^[a-z][a-z0-9.-]*$/.test(request.release)) {
    problems.push({ what: `${JSON.stringify(request.release)} is not the name of a Debian release` })
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(request.architecture)) {
    problems.push({
      what: `${JSON.stringify(request.architecture)} is not the name of a Debian architecture`,
    })
  }
  for (const requested of [...request.install, ...request.only]) {
    if (/^[a-z0-9][a-z0-9+.-]+$/.test(requested.name) && !requested.name.endsWith('-')) continue
    problems.push({
      what: `${JSON.stringify(requested.name)} is not the name of a Debian package`,
      where: requested.origins,
      why: 'a name has lower-case letters, digits, and + - . after the first character',
    })
  }
  if (problems.length > 0) throw new UserError(...problems)
}
