import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig, writeConfig } from './configFile.ts'
import { createConfiguration } from './configuration.ts'
import { createRandom } from './glibcRandom.ts'
import { answerAll, answerRandomly, parseProbability } from './modes.ts'
import { type OpenResult, openTree } from './openTree.ts'
import { resolve } from './resolve.ts'

/**
 * A share of verify/kconfig/compare.mjs against a kernel source tree. The tree's own `conf` is the judge: build it with
 * `make O=BUILD tinyconfig`.
 */
const srctree = process.env.FIRMWRIGHT_KERNEL_SOURCE
const conf = process.env.FIRMWRIGHT_KERNEL_CONF
const missing = srctree === undefined || conf === undefined || !existsSync(srctree) || !existsSync(conf)
const reason = missing
  ? ' (skipped: FIRMWRIGHT_KERNEL_SOURCE and FIRMWRIGHT_KERNEL_CONF name no tree and its conf)'
  : ''

const folder = missing ? '' : mkdtempSync(join(tmpdir(), 'kconfig-test-'))
afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

const trees = new Map<string, OpenResult>()
async function treeFor(arch: string) {
  const known = trees.get(arch) ?? (await openTree({ srctree: srctree ?? '', arch, folder }))
  trees.set(arch, known)
  if (!known.ok) throw new Error(known.error.message)
  return { tree: known.value, environment: known.environment }
}

/** The .config that conf writes. */
function judge(
  environment: Readonly<Record<string, string>>,
  args: string[],
  extra: Record<string, string> = {},
): string {
  rmSync(join(folder, '.config'), { force: true })
  spawnSync(conf ?? '', [...args, 'Kconfig'], {
    cwd: folder,
    env: { ...environment, KCONFIG_DEFCONFIG_LIST: '', ...extra },
    stdio: 'ignore',
  })
  return readFileSync(join(folder, '.config'), 'latin1')
}

describe.skipIf(missing)(`a kernel tree against its own conf${reason}`, () => {
  for (const arch of ['arm64', 'mips', 'x86_64']) {
    it(`allmodconfig of ${arch} is the same`, async () => {
      const { tree, environment } = await treeFor(arch)
      const configuration = createConfiguration(tree)
      answerAll(configuration, 'mod')
      expect(writeConfig(configuration)).toBe(judge(environment, ['--allmodconfig']))
    })
    it(`randconfig of ${arch} is the same for a seed`, async () => {
      const { tree, environment } = await treeFor(arch)
      const configuration = createConfiguration(tree)
      const probability = parseProbability('40')
      if (probability === undefined) throw new Error('40 is a probability')
      answerRandomly(configuration, createRandom(2026), probability)
      const extra = { KCONFIG_SEED: '2026', KCONFIG_PROBABILITY: '40' }
      expect(writeConfig(configuration)).toBe(judge(environment, ['--randconfig'], extra))
    })
  }
  it('every tenth defconfig of mips is the same', async () => {
    const { tree, environment } = await treeFor('mips')
    const configs = join(srctree ?? '', 'arch/mips/configs')
    const names = readdirSync(configs).filter((name) => name.endsWith('_defconfig'))
    for (const name of names.filter((_, index) => index % 10 === 0)) {
      const configuration = createConfiguration(tree)
      readConfig(configuration, readFileSync(join(configs, name), 'latin1'), { name })
      answerAll(configuration, 'default')
      expect(writeConfig(configuration), name).toBe(
        judge(environment, [`--defconfig=${join(configs, name)}`]),
      )
    }
  })
  it('resolves netfilter modules from nothing, and the result holds', async () => {
    const { tree } = await treeFor('arm64')
    const base = createConfiguration(tree)
    answerAll(base, 'no')
    const names = ['NFT_FIB_IPV4', 'NFT_MASQ', 'NETFILTER_XT_MATCH_OWNER']
    const result = resolve(
      base,
      names.map((name) => ({ name, value: 'm' })),
    )
    if (!result.ok) throw new Error(result.error.message)
    for (const name of names) {
      const symbol = tree.byName.get(name)
      expect(symbol && result.value.configuration.text(symbol)).toBe('m')
    }
    expect(result.value.assignments.map((each) => each.name)).toContain('NETFILTER_ADVANCED')
  })
})
