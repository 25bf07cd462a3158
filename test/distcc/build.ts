/** `build.ts FOLDER HOSTS`: builds the kernel in miniature with these machines, in a store of FOLDER's, and says what came of it. */
import { join } from 'node:path'
import { openEngine } from '../../src/engine/index.ts'
import { buildLinux } from '../../src/kernel/build-linux.ts'
import { linuxSource } from '../../src/kernel/index.ts'
import { treeArchive } from '../../src/kernel/test/tree.ts'
import type { Packages } from '../../src/packages/index.ts'

export interface Built {
  /** SHA-256 of all that was built */
  readonly archive: string
  readonly warnings: readonly string[]
}

const [folder = '', hosts = ''] = process.argv.slice(2)
const warnings: string[] = []
const engine = await openEngine({
  storeFolder: join(folder, 'store'),
  ...(hosts === '' ? {} : { distcc: hosts }),
  onEvent(event) {
    if (event.type === 'step-warning') warnings.push(event.text)
  },
})
try {
  const { tarball, sha256 } = treeArchive(folder)
  const wanted = { origins: [{ feature: 'test' }] }
  const { image } = await buildLinux(engine, {} as Packages, {
    source: linuxSource({ tarball, sha256 }),
    architecture: 'amd64',
    deviceSymbols: [],
    folder,
    demands: {
      symbols: [{ symbol: 'CLOCK', accepted: ['y'], ...wanted }],
      modules: [{ name: 'tun', ...wanted }],
      conditional: [],
    },
  })
  const archive = image.type === 'slice' ? image.artifact.digest.sha256 : ''
  process.stdout.write(`${JSON.stringify({ archive, warnings } satisfies Built)}\n`)
} finally {
  await engine.close()
}
