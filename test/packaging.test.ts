import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { environment, firmwright, repository, systemFolder, temporaryFolder, warmLock } from './firmwright.ts'

describe('the packed package', () => {
  let folder = ''
  let paths: readonly string[] = []

  beforeAll(async () => {
    await warmLock()
    folder = temporaryFolder()
    // Our own code is compiled already; a second compiler at work would pull it away from under other tests.
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
    const { stdout } = await execa('npm', pack, { cwd: repository })
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[]
    paths = packed?.files.map(({ path }) => path) ?? []
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    // Dependencies come from npm's cache where it has them.
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed?.filename}`]
    await execa('npm', install, { cwd: folder })
  }, 600_000)

  it('has no tests, no sources and no leftovers in it', () => {
    expect(
      paths.filter((path) => /\.test\.|(^|\/)tests?\/|(^|\/)src\/|tsbuildinfo|\.lock$/.test(path)),
    ).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'dist/bin/main.js', 'package.json']),
    )
  })

  it('has every module that its package.json promises, with types', async () => {
    const installed = join(folder, 'node_modules/firmwright')
    const { exports, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Readonly<Record<string, string>>
      bin: Readonly<Record<string, string>>
    }
    for (const target of Object.values(bin)) expect(existsSync(join(installed, target)), target).toBe(true)
    for (const target of Object.values(exports)) {
      expect(existsSync(join(installed, target)), target).toBe(true)
      expect(existsSync(join(installed, target.replace(/\.js$/, '.d.ts'))), target).toBe(true)
    }
    const names = Object.keys(exports).map((name) => name.replace(/^\./, 'firmwright'))
    const script = names.map((name) => `await import(${JSON.stringify(name)})`).join('\n')
    await execa(process.execPath, ['--input-type=module', '-e', script], { cwd: folder })
  })

  it('runs from another folder, and builds there what the sources build', async () => {
    const help = await execa('npx', ['--no-install', 'firmwright', '--help'], { cwd: folder })
    expect(help.stdout).toContain('Turns one TypeScript file')
    const elsewhere = await systemFolder()
    const bin = join(folder, 'node_modules/.bin/firmwright')
    await execa(bin, ['build', 'system.ts', 'rootfs', '--offline', '-o', 'a'], {
      cwd: elsewhere,
      env: environment,
    })
    await firmwright(['build', 'system.ts', 'rootfs', '--offline', '-o', 'b'], { cwd: elsewhere })
    for (const name of ['rootfs.squashfs', 'manifest.json']) {
      const [a, b] = ['a', 'b'].map((out) => readFileSync(join(elsewhere, out, 'rootfs', name)))
      expect(a !== undefined && b?.equals(a)).toBe(true)
    }
  })

  it('tells an editor what a system file may say', async () => {
    const tsc = join(repository, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023']
    const check = (file: string) =>
      execa(process.execPath, [tsc, ...options, file], { cwd: folder, reject: false })
    const example = readFileSync(join(repository, 'examples/router/system.ts'), 'utf8')
    writeFileSync(join(folder, 'right.ts'), example)
    writeFileSync(join(folder, 'wrong.ts'), example.replace("name: 'eth0'", "nam: 'eth0'"))
    const right = await check('right.ts')
    expect(right.stdout).toBe('')
    const wrong = await check('wrong.ts')
    expect(wrong.stdout).toContain("'nam' does not exist")
  })
})
