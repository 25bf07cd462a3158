/** Trees with the configuration program that their own make builds: the judges of src/kconfig. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { linuxSource, onceIn, upstreamSource } from './material.ts'

export type TreeName = 'linux-6.1' | 'linux-6.12' | 'u-boot' | 'busybox'

export interface ConfTree {
  readonly name: TreeName
  /** top folder of the tree; for reading only */
  readonly srctree: string
  /** the program: `scripts/kconfig/conf` of that tree */
  readonly conf: string
}

export async function confTree(name: TreeName): Promise<ConfTree> {
  if (name === 'busybox') return busyboxTree()
  const srctree =
    name === 'u-boot'
      ? await upstreamSource('u-boot')
      : await linuxSource(name === 'linux-6.1' ? '6.1' : '6.12')
  const built = await onceIn(`${name}-conf`, async (folder) => {
    const work = mkdtempSync(join(tmpdir(), 'conf-'))
    try {
      await execa('make', ['-C', srctree, `O=${work}`, 'ARCH=x86', 'allnoconfig'])
      mkdirSync(folder, { recursive: true })
      copyFileSync(join(work, 'scripts/kconfig/conf'), join(folder, 'conf'))
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
  return { name, srctree, conf: join(built, 'conf') }
}

/** Busybox makes most of its Config.in files itself, before anything can be configured. */
async function busyboxTree(): Promise<ConfTree> {
  const source = await upstreamSource('busybox')
  const srctree = await onceIn('busybox-generated', async (folder) => {
    cpSync(source, folder, { recursive: true })
    await execa('make', ['-C', folder, 'allnoconfig'])
    for (const made of ['.config', '.config.old']) rmSync(join(folder, made), { force: true })
  })
  return { name: 'busybox', srctree, conf: join(srctree, 'scripts/kconfig/conf') }
}
