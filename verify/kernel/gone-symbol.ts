/** Symbols that Linux 6.1 has and 6.12 has no more, asked of 6.12: what the user is told. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { UserError } from '../../src/diagnostics/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { buildLinux } from '../../src/kernel/build-linux.ts'
import { linuxSource as kernelSource } from '../../src/kernel/index.ts'
import { openPackages } from '../../src/packages/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import { linuxSource } from '../../test/material.ts'
import type { VerifyContext } from '../verification.ts'

/** An allocator of 6.1, a switch for experts, and one that came to be always on. */
const gone = ['SLOB', 'EMBEDDED', 'MEMCG_KMEM']

export async function goneSymbols({ folder, progress }: VerifyContext) {
  const [older, newer] = [await linuxSource('6.1'), await linuxSource('6.12')]
  const has = (tree: string, symbol: string): boolean => {
    try {
      execFileSync('grep', ['-rqE', `^(menu)?config ${symbol}$`, '--include=Kconfig*', tree])
      return true
    } catch {
      return false
    }
  }
  const wrong = gone.filter((symbol) => !has(older, symbol) || has(newer, symbol))
  if (wrong.length > 0) throw new Error(`these are not gone: ${wrong.join(' ')}`)
  const engine = await openEngine({ storeFolder: join(folder, 'store') })
  const name = 'linux-source-6.12'
  const origins = [{ feature: 'verification' }]
  try {
    const packages = await openPackages(
      { engine, lockFile: join(folder, 'lock'), cacheFolder },
      { release: 'trixie', architecture: 'amd64', install: [], only: [{ name, origins }] },
    )
    const rows: string[][] = []
    for (const symbol of gone) {
      progress(symbol)
      const error = await buildLinux(engine, packages, {
        source: kernelSource({ package: name }),
        architecture: 'arm64',
        deviceSymbols: qemuAarch64.kernelSymbols,
        folder,
        demands: { symbols: [{ symbol, accepted: ['y', 'm'], origins }], modules: [], conditional: [] },
      }).catch((reason: unknown) => reason)
      const why = error instanceof UserError ? (error.diagnostics[0]?.why ?? '') : `NO UserError: ${error}`
      rows.push([symbol, why.split('\n').join('; ')])
    }
    const told = rows.filter(([symbol, why]) => why?.includes(`no entry of this tree defines ${symbol}`))
    return {
      columns: ['symbol of 6.1', 'asked of 6.12'],
      rows,
      failures: rows.length - told.length,
    }
  } finally {
    await engine.close()
  }
}
