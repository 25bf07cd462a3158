import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import { usualKmod } from '../elf/test/assemble-kmod.ts'
import { type Engine, openEngine } from '../engine/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { createKmodSource } from '../kmod/index.ts'
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
