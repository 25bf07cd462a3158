import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { UserError } from '../diagnostics/index.ts'
import { parseRequest } from '../kconfig/index.ts'
import { type ImpactOptions, impactText, kernelImpact } from './index.ts'
import { buildMiniature, modinfo } from './test/build.ts'

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

function miniature(...args: Parameters<typeof buildMiniature>): string {
  const { source, objects } = buildMiniature(...args)
  made.push(dirname(source))
  return objects
}
const flashed = miniature([])

function impact(folder: string, texts: readonly string[], options?: ImpactOptions) {
  const requests = texts.flatMap((text) => parseRequest(text) ?? [])
  return kernelImpact(folder, requests, options)
}

async function problemOf(work: Promise<unknown>) {
  const error = await work.catch((reason: unknown) => reason)
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${error}`)
  return error.diagnostics[0] ?? { what: '' }
}

describe('a module can be added to a flashed kernel', () => {
  it('where built-in code that looks at its symbol compiles to what it was', async () => {
    const found = await impact(flashed, ['TUN=m'])
    expect(found).toMatchObject({ verdict: 'module-only', objects: [], exports: [], findings: [] })
    expect(found.builtin).toEqual({ objects: 2, looking: 1 })
    expect(found.modules.added.map(({ path }) => path)).toEqual(['net/tun.ko'])
    expect(impactText(found)).toContain(
      'module only: 1 new module, proved to load into the kernel 6.1.0 that is flashed',
    )
  })

  it('behind the gate of a directory, both lines named', async () => {
    const { verdict, changes, modules } = await impact(flashed, ['CARD=m'])
    expect(verdict).toBe('module-only')
    expect(changes.map(({ symbol, asked }) => `${symbol} ${asked}`)).toEqual(['CARD true', 'VENDOR false'])
    expect(modules.added[0]?.reasons).toEqual([
      { symbol: 'CARD', through: 'net/vendor/Makefile:1' },
      { symbol: 'VENDOR', through: 'net/Makefile:7' },
    ])
  })

  it('and is handed over', async () => {
    const output = mkdtempSync(join(tmpdir(), 'impact-output-'))
    made.push(output)
    await impact(flashed, ['TUN=m'], { output })
    expect(existsSync(join(output, 'net/tun.ko'))).toBe(true)
  })

  it('in a tree that was built in itself too, which stays as it was', async () => {
    const folder = miniature([], { inTree: true })
    const listed = (): string => execFileSync('find', ['..'], { cwd: folder, encoding: 'utf8' })
    const before = listed()
    expect((await impact(folder, ['TUN=m'])).verdict).toBe('module-only')
    expect(listed()).toBe(before)
  })
})

describe('a new vmlinux is needed', () => {
  it('where built-in code differs, with the symbol and the header', async () => {
    const found = await impact(flashed, ['HOOK=m'])
    expect(found.verdict).toBe('new-vmlinux')
    expect(found.objects).toEqual([
      {
        path: 'net/core.o',
        change: 'different',
        reasons: [{ symbol: 'HOOK', through: 'include/linux/net.h' }],
      },
    ])
    expect(impactText(found)).toContain('net/core.o  HOOK, through include/linux/net.h')
  })

  it('where a part of the module goes into the kernel, with the line of the Makefile', async () => {
    const found = await impact(flashed, ['VLAN=m'])
    expect(found.verdict).toBe('new-vmlinux')
    expect(found.objects).toEqual([
      { path: 'net/vlan_core.o', change: 'new', reasons: [{ symbol: 'VLAN', through: 'net/Makefile:4' }] },
    ])
    expect(found.exports).toEqual(['vlan_core'])
  })

  it('where only its link differs, with the script that looks', async () => {
    const { verdict, objects } = await impact(flashed, ['NAMES=y'])
    expect(verdict).toBe('new-vmlinux')
    expect(objects).toEqual([
      {
        path: 'vmlinux',
        change: 'different',
        reasons: [{ symbol: 'NAMES', through: 'scripts/link-vmlinux.sh' }],
      },
    ])
  })

  it('and more than was asked for, where the code comes along with it', async () => {
    const found = await impact(flashed, ['GREEDY=m'])
    expect(found.verdict).toBe('needs-more')
    expect(found.objects.map(({ path, reasons }) => `${path} ${reasons[0]?.symbol}`)).toEqual([
      'net/extra.o EXTRA',
    ])
  })
})

it('modules that change with the new one are named', async () => {
  const folder = miniature(['CONFIG_HOOK=m', 'CONFIG_TUN=m'], {
    changes: { 'net/core.c': 'int core(void) { return 0; }\n' },
  })
  const { verdict, modules } = await impact(folder, ['HOOK=n'])
  expect(verdict).toBe('module-only')
  expect(modules.gone).toEqual(['net/hook.ko'])
  const other = miniature(['CONFIG_HOOK=m'], {
    changes: {
      'net/core.c': 'int core(void) { return 0; }\n',
      'include/linux/net.h': '#ifdef CONFIG_TUN_MODULE\n#define HOOKED 1\n#else\n#define HOOKED 0\n#endif\n',
    },
  })
  expect((await impact(other, ['TUN=m'])).modules.changed).toEqual([
    { path: 'net/hook.ko', reasons: [{ symbol: 'TUN', through: 'include/linux/net.h' }] },
  ])
})

it('a module whose imports the flashed kernel does not export is not said to load', async () => {
  const folder = miniature([], {
    changes: {
      'net/vendor/card.c': `${modinfo('card')}int absent(void);\nint card(void) { return absent(); }\n`,
    },
  })
  const output = join(dirname(folder), 'modules')
  const found = await impact(folder, ['CARD=m'], { output })
  expect(existsSync(output)).toBe(false)
  expect(found.findings.join('\n')).toMatch(/card imports absent, which neither vmlinux nor any module/)
  expect(impactText(found)).toContain('not loadable as it is')
})

describe('no answer', () => {
  it('for a symbol that cannot be had, with the contradiction', async () => {
    expect((await problemOf(impact(flashed, ['NEVER=m']))).why).toMatch(/NEVER/)
  })
  it('for a folder without a finished build, and what is missing', async () => {
    const { what, why } = await problemOf(impact(dirname(flashed), ['TUN=m']))
    expect(`${what}: ${why}`).toMatch(/holds no finished build of a kernel: it has no \.config/)
  })
  it('where it does not compile, with the error of the compiler', async () => {
    const folder = miniature([], { changes: { 'net/tun.c': 'int tun(void) { return nonsense; }\n' } })
    expect((await problemOf(impact(folder, ['TUN=m']))).why).toMatch(/tun\.c:1:\d+: error: .*nonsense/)
    expect(readdirSync(dirname(folder)).filter((name) => name.includes('impact'))).toEqual([])
  })
  it('where the configuration does not come out as it was', async () => {
    const folder = miniature([])
    writeFileSync(
      join(dirname(folder), 'Kconfig'),
      'config MODULES\n\tbool "modules"\n\tmodules\nconfig OTHER\n\tdef_bool y\n',
    )
    expect((await problemOf(impact(folder, ['MODULES=y']))).why).toContain('OTHER: n → y')
  })
})
