import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { UserError } from '../diagnostics/index.ts'
import { type Engine, type EngineEvent, openEngine, verifyStore } from '../engine/index.ts'
import { readContent } from '../filetree/index.ts'
import type { Packages } from '../packages/index.ts'
import { buildLinux, type KernelDemands } from './build-linux.ts'
import { checkKernel } from './check.ts'
import { findCompiler } from './compiler.ts'
import type { Kernel } from './kernel.ts'
import { kmodSource, type LinuxSourceOptions, linuxSource } from './source.ts'
import { type Files, newerMakefile, treeArchive, writeTree } from './test/tree.ts'

const made: string[] = []
const mounted: string[] = []
afterAll(() => {
  for (const folder of mounted) spawnSync('umount', ['-l', folder])
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kernel-test-'))
  made.push(folder)
  return folder
}
const store = newFolder()
const noPackages = {} as Packages

interface Wish {
  readonly changes?: Files
  readonly patches?: Files
  readonly options?: LinuxSourceOptions
  readonly demands?: Partial<KernelDemands>
  readonly storeFolder?: string
}

async function withEngine<T>(storeFolder: string, work: (engine: Engine) => Promise<T>) {
  const events: EngineEvent[] = []
  const engine = await openEngine({ storeFolder, onEvent: (event) => events.push(event) })
  try {
    return { value: await work(engine), events }
  } finally {
    await engine.close()
  }
}

const noDemands: KernelDemands = { symbols: [], modules: [], conditional: [] }

function build({ changes, patches = {}, options = {}, demands, storeFolder = store }: Wish = {}) {
  return withEngine(storeFolder, async (engine) => {
    const { tarball, sha256 } = treeArchive(newFolder(), changes)
    const folder = newFolder()
    for (const [name, text] of Object.entries(patches)) writeFileSync(join(folder, name), text)
    const source = linuxSource({ tarball, sha256 }, { patches: Object.keys(patches), ...options })
    const kernel = await buildLinux(engine, noPackages, {
      source,
      architecture: 'amd64',
      deviceSymbols: [],
      folder,
      demands: { ...noDemands, ...demands },
    })
    const read = async (path: string) =>
      (await readContent(engine, kernel.moduleContent(path))).toString('latin1')
    const names = [...kernel.modules.names.values()]
    const modules = new Map(await Promise.all(names.map(async (path) => [path, await read(path)] as const)))
    return { kernel, image: await readContent(engine, kernel.image), modules }
  })
}

async function problemOf(wish: Wish) {
  const error = await build(wish).catch((reason: unknown) => reason)
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${error}`)
  return error.diagnostics[0] ?? { what: '' }
}

const feature = (name: string) => ({ feature: name, file: `/home/me/${name}.ts`, line: 7 })
const module = (name: string) => ({ name, origins: [feature('vpn')] })
/** Directories of the objects that were compiled, sorted. */
const compiled = (events: readonly EngineEvent[]): readonly string[] =>
  events
    .flatMap((event) =>
      event.type === 'step-progress' && event.unit === 'objects' ? [event.detail ?? ''] : [],
    )
    .sort()
const archiveOf = ({ image }: Kernel): string => (image.type === 'slice' ? image.artifact.digest.sha256 : '')
const modulesIn = ({ modules }: Kernel) => [...modules.names.values()].sort()

describe('a kernel from source', () => {
  it('has the modules that are asked for by name, and no others', async () => {
    const { kernel } = (await build({ demands: { modules: [module('tun')] } })).value
    expect(modulesIn(kernel)).toEqual(['kernel/drivers/net/tun.ko'])
    expect(kernel.release).toBe('6.1.0')
    expect(kernel.config.get('TUN')).toBe('m')
    expect(kernel.config.get('NETDEVICES')).toBe('y')
    expect(kernel.config.get('FANCY')).toBeUndefined()
  })

  it('has its modules whichever way the kernel lists them', async () => {
    const wish = { changes: { Makefile: newerMakefile }, demands: { modules: [module('tun')] } }
    expect(modulesIn((await build(wish)).value.kernel)).toEqual(['kernel/drivers/net/tun.ko'])
  })

  it('has the symbols that are asked for', async () => {
    const symbols = [{ symbol: 'CLOCK', accepted: ['y'], origins: [feature('time')] }]
    const { kernel } = (await build({ demands: { symbols } })).value
    expect(kernel.config.get('CLOCK')).toBe('y')
    expect(modulesIn(kernel)).toEqual([])
  })

  it('has what is asked for conditionally just where the condition comes true', async () => {
    const clock = {
      when: 'NETDEVICES',
      symbols: [{ symbol: 'CLOCK', accepted: ['y'], origins: [feature('time')] }],
      modules: [],
      origins: [feature('time')],
    }
    const absent = (await build({ demands: { conditional: [clock] } })).value.kernel
    expect(absent.config.get('CLOCK')).toBe('n')
    const demands = { modules: [module('tun')], conditional: [clock] }
    expect((await build({ demands })).value.kernel.config.get('CLOCK')).toBe('y')
  })

  it('has the drivers of hardware: as modules where it can, built in where it must, and says which it cannot have', async () => {
    const driver = (name: string): string =>
      `struct of_device_id { char compatible[128]; };\n#define MODULE_DEVICE_TABLE(a, b)\nstatic const struct of_device_id t[] = { { .compatible = "v,${name}" }, {} };\nMODULE_DEVICE_TABLE(of, t)\n`
    const changes = {
      'drivers/core.c': driver('core'),
      'drivers/clock.c': driver('clock'),
      'drivers/net/tun.c': driver('tun'),
      'drivers/net/fancy.c': driver('fancy'),
      'drivers/net/never.c': driver('never'),
    }
    const devices = ['core', 'tun', 'fancy', 'clock', 'never', 'cpu'].map((name) => ({
      path: `/${name}`,
      compatible: [`v,newer-${name}`, `v,${name}`],
    }))
    const hardware = { devices, origins: [feature('drivers')] }
    const { value, events } = await build({ changes, demands: { hardware } })
    expect(modulesIn(value.kernel)).toEqual(['kernel/drivers/net/tun.ko'])
    expect(value.kernel.config.get('CLOCK')).toBe('y')
    expect(events.flatMap((event) => (event.type === 'step-warning' ? [event.text] : []))).toEqual(
      ['fancy', 'never'].map((name) =>
        expect.stringMatching(
          `has a driver that this kernel cannot have, for /${name} \\(v,newer-${name}, v,${name}\\): drivers/net/${name}.c`,
        ),
      ),
    )
  })

  it('is built once: the second time nothing runs', async () => {
    const wish = { demands: { modules: [module('tun')] } }
    await build(wish)
    const { events } = await build(wish)
    expect(events.filter(({ type }) => type === 'step-running')).toEqual([])
  })

  it('is the same in another store', async () => {
    const wish = { demands: { modules: [module('tun')] } }
    const first = (await build(wish)).value
    const second = (await build({ ...wish, storeFolder: newFolder() })).value
    expect(second.image.equals(first.image)).toBe(true)
    expect(first.image.toString('latin1')).toContain('firmwright firmwright')
  })

  it('tells how many objects of how many are compiled, and where', async () => {
    const { events } = await build({ demands: { modules: [module('tun')] }, storeFolder: newFolder() })
    const progress = events.flatMap((event) =>
      event.type === 'step-progress' && event.unit === 'objects' ? [event] : [],
    )
    expect(progress.map(({ done, total }) => `${done} of ${total}`)).toEqual(['1 of 2', '2 of 2'])
    expect(progress.map(({ detail }) => detail).sort()).toEqual(['drivers', 'drivers/net'])
  })

  it('is compiled anew only where a change of configuration touches it, and is what a clean build gives', async () => {
    const folder = newFolder()
    const clock = [{ symbol: 'CLOCK', accepted: ['y'], origins: [feature('time')] }]
    const wide = { demands: { modules: [module('tun')], symbols: clock }, storeFolder: folder }
    const narrow = { demands: { symbols: clock }, storeFolder: folder }
    await build({ storeFolder: folder })
    const more = (await build(wide)).events
    expect(compiled(more)).toEqual(['drivers', 'drivers/net'])
    // Not of three: one is there.
    expect(
      more.flatMap((event) =>
        event.type === 'step-progress' && event.unit === 'objects' ? event.total : [],
      ),
    ).toEqual([2, 2])
    // What the module has left in the kept folder must not ship.
    const { value, events } = await build(narrow)
    expect(compiled(events)).toEqual([])
    const clean = (await build({ ...narrow, storeFolder: newFolder() })).value
    expect(modulesIn(value.kernel)).toEqual([])
    expect(archiveOf(value.kernel)).toBe(archiveOf(clean.kernel))
  })

  it('goes on where it was killed, and takes no half of an object for a whole one', async () => {
    const folder = newFolder()
    const demands = { modules: [module('tun')] }
    await build({ storeFolder: folder })
    const kept = join(folder, 'kept')
    const [name = ''] = readdirSync(kept)
    const linux = join(kept, name, 'folder/linux')
    const objects = join(linux, readdirSync(linux).find((entry) => entry.startsWith('objects-')) ?? '')
    writeFileSync(join(objects, '.interrupted'), '')
    writeFileSync(join(objects, 'drivers/core.o'), 'half an obj')
    const { value, events } = await build({ demands, storeFolder: folder })
    expect(compiled(events)).toEqual(['drivers', 'drivers/net'])
    const clean = (await build({ demands, storeFolder: newFolder() })).value
    expect(archiveOf(value.kernel)).toBe(archiveOf(clean.kernel))
  })

  it('is built from a folder, anew when a file of it is another', async () => {
    const directory = writeTree(newFolder())
    const imageOf = async () => {
      const { value, events } = await withEngine(store, async (engine) => {
        const source = linuxSource({ directory })
        const about = { source, architecture: 'amd64', deviceSymbols: [], folder: '/', demands: noDemands }
        return readContent(engine, (await buildLinux(engine, noPackages, about)).image)
      })
      return { image: value.toString('latin1'), ran: events.some(({ type }) => type === 'step-running') }
    }
    await imageOf()
    expect((await imageOf()).ran).toBe(false)
    writeFileSync(join(directory, 'drivers/core.c'), 'int changed(void) { return 1; }\n')
    expect((await imageOf()).image).toContain('changed')
  })

  it('hands over what modules are built against elsewhere', async () => {
    const { value: listed } = await withEngine(store, async (engine) => {
      const { tarball, sha256 } = treeArchive(newFolder())
      const source = linuxSource({ tarball, sha256 })
      const about = { source, architecture: 'amd64', deviceSymbols: [], folder: '/', demands: noDemands }
      const headers = await (await buildLinux(engine, noPackages, about)).headers?.()
      const archive = headers === undefined ? '' : engine.path(headers)
      return spawnSync('tar', ['-tf', archive], { encoding: 'utf8' }).stdout.split('\n')
    })
    const wanted = ['.config', 'Makefile', 'Module.symvers', 'arch/x86/Makefile', 'scripts/mod/modpost']
    expect(listed).toEqual(expect.arrayContaining(wanted.map((name) => `linux-headers-6.1.0/${name}`)))
    expect(listed).toContain('linux-headers-6.1.0/include/generated/autoconf.h')
    expect(listed.filter((name) => /\.[oc]$/.test(name))).toEqual([])
  })

  it('is built from the patched source', async () => {
    const patch = `--- a/drivers/core.c
+++ b/drivers/core.c
@@ -1 +1 @@
-int core(void) { return 1; }
+int patched(void) { return 1; }
`
    const { image } = (await build({ patches: { 'core.patch': patch } })).value
    expect(image.toString('latin1')).toContain('patched')
  })
})

describe('modules with a source of their own', () => {
  const vendor = (files: Files = {}, modules = ['vendor-wifi']) => {
    const folder = newFolder()
    const all = {
      Kbuild: 'obj-m := vendor-wifi.o\n',
      'vendor-wifi.c': 'int wifi(void) { return 5; }\n',
      ...files,
    }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
    return kmodSource({ directory: folder, modules, variables: { VENDOR: "O'Hara" } })
  }
  const wanted = { name: 'vendor_wifi', origins: [feature('wifi')] }

  it('are built after those of the kernel, told what they are to be told, and not asked of Kconfig', async () => {
    const { kernel, modules } = (
      await build({ options: { kmods: [vendor()] }, demands: { modules: [wanted, module('tun')] } })
    ).value
    expect(modulesIn(kernel)).toEqual(['kernel/drivers/net/tun.ko', 'updates/vendor-wifi.ko'])
    expect(await checkKernel(kernel, [], [wanted])).toEqual([])
    expect(modules.get('updates/vendor-wifi.ko')).toContain("vendor-wifi.o of O'Hara")
  })
  it('know the symbols of those before them', async () => {
    const second = vendor({ Kbuild: 'obj-m := vendor-usb.o\n', 'vendor-usb.c': 'int usb;\n' }, ['vendor-usb'])
    const { modules } = (await build({ options: { kmods: [vendor(), second] } })).value
    expect(modules.get('updates/vendor-usb.ko')).toMatch(/vendor-wifi\.o of O'Hara\nvendor-usb\.o/)
  })
  it('are built anew when a file of theirs is another, and the kernel only looked at', async () => {
    await build({ options: { kmods: [vendor()] } })
    const changed = vendor({ 'vendor-wifi.c': 'int changed(void) { return 6; }\n' })
    const { modules } = (await build({ options: { kmods: [changed] } })).value
    expect(modules.get('updates/vendor-wifi.ko')).toContain('changed')
  })
  it('are refused where their compiler refuses them', async () => {
    const problem = await problemOf({
      options: { kmods: [vendor({ 'vendor-wifi.c': 'int wifi = missing;\n' })] },
    })
    expect((problem.why ?? '').split('\n')[1]).toMatch(/vendor-wifi\.c:1:\d+: error: .*missing/)
  })
  it('are refused where the source builds another module', async () => {
    const problem = await problemOf({ options: { kmods: [vendor({}, ['vendor_lan'])] } })
    expect(problem.why).toMatch(/error: kernel-test-\w+ builds no module vendor_lan/)
  })
  it('are refused without a Makefile', async () => {
    const source = kmodSource({ directory: newFolder(), modules: ['vendor'] })
    expect((await problemOf({ options: { kmods: [source] } })).why).toBe(
      'it has neither a Kbuild file nor a Makefile',
    )
  })
  it('are refused without names', () => {
    expect(() => kmodSource({ directory: 'driver', modules: [] })).toThrow('not told what to build')
  })
})

describe('what make would draw at random', () => {
  const asked = (symbol: string) => ({ symbols: [{ symbol, accepted: ['y'], origins: [feature('safety')] }] })
  const pem = (text: string) =>
    `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
  const key = (text: string) => {
    const path = join(newFolder(), 'key.pem')
    writeFileSync(path, text)
    return path
  }

  it('a key for modules is the one that is given, and signs all of them', async () => {
    const built = async (text: string) => {
      const options = { signingKey: key(pem(text)) }
      return (await build({ options, demands: { modules: [module('tun')] } })).value
    }
    const first = await built('first')
    expect(first.kernel.config.get('MODULE_SIG')).toBe('y')
    expect(first.modules.get('kernel/drivers/net/tun.ko')).toMatch(/signed: sha512 .*KEY-+\nfirst\n/)
    expect((await built('second')).modules.get('kernel/drivers/net/tun.ko')).toMatch(/KEY-+\nsecond\n/)
  })
  it('a key is for its owner alone to read, in the store as well', async () => {
    const storeFolder = newFolder()
    await build({ options: { signingKey: key(pem('secret')) }, storeFolder })
    const blobs = readdirSync(join(storeFolder, 'blobs'), { recursive: true, encoding: 'utf8' })
    const files = blobs
      .map((name) => join(storeFolder, 'blobs', name))
      .filter((path) => statSync(path).isFile())
    const keys = files.filter((path) => readFileSync(path, 'latin1').startsWith('-----BEGIN PRIVATE KEY'))
    expect(keys.map((path) => statSync(path).mode & 0o777)).toEqual([0o400])
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
  })
  it('signs what ships: modules without debug information', async () => {
    // Text, data of every kind, and places in them that the kernel fills in.
    const tun = `extern int other(const char *);
static const char licence[] __attribute__((section(".modinfo"), used)) = "license=GPL";
static int (*table[])(void); int count = 7; static int zeroes[9];
int tun(void) { return other("a string") + ++count + zeroes[count & 7] + table[0](); }
static int (*table[])(void) = { tun };
int __attribute__((section(".init.text"))) init_module(void) { return tun(); }
`
    const wish = {
      changes: { 'drivers/net/tun.c': tun },
      options: { signingKey: key(pem('one')) },
      demands: { modules: [module('tun')] },
    }
    const debug = { symbols: [{ symbol: 'DEBUG_INFO', accepted: ['y'], origins: [feature('safety')] }] }
    const plain = (await build(wish)).value.modules.get('kernel/drivers/net/tun.ko') ?? ''
    const { kernel, modules } = (await build({ ...wish, demands: { ...wish.demands, ...debug } })).value
    const stripped = modules.get('kernel/drivers/net/tun.ko') ?? ''
    expect(kernel.config.get('DEBUG_INFO')).toBe('y')
    expect(stripped).not.toContain('.debug_info')
    expect(stripped).toMatch(/signed: sha512 .*KEY-+\none\n/)
    const shown = (content: string): string => {
      const file = join(newFolder(), 'tun.ko')
      writeFileSync(file, content, 'latin1')
      // Symbols, then the bytes and relocations of every section, as binutils see them.
      return [['nm'], ['objdump', '--full-contents', '--reloc']]
        .map(([tool = '', ...options]) => execFileSync(tool, [...options, file], { encoding: 'utf8' }))
        .join('')
        .replaceAll(file, '')
    }
    expect(shown(stripped)).toBe(shown(plain))
    for (const part of [' T tun\n', 'Contents of section .modinfo', 'RECORDS FOR [.data.rel.local]'])
      expect(shown(stripped)).toContain(part)
  })
  it('a key is never made up', async () => {
    const problem = await problemOf({ demands: asked('MODULE_SIG') })
    expect(problem.what).toBe('this kernel signs its modules, and there is no key to sign them with')
    expect(problem.fix).toContain("signingKey: 'key.pem'")
  })
  it.each([
    ['', 'there is no PRIVATE KEY in it'],
    ['-----BEGIN PRIVATE KEY-----\n', 'there is no CERTIFICATE in it'],
  ])('a key is refused that is none: %j', async (text, why) => {
    expect((await problemOf({ options: { signingKey: key(text) } })).why).toBe(why)
  })
  it('a seed for structures is the one that is given', async () => {
    const built = async (digit: string) => {
      const options = { randstructSeed: digit.repeat(64) }
      return (await build({ options, demands: asked('RANDSTRUCT') })).value.image.toString('latin1')
    }
    expect(await built('a')).toContain('a'.repeat(64))
    expect(await built('b')).toContain('b'.repeat(64))
  })
  it('a seed goes along with the headers', async () => {
    const drawn = await withEngine(store, async (engine) => {
      const { tarball, sha256 } = treeArchive(newFolder())
      const source = linuxSource({ tarball, sha256 }, { randstructSeed: 'c'.repeat(64) })
      const about = { source, architecture: 'amd64', deviceSymbols: [], folder: '/', demands: noDemands }
      const headers = await (await buildLinux(engine, noPackages, about)).headers?.()
      const script = 'linux-headers-6.1.0/scripts/gen-randstruct-seed.sh'
      const archive = headers === undefined ? '' : engine.path(headers)
      return spawnSync('tar', ['-xOf', archive, script], { encoding: 'utf8' }).stdout
    })
    expect(drawn.value).toContain(`SEED=${'c'.repeat(64)}`)
  })
  it('a seed is never drawn', async () => {
    const problem = await problemOf({ demands: asked('RANDSTRUCT') })
    expect(problem.what).toBe('this kernel lays out its structures at random, and there is no seed')
  })
  it('a seed has 64 digits', () => {
    expect(() => linuxSource({ directory: 'linux' }, { randstructSeed: '12' })).toThrow('does not know')
  })
})

/** A file system of its own in memory; undefined for who may not mount. */
function smallDisk(megabytes: number): string | undefined {
  const folder = newFolder()
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
  if (status !== 0) return undefined
  mounted.push(folder)
  return folder
}

describe('a disk that is full while a kernel is built', () => {
  it('is said, and with more room the build is the same as any other', async ({ skip }) => {
    const disk = smallDisk(6)
    if (disk === undefined) return skip('nothing may be mounted here')
    const storeFolder = join(disk, 'store')
    // An object of 8 MB.
    const changes = { 'drivers/core.c': 'char core[8 << 20] = { 1 };\n' }
    const problem = await problemOf({ changes, storeFolder })
    expect(problem.what).toBe(`The disk is full: no space left for ${storeFolder}`)
    expect(problem.fix).toContain('firmwright store gc')
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
    expect(spawnSync('mount', ['-o', 'remount,size=200m', disk]).status).toBe(0)
    const { kernel } = (await build({ changes, storeFolder })).value
    const clean = (await build({ changes, storeFolder: newFolder() })).value
    expect(archiveOf(kernel)).toBe(archiveOf(clean.kernel))
  })
})

describe('a kernel from source that cannot be', () => {
  it('for a module that there is not, with near names and who wants it', async () => {
    expect(await problemOf({ demands: { modules: [module('tunn')] } })).toMatchObject({
      what: 'this kernel has no module tunn',
      fix: 'did you mean tun?',
      where: [feature('vpn'), {}],
    })
  })
  it('for a module that Kconfig has no way to', async () => {
    const problem = await problemOf({ demands: { modules: [module('never')] } })
    expect(problem.why).toContain(
      'drivers/net/never.ko takes BROKEN_MODULE=m && NETDEVICES=y, and Kconfig has no way to that',
    )
  })
  it('for two modules that exclude each other, with both who want them', async () => {
    const rival = { name: 'fancy', origins: [feature('rival')] }
    const problem = await problemOf({ demands: { modules: [module('tun'), rival] } })
    expect(problem.what).toBe('the kernel cannot be configured as it is asked for')
    expect(problem.why).toMatch(/(vpn \(.*vpn\.ts:7\)|rival \(.*rival\.ts:7\))/)
  })
  it('for a symbol that this source does not have', async () => {
    const symbols = [{ symbol: 'CLOK', accepted: ['y'], origins: [feature('time')] }]
    const problem = await problemOf({ demands: { symbols } })
    expect(problem.why).toMatch(/no entry of this tree defines CLOK; near names: CLOCK/)
  })
  it('for an archive that is another', async () => {
    const error = await withEngine(store, async (engine) => {
      const { tarball } = treeArchive(newFolder())
      const source = linuxSource({ tarball, sha256: '0'.repeat(64) })
      const folder = newFolder()
      return buildLinux(engine, noPackages, {
        source,
        architecture: 'amd64',
        deviceSymbols: [],
        folder,
        demands: noDemands,
      })
    }).catch((reason: unknown) => reason)
    expect(String(error)).toContain('is not the archive that the system file names')
  })
  it('for a folder in which something has been built, or that is no source', async () => {
    const directory = writeTree(newFolder(), { '.config': 'CONFIG_NET=y\n' })
    const problem = (from: string) =>
      withEngine(store, (engine) => {
        const source = linuxSource({ directory: from })
        const about = { source, architecture: 'amd64', deviceSymbols: [], folder: '/', demands: noDemands }
        return buildLinux(engine, noPackages, about)
      }).catch((reason: unknown) => String(reason))
    expect(await problem(directory)).toContain('something has been built in')
    expect(await problem(newFolder())).toContain('is no kernel source')
  })
  it('for a patch that does not apply, by its name', async () => {
    const patch = '--- a/drivers/core.c\n+++ b/drivers/core.c\n@@ -1 +1 @@\n-int other;\n+int another;\n'
    const problem = await problemOf({ patches: { 'wrong.patch': patch } })
    expect(problem.why).toContain('error: the patch wrong.patch does not apply')
  })
  it('for an error of the compiler, which comes first, and a place for all that was said', async () => {
    const problem = await problemOf({ changes: { 'drivers/core.c': 'int core(void) { return missing; }\n' } })
    const [, first] = (problem.why ?? '').split('\n')
    expect(first).toMatch(/drivers\/core\.c:1:\d+: error: .*missing/)
    expect(problem.fix).toContain('/logs/')
  })
  it('for an architecture that there is no way to build for', async () => {
    const source = linuxSource({ package: 'linux-source-6.1' })
    const error = await withEngine(store, (engine) =>
      buildLinux(engine, noPackages, {
        source,
        architecture: 'vax',
        deviceSymbols: [],
        folder: '/',
        demands: noDemands,
      }),
    ).catch((reason: unknown) => reason)
    expect(String(error)).toContain('kernels for vax cannot be built from source')
  })
  it('without its compiler, named with its package', async () => {
    const error = await withEngine(store, (engine) =>
      findCompiler(engine, { toolPrefix: 'no-such-target-', headers: {} }),
    ).catch((reason: unknown) => reason)
    expect(String(error)).toContain('The program no-such-target-gcc is not installed')
  })
  it('without a header that it needs, named with its package', async () => {
    const headers = { '/no/such/gelf.h': 'libelf-dev' }
    const error = await withEngine(store, (engine) =>
      findCompiler(engine, { toolPrefix: 'x86_64-linux-gnu-', headers }),
    ).catch((reason: unknown) => reason)
    if (!(error instanceof UserError)) throw new Error('no UserError')
    expect(error.diagnostics[0]?.fix).toBe('install the Debian package libelf-dev')
  })
  it('of a source that is not said', () => {
    expect(() => linuxSource({ tarball: 'x.tar', sha256: 'abc' })).toThrow('something that it does not know')
  })
})
