import type { Engine, FileArtifact } from '../engine/index.ts'
import type { FileTree } from '../filetree/index.ts'
import type { AssembledSystem } from '../system/index.ts'

/** A deliverable of a system. One file under `outputs/` each; its doc comment is its manual page. */
export interface Output {
  /** Folder it is written to below the user's output folder, and its name on the command line. */
  readonly name: string
  /** One sentence: what it is and who would use it. */
  readonly description: string
  build(engine: Engine, system: AssembledSystem): Promise<OutputContents>
}

export interface OutputContents {
  /** Files of the output's folder by name. */
  readonly files: Readonly<Record<string, FileArtifact>>
  /** The target file systems inside it, for the manifest: image file name to tree. */
  readonly targets: Readonly<Record<string, FileTree>>
  /** More for the manifest, or in the place of what it would say of the system. */
  readonly about?: ManifestAdditions
}

export interface ManifestAdditions {
  /** The kernel's command line where this output has another than the system. */
  readonly commandLine?: string
  /** Load plans beside the system's, or in their place: name to steps. */
  readonly loadPlans?: Readonly<Record<string, readonly string[]>>
  /** How the system is started, as data. */
  readonly boot?: Readonly<Record<string, unknown>>
}
