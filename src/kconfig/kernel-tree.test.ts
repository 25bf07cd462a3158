import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConfTree, confTree, type TreeName } from '../../test/conf.ts'
import { createJudge, type Judge } from '../../test/judge.ts'
import { misreported } from '../../test/migration-judge.ts'
import type { CommandHost } from './command-host.ts'
import { readConfig, writeConfig, writeMinimalConfig } from './config-file.ts'
import { createConfiguration } from './configuration.ts'
import { freshCommand } from './fresh-command.ts'
import { createRandom } from './glibc-random.ts'
import type { Kconfig } from './model.ts'
import { answerAll, answerRandomly, parseProbability } from './modes.ts'
import { fileReader, type OpenResult, openTree } from './open-tree.ts'
import { resolve } from './resolve.ts'
import { recordTree, type TreeRecord, treeOfRecord } from './tree-record.ts'

/** A share of verify/kconfig: real trees, and the `conf` that each tree's own make builds as the judge. */
const folder = mkdtempSync(join(tmpdir(), 'kconfig-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Subject {
  readonly result: OpenResult
  readonly model: Kconfig
  readonly judge: Judge
}

const subjects = new Map<string, Promise<Subject>>()
function subject(tree: ConfTree, arch?: string): Promise<Subject> {
  const key = `${tree.name}-${arch ?? 'any'}`
  const known = subjects.get(key) ?? openSubject(tree, arch, join(folder, key))
  subjects.set(key, known)
  return known
}

async function openSubject(tree: ConfTree, arch: string | undefined, place: string): Promise<Subject> {
  mkdirSync(place)
  const result = await openTree({
    srctree: tree.srctree,
    arch,
    folder: place,
    probeCacheFile: join(folder, 'probes.json'),
  })
  if (!result.ok) throw new Error(result.error.message)
  const environment = { ...result.environment, KCONFIG_NOTIMESTAMP: '1' }
  const top = tree.name === 'busybox' ? 'Config.in' : 'Kconfig'
  const judge = createJudge({ conf: tree.conf, folder: place, environment, top })
  return { result, model: result.value, judge }
}

const bytes = (file: string): string => readFileSync(file, 'latin1')

for (const name of ['linux-6.1', 'linux-6.12'] as const satisfies readonly TreeName[])
  describe(`${name} against its own conf`, () => {
    let tree: ConfTree
    beforeAll(async () => {
      tree = await confTree(name)
    }, 300_000)

    for (const arch of ['arm64', 'mips', 'x86_64']) {
      it(`allmodconfig of ${arch} is the same`, async () => {
        const { model, judge } = await subject(tree, arch)
        const configuration = createConfiguration(model)
        answerAll(configuration, 'mod')
        expect(writeConfig(configuration)).toBe(judge(['--allmodconfig']).text)
      })
      if (arch === 'x86_64') continue
      it(`randconfig of ${arch} is the same for a seed`, async () => {
        const { model, judge } = await subject(tree, arch)
        const configuration = createConfiguration(model)
        const probability = parseProbability('40')
        if (probability === undefined) throw new Error('40 is a probability')
        answerRandomly(configuration, createRandom(2026), probability)
        const environment = { KCONFIG_SEED: '2026', KCONFIG_PROBABILITY: '40' }
        expect(writeConfig(configuration)).toBe(judge(['--randconfig'], { environment }).text)
      })
    }
    it('a tree that was kept is the one that was read, and makes the same configurations', async () => {
      const { model, judge } = await subject(tree, 'arm64')
      const readFile = fileReader(tree.srctree)
      const record = recordTree(model, readFile)
      if (record === undefined) throw new Error('it was not written down')
      const again = treeOfRecord(record, model.dialect, readFile)
      const recordedAgain = recordTree(again, readFile)
      expect(recordedAgain?.texts.join('\0') === record.texts.join('\0')).toBe(true)
      const bytesOf = (of: TreeRecord | undefined) => Buffer.from(of?.numbers.buffer ?? new ArrayBuffer(0))
      expect(bytesOf(recordedAgain).equals(bytesOf(record))).toBe(true)
      const configuration = createConfiguration(again)
      answerAll(configuration, 'mod')
      expect(writeConfig(configuration)).toBe(judge(['--allmodconfig']).text)
    }, 120_000)
    it('every twentieth defconfig of mips is the same', async () => {
      const { model, judge } = await subject(tree, 'mips')
      const configs = join(tree.srctree, 'arch/mips/configs')
      const names = readdirSync(configs).filter((file) => file.endsWith('_defconfig'))
      for (const file of names.filter((_, index) => index % 20 === 0)) {
        const path = join(configs, file)
        const configuration = createConfiguration(model)
        readConfig(configuration, bytes(path), { name: file })
        answerAll(configuration, 'default')
        expect(writeConfig(configuration), file).toBe(judge([`--defconfig=${path}`]).text)
      }
    }, 300_000)
    it('32r2el_defconfig, which is no file, is what make puts together', async () => {
      const { result } = await subject(tree, 'mips')
      const host: CommandHost = {
        environment: () => undefined,
        readFile: (path) => (existsSync(path) ? bytes(path) : undefined),
        list: (path) => readdirSync(path),
        open: async () => result,
      }
      const options = { srctree: tree.srctree, arch: 'mips', config: '32r2el_defconfig', output: 'made' }
      const { files } = await freshCommand('defconfig', options, host)
      const place = join(folder, 'make')
      mkdirSync(place)
      const make = ['-s', '-C', tree.srctree, `O=${place}`, 'ARCH=mips', '32r2el_defconfig']
      spawnSync('make', make, { stdio: 'ignore' })
      expect(files.get('made')).toBe(bytes(join(place, '.config')))
      rmSync(place, { recursive: true, force: true })
    }, 120_000)
    it('resolves netfilter modules from nothing, and the result holds', async () => {
      const { model } = await subject(tree, 'arm64')
      const base = createConfiguration(model)
      answerAll(base, 'no')
      const names = ['NFT_FIB_IPV4', 'NFT_MASQ', 'NETFILTER_XT_MATCH_OWNER']
      const result = resolve(
        base,
        names.map((symbol) => ({ name: symbol, value: 'm' })),
      )
      if (!result.ok) throw new Error(result.error.message)
      for (const each of names) {
        const symbol = model.byName.get(each)
        expect(symbol && result.value.configuration.text(symbol)).toBe('m')
      }
      expect(result.value.assignments.map((each) => each.name)).toContain('NETFILTER_ADVANCED')
    })
  })

describe('a configuration moved to another kernel', () => {
  it('is reported on as the conf of that kernel sees it', async () => {
    const from = await confTree('linux-6.1')
    const to = await confTree('linux-6.12')
    const before = await subject(from, 'arm64')
    const after = await subject(to, 'arm64')
    const { text } = before.judge([`--defconfig=${join(from.srctree, 'arch/arm64/configs/defconfig')}`])
    expect(misreported(after.model, to.srctree, after.judge, text)).toEqual([])
  }, 120_000)
})

describe('older dialects against their own conf', () => {
  it('busybox: defconfig, allnoconfig and allyesconfig are the same', async () => {
    const tree = await confTree('busybox')
    const { model, judge } = await subject(tree)
    for (const [option, mode] of [
      ['-d', 'default'],
      ['-n', 'no'],
      ['-y', 'yes'],
    ] as const) {
      const configuration = createConfiguration(model)
      readConfig(configuration, '', { name: '/dev/null' })
      answerAll(configuration, mode)
      expect(writeConfig(configuration), option).toBe(judge([option]).text)
    }
  }, 300_000)
  it('U-Boot: qemu_arm64_defconfig, what savedefconfig makes of it, and allyesconfig are the same', async () => {
    const tree = await confTree('u-boot')
    const { model, judge } = await subject(tree)
    const file = join(tree.srctree, 'configs/qemu_arm64_defconfig')
    const configuration = createConfiguration(model)
    readConfig(configuration, bytes(file), { name: file })
    answerAll(configuration, 'default')
    expect(writeConfig(configuration)).toBe(judge([`--defconfig=${file}`]).text)
    const again = createConfiguration(model)
    readConfig(again, bytes(file), { name: file })
    const minimal = writeMinimalConfig(again)
    expect(minimal).toBe(judge(['--savedefconfig=saved'], { config: bytes(file), output: 'saved' }).text)
    const all = createConfiguration(model)
    answerAll(all, 'yes')
    expect(writeConfig(all)).toBe(judge(['--allyesconfig']).text)
  }, 300_000)
})
