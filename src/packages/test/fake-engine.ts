import { createHash, randomUUID } from 'node:crypto'
import { chmod, copyFile, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Artifact, CommandRecipe, Engine, FileArtifact, FunctionRecipe } from '../engine-contract.ts'

/** As much of an engine as this room uses: a folder of blobs, results remembered in memory. */
export function fakeEngine(
  folder: string,
): Engine & { readonly messages: string[]; readonly runs: string[] } {
  const signal = new AbortController().signal
  const results = new Map<string, Promise<unknown>>()
  const messages: string[] = []
  const runs: string[] = []
  const pathOf = (artifact: FileArtifact) => join(folder, artifact.digest.sha256)
  const importFile = async (path: string): Promise<FileArtifact> => {
    const bytes = await readFile(path)
    const digest = { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
    await mkdir(folder, { recursive: true })
    const artifact = { kind: 'file' as const, digest, executable: false }
    const temporary = join(folder, randomUUID())
    await copyFile(path, temporary)
    await rename(temporary, pathOf(artifact))
    return artifact
  }
  const read = async (artifact: FileArtifact, range?: { offsetBytes: number; sizeBytes: number }) => {
    const { offsetBytes, sizeBytes } = range ?? { offsetBytes: 0, sizeBytes: artifact.digest.sizeBytes }
    const file = await open(pathOf(artifact))
    try {
      const buffer = Buffer.alloc(sizeBytes)
      const { bytesRead } = await file.read(buffer, 0, sizeBytes, offsetBytes)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }
  const once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const known = results.get(key) as Promise<T> | undefined
    const result = known ?? work()
    results.set(key, result)
    return result
  }
  const runCommand = async (recipe: CommandRecipe): Promise<Record<string, Artifact>> => {
    runs.push(recipe.name)
    const work = join(folder, `work-${randomUUID()}`)
    await mkdir(work, { recursive: true })
    for (const [name, artifact] of Object.entries(recipe.inputs)) {
      if (artifact.kind === 'file') await copyFile(pathOf(artifact), join(work, name))
    }
    await execa(recipe.argv[0], recipe.argv.slice(1), { cwd: work, env: recipe.env })
    const outputs: Record<string, Artifact> = {}
    for (const name of recipe.outputs) outputs[name] = await importFile(join(work, name))
    await rm(work, { recursive: true, force: true })
    return outputs
  }
  return {
    signal,
    messages,
    runs,
    build: (recipe) => once(JSON.stringify([recipe.argv, recipe.inputs]), () => runCommand(recipe)),
    compute: <T>(recipe: FunctionRecipe<T>) =>
      once(JSON.stringify([recipe.function, recipe.input]), () => {
        runs.push(recipe.name)
        return recipe.run({
          signal,
          read,
          put: async (content, options) => {
            const path = join(folder, randomUUID())
            await mkdir(folder, { recursive: true })
            await writeFile(path, content as Uint8Array)
            if (options?.executable) await chmod(path, 0o755)
            return importFile(path)
          },
          progress: () => undefined,
        })
      }),
    read,
    path: pathOf,
    has: async (artifact) =>
      artifact.kind === 'file' &&
      (await stat(pathOf(artifact)).then(
        () => true,
        () => false,
      )),
    import: importFile,
    step: async (name, work) => {
      runs.push(name)
      return work({
        progress: (done, total, unit) => messages.push(`progress ${done}/${total} ${unit}`),
        note: (text) => messages.push(`note: ${text}`),
        warn: (text) => messages.push(`warning: ${text}`),
      })
    },
  }
}
