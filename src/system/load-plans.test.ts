import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import { usualKmod } from '../elf/test/assemble-kmod.ts'
import { type Engine, openEngine } from '../engine/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { createKmodSource } from '../kmod/index.ts'
import { checkBlacklist } from './blacklist.ts'
import type { KmodTarget } from './contributions.ts'
import { planAll } from './load-plans.ts'

const folder = mkdtempSync(join(tmpdir(), 'firmwright-plans-'))
let engine: Engine
beforeAll(async () => {
  engine = await openEngine({ storeFolder: join(folder, 'store') })
})
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

const here: Origin = { file: '/system.ts', line: 7 }
const chosen: Origin = { file: '/system.ts', line: 1 }
const content = { type: 'text', text: '' } as const
const kernel: Kernel = {
  name: 'linux-test 6.1.0',
  release: '6.1.0-test',
  image: content,
  configFile: content,
  config: new Map(),
  modules: createKmodSource({ paths: ['veth.ko', 'dummy.ko'], read: () => usualKmod('veth') }),
  moduleContent: () => content,
  origin: chosen,
}
const withSource: Kernel = {
  ...kernel,
  whyNoModule: async (name) =>
    name === 'tun' || name === 'nft-expr-fib' ? `it takes ${name}=m, which is off` : undefined,
}

async function refusal(of: Kernel, target: KmodTarget): Promise<Diagnostic | undefined> {
  try {
    await planAll(engine, of, [{ name: 'vpn', targets: [target], origins: [here] }])
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.diagnostics[0]
    throw error
  }
}

it('a module that there is not ends a build, with near names', async () => {
  expect(await refusal(kernel, 'vth')).toEqual({
    what: 'linux-test 6.1.0 has no module vth',
    where: [here, chosen],
    why: 'vpn is to load it: it is neither among its 2 modules, nor built in, nor an alias of one',
    fix: 'did you mean veth?',
  })
  expect(await refusal(withSource, 'vth')).toMatchObject({ fix: 'did you mean veth?' })
  expect(await refusal(kernel, 'unheard-of')).toMatchObject({
    fix: 'correct the name, or choose another kernel',
  })
})

it('a module whose symbol is off ends a build with that symbol, where the source is known', async () => {
  expect(await refusal(withSource, 'tun')).toEqual({
    what: 'linux-test 6.1.0 has no module tun',
    where: [here, chosen],
    why: 'vpn is to load it: it takes tun=m, which is off',
    fix: 'choose a kernel that has those symbols, or build one (linuxSource)',
  })
})

it('a choice that nothing answers to ends a build with what the source says of each', async () => {
  const choice = { what: 'fib in the rules', anyOf: ['nft-expr-1-fib', 'nft-expr-fib'] }
  const why = 'vpn needs it, and no module and nothing built in answers to nft-expr-1-fib or nft-expr-fib'
  expect(await refusal(kernel, choice)).toMatchObject({
    what: 'linux-test 6.1.0 has nothing for fib in the rules',
    why,
  })
  expect(await refusal(withSource, choice)).toMatchObject({
    why: `${why}\nit takes nft-expr-fib=m, which is off`,
  })
})

it('a module that is blacklisted is in no plan, and who cannot do without it is told who said so', async () => {
  const said: Origin = { file: '/system.ts', line: 9 }
  const files: Readonly<Record<string, Buffer>> = {
    'cipher.ko': usualKmod('cipher', { info: ['alias=crypto-x'] }),
    'fast-cipher.ko': usualKmod('fast_cipher', { info: ['alias=crypto-x', 'softdep=pre: extra'] }),
    'tunnel.ko': usualKmod('tunnel', { info: ['softdep=pre: crypto-x', 'depends=base'] }),
    'base.ko': usualKmod('base'),
    'extra.ko': usualKmod('extra'),
  }
  const of: Kernel = {
    ...kernel,
    image: { type: 'text', text: 'ciphers' },
    modules: createKmodSource({
      paths: Object.keys(files),
      read: (path) => files[path] ?? Buffer.alloc(0),
    }),
  }
  const planned = async (target: KmodTarget, ...names: readonly string[]) => {
    const blacklist = names.map((value) => ({ value, origins: [said] }))
    const request = { name: 'vpn', targets: [target], origins: [here] }
    const [plan] = await planAll(engine, of, [request], blacklist)
    return plan?.steps.map(({ name }) => name).sort()
  }
  const all = ['base', 'cipher', 'extra', 'fast_cipher', 'tunnel']
  expect(await planned('tunnel')).toEqual(all)
  expect(await planned('tunnel', 'fast_cipher')).toEqual(['base', 'cipher', 'tunnel'])
  expect(await planned('tunnel', 'extra')).toEqual(all.filter((name) => name !== 'extra'))
  expect(await planned({ what: 'x', anyOf: ['cipher', 'fast-cipher'] }, 'cipher', 'extra')).toEqual([
    'fast_cipher',
  ])
  const refused = (needed: string, why: string) => ({
    what: `vpn needs the kernel module ${needed}, which is blacklisted`,
    where: [here, said, chosen],
    why,
    fix: `do without vpn, or take ${needed} off system.kernel.blacklist`,
  })
  const reason = async (target: KmodTarget, ...names: readonly string[]) => {
    const error: unknown = await planned(target, ...names).catch((error: unknown) => error)
    return error instanceof UserError ? error.diagnostics[0] : error
  }
  expect(await reason('tunnel', 'base')).toEqual(refused('base', 'tunnel uses its symbols'))
  expect(await reason('base', 'base')).toEqual(refused('base', 'base alone would answer to base'))
  expect(await reason({ what: 'x', anyOf: ['crypto-y', 'extra'] }, 'extra')).toEqual(
    refused('extra', 'extra alone would answer to crypto-y or extra'),
  )
})

it('a blacklist names modules that there are, where all of them are there', () => {
  const said = (value: string) => [{ value, origins: [here] }]
  const modules = createKmodSource({
    paths: ['veth.ko'],
    builtin: 'kernel/fs/ext4.ko\n',
    read: () => usualKmod('veth'),
  })
  const distributed: Kernel = {
    ...kernel,
    modules,
    package: { name: 'linux-test', version: '1', architecture: 'arm64' },
  }
  const problem = (of: Kernel, name: string): string | undefined => {
    try {
      checkBlacklist(of, said(name))
      return undefined
    } catch (error) {
      return error instanceof UserError ? `${error.diagnostics[0]?.what}; ${error.diagnostics[0]?.fix}` : ''
    }
  }
  expect(problem(distributed, 'veth')).toBeUndefined()
  expect(problem(distributed, 'vth')).toBe(
    'the kernel module vth is to be kept out, and linux-test 6.1.0 has none of that name; did you mean veth?',
  )
  expect(problem({ ...kernel, modules }, 'vth')).toBeUndefined()
  expect(problem({ ...kernel, modules }, 'ext4')).toContain('ext4 is built into linux-test 6.1.0')
})

it('a module that cannot be read ends a build', async () => {
  const damaged: Kernel = {
    ...kernel,
    image: { type: 'text', text: 'another' },
    modules: createKmodSource({ paths: ['veth.ko'], read: () => Buffer.from('text') }),
  }
  expect(await refusal(damaged, 'veth')).toMatchObject({
    what: 'vpn: veth.ko: not an ELF file',
    why: 'the kernel is linux-test 6.1.0',
  })
})
