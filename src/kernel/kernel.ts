import type { Origin } from '../diagnostics/index.ts'
import type { FileArtifact } from '../engine/index.ts'
import type { Content, PackageIdentity } from '../filetree/index.ts'
import type { KmodSource, Symvers } from '../kmod/index.ts'

/** A kernel that is there: what a system needs to know of it, wherever it came from. */
export interface Kernel {
  /** For messages: `linux-image-6.1.0-31-arm64 6.1.128-1`. */
  readonly name: string
  /** As `uname -r` will say it; also the name of its folder under lib/modules. */
  readonly release: string
  /** The image that a boot loader starts. */
  readonly image: Content
  /** The file `.config` that it was built with. */
  readonly configFile: Content
  /** What that says, symbol (without `CONFIG_`) to value. */
  readonly config: ReadonlyMap<string, string>
  readonly modules: KmodSource
  /** Content of a module by its path relative to lib/modules/RELEASE. */
  moduleContent(path: string): Content
  /** The device trees that come with it, by their paths as its build has them: `mediatek/mt7986a-….dtb`. */
  readonly deviceTrees?: ReadonlyMap<string, Content>
  /** The build's Module.symvers: what vmlinux exports. Without it no import can be proved. */
  readonly symvers?: { readonly content: Content; read(): Promise<Symvers> }
  /** Why it has no module of some name or alias, as far as its source tells; absent where no source is known. */
  readonly whyNoModule?: (target: string) => Promise<string | undefined>
  /** All that a build from source left, laid out as Debian's packages: vmlinux, System.map, modules, device trees, … */
  readonly archive?: FileArtifact
  /** What modules are built against elsewhere, as an archive; made when it is asked for. */
  readonly headers?: () => Promise<FileArtifact>
  readonly package?: PackageIdentity
  /** Where this kernel was chosen. */
  readonly origin: Origin
}
