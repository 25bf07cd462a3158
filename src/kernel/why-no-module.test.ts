import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { UserError } from '../diagnostics/index.ts'
import { type Engine, openEngine } from '../engine/index.ts'
import type { Packages } from '../packages/index.ts'
import { treeArchive } from './test/tree.ts'
import { explainedBySource } from './why-no-module.ts'

const folder = mkdtempSync(join(tmpdir(), 'firmwright-why-'))
let engine: Engine
beforeAll(async () => {
  engine = await openEngine({ storeFolder: join(folder, 'store') })
})
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

/** What a source package says of a kernel with this .config. */
async function explainer(config: string) {
  const { tarball } = treeArchive(folder, {
    'drivers/net/tun.c': 'MODULE_ALIAS_NETPROTO(PF_PACKET);\nMODULE_ALIAS("char-major-10-200");\n',
  })
  const data = await engine.import(tarball)
  if (data.kind !== 'file') throw new Error('the archive is a folder')
  const path = '/usr/src/linux-source-6.1.tar.xz'
  const file = { type: 'file', path, offsetBytes: 0, sizeBytes: data.digest.sizeBytes }
  const packages = {
    content: async () => ({
      package: { name: 'linux-source-6.1', version: '6.1.12-1' },
      data,
      files: new Map([[path, file]]),
    }),
  } as unknown as Packages
  const kernel = { name: 'linux-image-test 6.1.12-1', configFile: { type: 'text', text: config } } as const
  const source = { package: 'linux-source-6.1', origin: { file: '/system.ts', line: 3 } }
  return explainedBySource(engine, packages, kernel, source)
}

const head = (version: string): string => `#\n# Linux/x86 ${version} Kernel Configuration\n#\n`

it('a module that a kernel was built without is explained by its symbols, under its name and its aliases', async () => {
  const why = await explainer(`${head('6.1.12')}CONFIG_NETDEVICES=y\n# CONFIG_TUN is not set\n`)
  const said =
    'linux-source-6.1 6.1.12-1: the source has it as drivers/net/tun.ko, which takes NETDEVICES=y && TUN=m; this kernel has NETDEVICES=y, TUN=n'
  expect(await why('tun')).toBe(said)
  expect(await why('net-pf-17')).toBe(said)
  expect(await why('char-major-10-200')).toBe(said)
})

it('a name that the source does not have either is not explained', async () => {
  const why = await explainer(head('6.1.12'))
  expect(await why('tum')).toBeUndefined()
})

it('a source of another version is refused', async () => {
  const why = await explainer(head('6.12.3'))
  const error = await why('tun').catch((reason: unknown) => reason)
  expect(error instanceof UserError && error.diagnostics[0]).toEqual({
    what: 'linux-source-6.1 is not the source of linux-image-test 6.1.12-1',
    where: [{ file: '/system.ts', line: 3 }],
    why: 'it is of Linux 6.1, and the kernel of Linux 6.12',
    fix: 'name the package of Linux 6.12',
  })
})
