import { afterAll, describe, expect, it } from 'vitest'
import { type AssembledKmod, assembleKmod } from '../elf/test/assemble-kmod.ts'
import { createKmodSource, describeReason, type KmodSource, type LoadPlan, planLoad } from './index.ts'
import { showDepends, sourceOf, type Tree, writeTree } from './test/tree.ts'

/** A module that exports `NAME_api` and uses those of what it depends on. */
function kmod(name: string, depends: readonly string[] = [], extra: readonly string[] = []): AssembledKmod {
  return {
    modinfo: [`name=${name}`, 'license=GPL', `depends=${depends.join(',')}`, ...extra],
    exports: [{ name: `${name}_api`, crc: 1 }],
    imports: depends.map((other) => ({ name: `${other}_api`, crc: 1 })),
  }
}

/** Such modules as files. */
function files(modules: Readonly<Record<string, AssembledKmod>>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(modules).map(([path, module]) => [path, assembleKmod(module)]))
}

function memorySource(
  modules: readonly AssembledKmod[],
  builtin = '',
): KmodSource & { readonly read: string[] } {
  const byPath = new Map(
    modules.map((module) => [
      `kernel/${module.modinfo[0]?.slice('name='.length)}.ko`,
      () => assembleKmod(module),
    ]),
  )
  const read: string[] = []
  const source = createKmodSource({
    paths: byPath.keys(),
    builtin,
    read(path) {
      read.push(path)
      const file = byPath.get(path)
      if (file === undefined) throw new Error('ENOENT')
      return file()
    },
  })
  return { ...source, read }
}

async function planned(source: KmodSource, ...targets: string[]): Promise<LoadPlan> {
  const plan = await planLoad(source, targets)
  if (!plan.ok) throw new Error(plan.error.message)
  return plan.value
}

const names = (plan: LoadPlan): string[] => plan.steps.map(({ name }) => name)

const trees: Tree[] = []
afterAll(() => {
  for (const tree of trees) tree.remove()
})

describe('an order of loading', () => {
  it('has every dependency before its user, each once, and says why it is there', async () => {
    const source = memorySource([
      kmod('app', ['left', 'right']),
      kmod('left', ['base']),
      kmod('right', ['base']),
      kmod('base'),
      kmod('unrelated'),
    ])
    const plan = await planned(source, 'app')
    expect(plan.steps.map((step) => [step.path, describeReason(step.reason), step.required])).toEqual([
      ['kernel/base.ko', 'left depends on it', true],
      ['kernel/left.ko', 'app depends on it', true],
      ['kernel/right.ko', 'app depends on it', true],
      ['kernel/app.ko', 'asked for as app', true],
    ])
    expect(plan.notes).toEqual([])
  })

  it('reads only the modules of the plan', async () => {
    const source = memorySource([kmod('app', ['base']), kmod('base'), kmod('unrelated')])
    await planned(source, 'app')
    expect([...source.read].sort()).toEqual(['kernel/app.ko', 'kernel/base.ko'])
  })

  it('takes dashes, underscores, paths and aliases for targets', async () => {
    const source = memorySource([kmod('nft_fib', [], ['alias=nft-expr-*-fib'])])
    for (const target of ['nft_fib', 'nft-fib', 'kernel/nft_fib.ko', 'nft-expr-1-fib']) {
      expect(names(await planned(source, target))).toEqual(['nft_fib'])
    }
  })

  it('is what modprobe loads where modprobe is right', async () => {
    const tree = writeTree(
      files({
        'kernel/a.ko': kmod('a', ['b', 'c'], ['softdep=pre: d post: e']),
        'kernel/b.ko': kmod('b', ['c']),
        'kernel/c.ko': kmod('c', [], ['softdep=pre: hash-fast']),
        'kernel/d.ko': kmod('d', ['f']),
        'kernel/e.ko': kmod('e', ['a']),
        'kernel/f.ko': kmod('f'),
        'kernel/h-one.ko': kmod('h_one', [], ['alias=hash-*']),
        'kernel/h-two.ko': kmod('h_two', [], ['alias=hash-fast']),
      }),
    )
    trees.push(tree)
    const plan = await planned(sourceOf(tree), 'a')
    expect(plan.steps.map(({ path }) => path).sort()).toEqual(
      [...new Set(showDepends(tree, 'a').paths)].sort(),
    )
    expect(names(plan)).toEqual(['h_one', 'h_two', 'c', 'b', 'f', 'd', 'a', 'e'])
  })
})

describe('softdeps', () => {
  it('count on every line, where modprobe reads the first alone', async () => {
    const tree = writeTree(
      files({
        'kernel/a.ko': kmod('a', [], ['softdep=pre: one', 'softdep=pre: two post: three']),
        'kernel/one.ko': kmod('one'),
        'kernel/two.ko': kmod('two'),
        'kernel/three.ko': kmod('three'),
      }),
    )
    trees.push(tree)
    expect(showDepends(tree, 'a').paths).toEqual(['kernel/one.ko', 'kernel/a.ko'])
    const plan = await planned(sourceOf(tree), 'a')
    expect(plan.steps.map(({ name, required, reason }) => [name, required, describeReason(reason)])).toEqual([
      ['one', false, 'softdep of a: pre: one'],
      ['two', false, 'softdep of a: pre: two post: three'],
      ['a', true, 'asked for as a'],
      ['three', false, 'softdep of a: pre: two post: three'],
    ])
  })

  it('without pre: or post: are loaded before, with a note', async () => {
    const plan = await planned(memorySource([kmod('a', [], ['softdep=md5']), kmod('md5')]), 'a')
    expect(names(plan)).toEqual(['md5', 'a'])
    expect(plan.notes).toMatchObject([{ type: 'softdep-bare', of: 'a', line: 'md5' }])
  })

  it('that nothing answers to are a note, and those that are built in are reported', async () => {
    const source = memorySource([kmod('a', [], ['softdep=pre: gone aes'])], 'kernel/crypto/aes.ko\n')
    const plan = await planned(source, 'a')
    expect(names(plan)).toEqual(['a'])
    expect(plan.notes).toMatchObject([{ type: 'softdep-unresolved', of: 'a', wanted: 'gone' }])
    expect(plan.builtin).toMatchObject([{ name: 'aes', reason: { type: 'softdep', of: 'a' } }])
  })

  it('mean a module with that alias rather than a built-in of that name, as modprobe has it', async () => {
    const tree = writeTree(
      files({
        'kernel/a.ko': kmod('a', [], ['softdep=pre: crc32']),
        'kernel/crc32_generic.ko': kmod('crc32_generic', [], ['alias=crc32']),
      }),
      ['kernel/lib/crc32.ko'],
    )
    trees.push(tree)
    expect(showDepends(tree, 'a').paths).toEqual(['kernel/crc32_generic.ko', 'kernel/a.ko'])
    expect(names(await planned(sourceOf(tree), 'a'))).toEqual(['crc32_generic', 'a'])
  })

  it('mean a built-in of that name rather than another with that alias, as modprobe has it', async () => {
    const tree = writeTree(
      files({ 'kernel/a.ko': kmod('a') }),
      ['kernel/lib/crc64-rocksoft.ko', 'kernel/crypto/crc64_rocksoft_generic.ko'],
      ['crc64_rocksoft_generic.alias=crc64-rocksoft', 'crc64_rocksoft_generic.alias=only-alias'],
    )
    trees.push(tree)
    for (const target of ['crc64-rocksoft', 'only-alias']) {
      const { builtin } = await planned(sourceOf(tree), target)
      expect(builtin.map(({ name }) => name)).toEqual(showDepends(tree, target).builtin)
    }
  })

  it('never come before a dependency: the order that cannot be is a note', async () => {
    const source = memorySource([kmod('a', [], ['softdep=pre: b']), kmod('b', ['a'])])
    const plan = await planned(source, 'a')
    expect(names(plan)).toEqual(['a', 'b'])
    expect(plan.notes).toMatchObject([{ type: 'softdep-order', of: 'a', other: 'b' }])
  })

  it('in a circle keep the first and give up the one that closes it', async () => {
    const source = memorySource([kmod('a', [], ['softdep=pre: b']), kmod('b', [], ['softdep=pre: a'])])
    const plan = await planned(source, 'a')
    expect(names(plan)).toEqual(['b', 'a'])
    expect(plan.notes).toMatchObject([{ type: 'softdep-order', of: 'b', other: 'a' }])
  })

  it('bring their own dependencies, and what is required otherwise stays required', async () => {
    const source = memorySource([
      kmod('a', ['base'], ['softdep=pre: extra base']),
      kmod('base'),
      kmod('extra', ['lib']),
      kmod('lib'),
    ])
    const plan = await planned(source, 'a')
    expect(plan.steps.map(({ name, required }) => [name, required])).toEqual([
      ['base', true],
      ['lib', false],
      ['extra', false],
      ['a', true],
    ])
  })
})

describe('a plan that cannot be', () => {
  it('names an unknown target and hands over every name that is known', async () => {
    const plan = await planLoad(memorySource([kmod('nft_masq')], 'kernel/lib/crc16.ko\n'), ['nft_mask'])
    expect(plan).toEqual({
      ok: false,
      error: {
        type: 'unknown-target',
        target: 'nft_mask',
        known: ['crc16', 'nft_masq'],
        message: 'no module or alias nft_mask in this kernel',
      },
    })
  })

  it('names all of a cycle', async () => {
    const source = memorySource([kmod('z', ['a']), kmod('a', ['b']), kmod('b', ['c']), kmod('c', ['a'])])
    expect(await planLoad(source, ['z'])).toMatchObject({
      ok: false,
      error: {
        type: 'cycle',
        names: ['a', 'b', 'c'],
        message: 'modules depend on each other: a -> b -> c -> a',
      },
    })
  })

  it('says who needs a module that is not there', async () => {
    const source = memorySource([kmod('a', ['b']), kmod('b', ['gone'])])
    expect(await planLoad(source, ['a'])).toMatchObject({
      ok: false,
      error: { type: 'missing-dependency', name: 'gone', neededBy: 'b' },
    })
  })

  it('names the file that cannot be read', async () => {
    const source = createKmodSource({ paths: ['kernel/bad.ko'], read: () => Buffer.from('not ELF') })
    expect(await planLoad(source, ['bad'])).toMatchObject({
      ok: false,
      error: { type: 'unreadable-module', message: 'kernel/bad.ko: not an ELF file' },
    })
    const gone = createKmodSource({
      paths: ['kernel/gone.ko'],
      read: () => Promise.reject(new Error('no such file')),
    })
    expect(await planLoad(gone, ['gone'])).toMatchObject({
      ok: false,
      error: { type: 'unreadable-module', message: 'kernel/gone.ko: no such file' },
    })
  })
})

it('is empty for a target that is built in, and says so', async () => {
  const plan = await planned(memorySource([kmod('a')], 'kernel/crypto/aes-generic.ko\n'), 'aes_generic')
  expect(plan.steps).toEqual([])
  expect(plan.builtin).toEqual([{ name: 'aes_generic', reason: { type: 'target', target: 'aes_generic' } }])
})

it('is found for a chain of 5,000 modules', async () => {
  const chain = Array.from({ length: 5_000 }, (_, index) =>
    kmod(`m${index}`, index === 0 ? [] : [`m${index - 1}`]),
  )
  const plan = await planned(memorySource(chain), 'm4999')
  expect(plan.steps).toHaveLength(5_000)
  expect(plan.steps[0]?.name).toBe('m0')
})

it('prefers a module under updates/ to the kernel’s own of that name', () => {
  const source = createKmodSource({
    paths: ['kernel/net/a.ko', 'updates/a.ko', 'modules.dep', 'kernel/b-c.ko.xz'],
    read: () => new Uint8Array(),
  })
  expect([...source.names]).toEqual([
    ['a', 'updates/a.ko'],
    ['b_c', 'kernel/b-c.ko.xz'],
  ])
})
