import { relative } from 'node:path'
import { formatOrigin, type Origin } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import { contentDigest, type Entry, type FileTree, sortedEntries } from '../filetree/index.ts'
import { type AssembledSystem, installedPath } from '../system/index.ts'
import type { Output, OutputContents } from './output.ts'

/**
 * `manifest.json` of an output: the files of the folder, and every file on the target with its size, SHA-256, the
 * package it came from and who asked for it. Places are given relative to the system file's folder, so that the same
 * system gives the same manifest wherever it lies.
 */
export async function buildManifest(
  engine: Engine,
  output: Output,
  system: AssembledSystem,
  contents: OutputContents,
): Promise<FileArtifact> {
  const { definition, kernel } = system
  const place = (origin: Origin): string => formatOrigin(relativeOrigin(origin, system.folder), '')
  const targets = Object.entries(contents.targets).map(([image, tree]) => ({
    image,
    tree: withPlaces(tree, place),
  }))
  const head = {
    format: 1,
    output: output.name,
    system: { hostname: system.requirements.hostname.value, device: definition.device.name },
    kernel: {
      release: kernel.release,
      package: kernel.package?.name ?? null,
      version: kernel.package?.version ?? null,
    },
    commandLine: contents.about?.commandLine ?? system.commandLine,
    files: Object.entries(contents.files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { digest }]) => ({ name, sizeBytes: digest.sizeBytes, sha256: digest.sha256 })),
    ...(contents.about?.boot === undefined ? {} : { boot: contents.about.boot }),
    loadPlans: {
      ...Object.fromEntries(
        system.loadPlans.map(({ name, steps }) => [name, steps.map(({ path }) => installedPath(path))]),
      ),
      ...contents.about?.loadPlans,
    },
    lostAtPowerOff: system.lostAtPowerOff,
  }
  return engine.compute({
    kind: 'function',
    name: `list what is in ${output.name}`,
    function: { id: 'outputs/manifest', version: 1 },
    input: { head, targets },
    run: async (context) => {
      const listed: Record<string, unknown[]> = {}
      for (const { image, tree } of targets) {
        const entries: unknown[] = []
        for (const [path, entry] of tree) entries.push({ path, ...(await describe(context, entry)) })
        listed[image] = entries
      }
      return context.put(`${JSON.stringify({ ...head, target: listed }, undefined, 1)}\n`)
    },
  })
}

type PlacedEntry = Omit<Entry, 'origins'> & { readonly requestedBy: readonly string[] } & Entry

function withPlaces(
  tree: FileTree,
  place: (origin: Origin) => string,
): readonly (readonly [string, PlacedEntry])[] {
  return sortedEntries(tree).map(([path, entry]) => [
    path,
    { ...entry, origins: [], requestedBy: [...new Set(entry.origins.map(place))] },
  ])
}

async function describe(
  context: Parameters<typeof contentDigest>[0],
  entry: PlacedEntry,
): Promise<Record<string, unknown>> {
  const about = {
    ...(entry.package === undefined ? {} : { package: entry.package.name, version: entry.package.version }),
    requestedBy: entry.requestedBy,
    ...(entry.neededBy === undefined ? {} : { neededBy: entry.neededBy }),
  }
  switch (entry.type) {
    case 'file': {
      const { sizeBytes, sha256 } = await contentDigest(context, entry.content)
      return { type: 'file', ...owner(entry), sizeBytes, sha256, ...about }
    }
    case 'directory':
      return { type: 'directory', ...owner(entry), ...about }
    case 'symlink':
    case 'hardlink':
      return { type: entry.type, target: entry.target, ...about }
    case 'device': {
      const { kind, major, minor } = entry
      return { type: `${kind} device`, major, minor, ...owner(entry), ...about }
    }
  }
}

function owner({ mode, uid, gid }: { mode: number; uid: number; gid: number }): Record<string, unknown> {
  return { mode: mode.toString(8).padStart(4, '0'), uid, gid }
}

function relativeOrigin(origin: Origin, folder: string): Origin {
  return origin.file === undefined ? origin : { ...origin, file: relative(folder, origin.file) }
}
