import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { firmwright, folderWith, kernelPackage, warmLock } from './firmwright.ts'

function fleet(setupOfSecond: string): string {
  return [
    "import { debianKernel, defineSystem } from 'firmwright'",
    "import { qemuAarch64 } from 'firmwright/devices'",
    `const kernel = debianKernel({ package: '${kernelPackage}' })`,
    'export default [',
    "  defineSystem({ device: qemuAarch64, hostname: 'one', kernel, setup() {} }),",
    `  defineSystem({ device: qemuAarch64, hostname: 'two', kernel, setup(system) { ${setupOfSecond} } }),`,
    ']',
    '',
  ].join('\n')
}

interface Lock {
  readonly sets: { name: string; request: { install: string[]; only: string[] } }[]
}

describe('a file with several systems', () => {
  it('pins the packages of all once where they ask for the same, else those of each', async () => {
    const lock = JSON.parse(await warmLock()) as Lock
    const folder = folderWith({ 'system.ts': fleet(''), 'firmwright.lock': JSON.stringify(lock) })
    const build = () =>
      firmwright(['build', 'system.ts', 'rootfs', '--offline', '-o', 'out'], { cwd: folder })
    const same = await build()
    expect(same.stderr).not.toContain('error')
    expect(same.exitCode).toBe(0)
    for (const name of ['one', 'two']) {
      const manifest = readFileSync(join(folder, 'out', name, 'rootfs/manifest.json'), 'utf8')
      expect(JSON.parse(manifest).system.hostname).toBe(name)
    }

    writeFileSync(join(folder, 'system.ts'), fleet("system.packages.file('nftables', '/usr/sbin/nft')"))
    const different = await build()
    expect(different.exitCode).toBe(1)
    expect(different.stderr).toContain(
      'has no pins for the packages of this system, and the build is offline',
    )
    const [set] = lock.sets
    const sets = ['one', 'two'].map((name) => ({ ...set, name: `system/${name}` }))
    writeFileSync(join(folder, 'firmwright.lock'), JSON.stringify({ ...lock, sets }))
    expect(await build()).toMatchObject({ exitCode: 0 })
  })
})
