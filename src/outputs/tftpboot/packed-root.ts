import type { PackedTransfer } from '../../boot/index.ts'
import { UserError } from '../../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'
import type { AssembledSystem } from '../../system/index.ts'
import type { KernelFormat } from '../../uboot/index.ts'
import { compress } from './compress.ts'
import { INITRAMFS_FILE, ROOT_FILE } from './root-parts.ts'

export interface PackedRoot {
  readonly name: string
  readonly file: FileArtifact
  readonly transfer: PackedTransfer
}

/** What carries the root, in the shorter form that the system asks for. */
export async function packRoot(
  engine: Engine,
  system: AssembledSystem,
  format: KernelFormat,
  root: FileArtifact | undefined,
  initramfs: FileArtifact | undefined,
): Promise<PackedRoot | undefined> {
  const { boot, origin } = system.definition
  const method = boot?.compressRoot
  const carrier = root ?? initramfs
  if (method === undefined || carrier === undefined) return undefined
  if (root === undefined && format === 'fit') {
    throw new UserError({
      what: 'the root cannot be compressed for the transfer',
      where: [origin],
      why: 'it is in the initramfs, which is part of the FIT',
      fix: 'choose another format (boot: { format }), or leave out boot: { compressRoot }',
    })
  }
  const file = await compress(engine, 'the root for the transfer', carrier, method)
  const plain = root === undefined ? INITRAMFS_FILE : ROOT_FILE
  return {
    name: `${plain}.${method === 'gzip' ? 'gz' : 'lzma'}`,
    file,
    transfer: {
      of: root === undefined ? 'initramfs' : 'root',
      method,
      fileBytes: file.digest.sizeBytes,
    },
  }
}
