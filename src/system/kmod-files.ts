import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { type Content, type Entry, type FileTree, readContent } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { decompressKmod, kmodCompression } from '../kmod/index.ts'
import type { NamedPlan } from './load-plans.ts'

/**
 * Where a module is on the target, relative to its lib/modules/RELEASE: always plain. busybox's insmod unpacks none
 * of what kernels are installed with, and a squashfs compresses the whole again, and better.
 */
export function installedPath(path: string): string {
  const compression = kmodCompression(path)
  return compression === undefined ? path : path.slice(0, -`.${compression}`.length)
}

/** The modules that plans refer to, where insmod will look for them. */
export async function kmodFiles(
  engine: Engine,
  plans: readonly NamedPlan[],
  kernel: Kernel,
): Promise<FileTree> {
  const origins = new Map<string, Set<NamedPlan['origins'][number]>>()
  for (const plan of plans) {
    for (const { path } of plan.steps) {
      origins.set(path, new Set([...(origins.get(path) ?? []), ...plan.origins]))
    }
  }
  const entries = [...origins].map(
    async ([path, askers]): Promise<readonly [string, Entry]> => [
      `/usr/lib/modules/${kernel.release}/${installedPath(path)}`,
      {
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        content: await plainContent(engine, kernel, path),
        origins: [...askers],
        ...(kernel.package === undefined ? {} : { package: kernel.package }),
      },
    ],
  )
  return new Map(await Promise.all(entries))
}

async function plainContent(engine: Engine, kernel: Kernel, path: string): Promise<Content> {
  const content = kernel.moduleContent(path)
  const compression = kmodCompression(path)
  if (compression === undefined) return content
  const artifact = await engine.compute({
    kind: 'function',
    name: `unpack ${path}`,
    function: { id: 'kmod/unpack', version: 1 },
    input: { content, compression },
    run: async (context) => {
      const plain = await decompressKmod(await readContent(context, content), compression)
      if (plain.ok) return context.put(plain.value)
      throw new UserError({
        what: `the kernel module ${path} cannot be unpacked`,
        where: [kernel.origin],
        why: plain.error.message,
        fix: `fetch ${kernel.name} again, or choose another kernel`,
      })
    },
  })
  return { type: 'artifact', artifact }
}
