/**
 * What building a kernel costs: a clean build against plain make on the same tree with the same configuration, a build
 * after one driver more, and one with nothing changed. Linux 6.1 for arm64, as small as our kernels are. Wall clock, one
 * run each, since one takes minutes; prints ratios and asserts nothing.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { qemuAarch64 } from '../src/devices/index.ts'
import { openEngine } from '../src/engine/index.ts'
import { readContent } from '../src/filetree/index.ts'
import { buildLinux, linuxSource } from '../src/kernel/index.ts'
import type { Packages } from '../src/packages/index.ts'
import { unpackedPackage } from '../test/material.ts'

const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const packaged = await unpackedPackage({
  release: 'bookworm',
  architecture: 'amd64',
  package: 'linux-source-6.1',
})
const tarball = join(packaged, 'usr/src/linux-source-6.1.tar.xz')
const sha256 = createHash('sha256').update(readFileSync(tarball)).digest('hex')
const origin = { feature: 'bench' }

/** Seconds, and the configuration that it was built with. */
async function ours(modules: readonly string[]) {
  const begun = performance.now()
  const engine = await openEngine({ storeFolder: join(folder, 'store') })
  try {
    const kernel = await buildLinux(engine, {} as Packages, {
      source: linuxSource({ tarball, sha256 }),
      architecture: 'arm64',
      deviceSymbols: qemuAarch64.kernelSymbols,
      folder,
      demands: {
        symbols: [],
        modules: modules.map((name) => ({ name, origins: [origin] })),
        conditional: [],
      },
    })
    const seconds = (performance.now() - begun) / 1000
    return { seconds, config: await readContent(engine, kernel.configFile) }
  } finally {
    await engine.close()
  }
}

function plainMake(config: Uint8Array): number {
  const tree = join(folder, 'linux')
  const objects = join(tree, 'objects')
  mkdirSync(objects, { recursive: true })
  execFileSync('tar', ['-xf', tarball, '-C', tree, '--strip-components=1'])
  writeFileSync(join(objects, '.config'), config)
  const variables = ['ARCH=arm64', 'CROSS_COMPILE=aarch64-linux-gnu-', 'PAHOLE=no-pahole']
  const goals = ['O=objects', `-j${availableParallelism()}`, 'Image', 'modules', 'dtbs']
  const begun = performance.now()
  execFileSync('make', [...goals, ...variables], { cwd: tree, stdio: 'ignore' })
  return (performance.now() - begun) / 1000
}

const row = (what: string, seconds: number, than?: number): void => {
  const ratio = than === undefined ? '' : `  ${(seconds / than).toFixed(2)} × a clean build`
  process.stdout.write(`  ${what.padEnd(28)} ${seconds.toFixed(1).padStart(8)} s${ratio}\n`)
}

try {
  const wanted = ['virtio_blk', 'virtio_pci', 'virtio_net', 'squashfs', 'nft_masq']
  const clean = await ours(wanted)
  row('clean', clean.seconds)
  row('one driver more', (await ours([...wanted, 'tun'])).seconds, clean.seconds)
  row('nothing changed', (await ours([...wanted, 'tun'])).seconds)
  const plain = plainMake(clean.config)
  row('plain make', plain)
  process.stdout.write(`  overhead over plain make: ${((clean.seconds / plain - 1) * 100).toFixed(1)} %\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
