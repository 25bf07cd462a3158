import { describe, expect, it } from 'vitest'
import type { Shape } from '../elf/test/assemble.ts'
import { assembleKmod, type UsualKmod, usualKmod, usualVermagic } from '../elf/test/assemble-kmod.ts'
import {
  type CheckOptions,
  checkKmods,
  createKmodSource,
  firmwareNames,
  type KmodFinding,
  type KmodSource,
  parseSymvers,
} from './index.ts'

interface Given extends UsualKmod {
  readonly shape?: Shape
  /** The file instead of a module. */
  readonly bytes?: Buffer
}

function kernel(
  modules: Readonly<Record<string, Given>>,
  builtinModinfo: readonly string[] = [],
): KmodSource {
  const files = Object.entries(modules).map(
    ([name, { shape, bytes, ...given }]) =>
      [`kernel/${name}.ko`, bytes ?? usualKmod(name, given, shape)] as const,
  )
  const byPath = new Map<string, Buffer>(files)
  return createKmodSource({
    paths: byPath.keys(),
    builtinModinfo: Buffer.from(builtinModinfo.map((line) => `${line}\0`).join('')),
    read: (path) => byPath.get(path) ?? Buffer.alloc(0),
  })
}

const symvers = parseSymvers(
  [
    '0x0000000a\tprintk\tvmlinux\tEXPORT_SYMBOL\t',
    '0x0000000b\tgpl_thing\tvmlinux\tEXPORT_SYMBOL_GPL\t',
    '0x0000000c\tusb_thing\tvmlinux\tEXPORT_SYMBOL\tUSB_STORAGE',
    '0x0000000d\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t',
    '0x00000099\tbase_api\tdrivers/other/base_of_old\tEXPORT_SYMBOL\t',
    'no line of a symvers file',
  ].join('\n'),
)
/** Modules that are as they should be, so that the odd one is odd. */
const sound: Readonly<Record<string, Given>> = {
  base: { exports: [{ name: 'base_api', crc: 1 }], imports: [{ name: 'printk', crc: 0xa }] },
  other: { imports: [{ name: 'printk', crc: 0xa }] },
  user: {
    info: ['depends=base'],
    imports: [
      { name: 'base_api', crc: 1 },
      { name: 'module_layout', crc: 0xd },
    ],
  },
}

async function findings(
  source: KmodSource,
  options: CheckOptions = { symvers },
): Promise<readonly KmodFinding[]> {
  return (await checkKmods(source, options)).findings
}

async function messages(
  odd: Readonly<Record<string, Given>>,
  options: CheckOptions = { symvers },
): Promise<readonly string[]> {
  const found = await findings(kernel({ ...sound, ...odd }), options)
  return found.map(({ severity, type, message }) => `${severity}, ${type}: ${message}`)
}

it('finds nothing where everything is as it should be, and counts what it proved', async () => {
  expect(await checkKmods(kernel(sound), { symvers })).toEqual({
    findings: [],
    modules: 3,
    provedSymbols: 4,
  })
})

describe('an import', () => {
  it('that nobody exports is named, unless it is weak', async () => {
    const odd = {
      odd: {
        imports: [
          { name: 'gone', crc: 1 },
          { name: 'perhaps', weak: true },
        ],
      },
    }
    expect(await messages(odd)).toEqual([
      'error, unknown-symbol: odd imports gone, which neither vmlinux nor any module of this kernel exports',
    ])
  })

  it('from vmlinux is not proved without Module.symvers, and never fine', async () => {
    expect(await messages({}, {})).toEqual([
      "not-proved, imports-not-proved: 3 imports of 3 modules from vmlinux are not proved: that takes the kernel's Module.symvers",
    ])
  })

  it('from a module that a plan loads later, or not at all, is named with the module', async () => {
    const late = 'error, late-symbol: user imports base_api from base, which is not loaded before it'
    for (const plan of [['user', 'base'], ['user']]) {
      const found = await messages({}, { symvers, plans: [plan] })
      expect(found.filter((message) => message.includes('late-symbol'))).toEqual([late])
    }
    expect(await messages({}, { symvers, plans: [['base', 'user'], ['other']] })).toEqual([])
  })

  it('with another checksum says who exports which version', async () => {
    expect(
      await messages({ odd: { info: ['depends=base'], imports: [{ name: 'base_api', crc: 0x99 }] } }),
    ).toEqual([
      'error, crc-mismatch: odd was built against another base_api: it wants version 0x00000099, and base exports 0x00000001; 0x00000099 is what drivers/other/base_of_old exports according to Module.symvers',
    ])
    expect(await messages({ odd: { imports: [{ name: 'printk', crc: 7 }] } })).toEqual([
      'error, crc-mismatch: odd was built against another printk: it wants version 0x00000007, and vmlinux exports 0x0000000a',
    ])
  })

  it('of a namespace wants that namespace imported', async () => {
    const imports = [{ name: 'usb_thing', crc: 0xc }]
    expect(await messages({ odd: { imports } })).toEqual([
      'error, namespace: odd uses usb_thing of namespace USB_STORAGE and does not import that (MODULE_IMPORT_NS)',
    ])
    expect(await messages({ odd: { imports, info: ['import_ns=USB_STORAGE'] } })).toEqual([])
  })

  it.each(['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'])(
    'for GPL modules only is for the licence %s',
    async (license) => {
      const odd = { info: [`license=${license}`], imports: [{ name: 'gpl_thing', crc: 0xb }] }
      expect(await messages({ odd })).toEqual([])
    },
  )

  it('for GPL modules only is refused to others', async () => {
    const imports = [{ name: 'gpl_thing', crc: 0xb }]
    expect(await messages({ odd: { imports, info: ['license=Proprietary'] } })).toEqual([
      'error, gpl-only: odd has the licence “Proprietary”, and vmlinux exports gpl_thing to GPL modules only',
    ])
    expect(await messages({ odd: { imports, info: ['license='] } })).toEqual([
      'error, gpl-only: odd states no licence, and vmlinux exports gpl_thing to GPL modules only',
    ])
    const exports = [{ name: 'base_api', crc: 1, gplOnly: true }]
    const user = { info: ['license=Proprietary', 'depends=base'], imports: [{ name: 'base_api', crc: 1 }] }
    expect(await messages({ base: { exports }, user })).toEqual([
      'error, gpl-only: user has the licence “Proprietary”, and base exports base_api to GPL modules only',
    ])
  })
})

describe('a GPL module that uses symbols of a proprietary one, directly or through another,', () => {
  const vendor = { info: ['license=Proprietary'], exports: [{ name: 'vendor_api', crc: 2 }] }
  const uses = (name: string, depends: string) => ({
    info: [`depends=${depends}`],
    imports: [
      { name, crc: 2 },
      { name: 'gpl_thing', crc: 0xb },
    ],
  })

  it('may use nothing that is for GPL modules only', async () => {
    const between = {
      info: ['depends=vendor'],
      imports: [{ name: 'vendor_api', crc: 2 }],
      exports: [{ name: 'between_api', crc: 2 }],
    }
    const all = { vendor, between, near: uses('vendor_api', 'vendor'), far: uses('between_api', 'between') }
    const refused = (module: string, symbol: string, by: string): string =>
      `error, gpl-only: ${module} uses ${symbol} of ${by}, which is proprietary, and gpl_thing, which vmlinux exports to GPL modules only: the kernel refuses a module that does both`
    const expected = [refused('far', 'between_api', 'between'), refused('near', 'vendor_api', 'vendor')]
    expect(await messages(all)).toEqual(expected)
    const plans = [['vendor', 'between', 'far', 'near']]
    expect(await messages(all, { symvers, plans })).toEqual(expected)
  })

  it('may use what is for all', async () => {
    const near = { info: ['depends=vendor'], imports: [{ name: 'vendor_api', crc: 2 }] }
    expect(await messages({ vendor, near })).toEqual([])
  })
})

describe('a module', () => {
  it('built for another kernel is named with both', async () => {
    expect(
      await messages({ odd: { info: ['vermagic=6.1.0-old SMP mod_unload modversions aarch64'] } }),
    ).toEqual([
      `error, vermagic: odd was built for “6.1.0-old SMP mod_unload modversions aarch64”, and this kernel is “${usualVermagic}”`,
    ])
    expect(await messages({ odd: { info: ['vermagic='] } })).toEqual([
      `error, vermagic: odd was built for no kernel that it names, and this kernel is “${usualVermagic}”`,
    ])
  })

  it('of a folder that is called like another release is built for another kernel', async () => {
    const found = await findings(kernel(sound), { symvers, release: '6.1.0-new' })
    expect(found.map(({ type }) => type)).toEqual(['vermagic', 'vermagic', 'vermagic'])
    expect(await findings(kernel(sound), { symvers, release: '6.1.0-test' })).toEqual([])
  })

  it('for another architecture is named with both', async () => {
    const shape = { class: 32, byteOrder: 'big', machine: 8 } as const
    expect(await messages({ odd: { shape, imports: [{ name: 'gone', crc: 1 }] } })).toEqual([
      'error, foreign-architecture: odd is for another architecture: MIPS, 32 bit, big endian, and this kernel is for AArch64, 64 bit, little endian',
    ])
  })

  it('cut short or of other bytes is unreadable, and says where', async () => {
    const whole = assembleKmod({ modinfo: ['name=odd'] })
    const [cut] = await messages({ odd: { bytes: whole.subarray(0, whole.length - 40) } })
    expect(cut).toMatch(/^error, unreadable: kernel\/odd\.ko: .*past the end of the file/)
    expect(await messages({ odd: { bytes: Buffer.from('text') } })).toEqual([
      'error, unreadable: kernel/odd.ko: not an ELF file',
    ])
    expect(await messages({}, { symvers, plans: [['absent']] })).toEqual([
      'error, unreadable: there is no module absent',
    ])
  })

  it('without checksums is refused by a kernel that has them', async () => {
    expect(await messages({ odd: { imports: [{ name: 'printk' }] } })).toEqual([
      'error, no-checksums: odd was built without checksums of the symbols it uses, and this kernel checks them (CONFIG_MODVERSIONS)',
    ])
  })

  it('built against other structures of the kernel is refused', async () => {
    expect(await messages({ odd: { imports: [{ name: 'module_layout', crc: 0xe }] } })).toEqual([
      'error, crc-mismatch: odd was built against another module_layout: it wants version 0x0000000e, and vmlinux exports 0x0000000d',
    ])
  })

  it('needs a signature where the kernel insists', async () => {
    const trailer = Buffer.concat([
      Buffer.alloc(100, 0x30),
      Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 100]),
      Buffer.from('~Module signature appended~\n'),
    ])
    const source = kernel({ signed: { trailer }, unsigned: {} })
    expect(
      (await findings(source, { symvers, signatureForced: true })).map(({ message }) => message),
    ).toEqual([
      'unsigned has no signature, and this kernel loads signed modules only (CONFIG_MODULE_SIG_FORCE)',
    ])
    expect(await findings(source)).toEqual([])
  })

  it('whose depends= is not what its symbols say is a warning', async () => {
    expect(
      await messages({ odd: { info: ['depends=other'], imports: [{ name: 'base_api', crc: 1 }] } }),
    ).toEqual([
      'warning, depends-disagrees: depends= of odd does not name base, whose symbols it uses and names other, of which it uses nothing',
    ])
  })

  it('whose softdep nothing answers to is a warning', async () => {
    expect(await messages({ odd: { info: ['softdep=pre: base gone post: late'] } })).toEqual([
      'warning, softdep-missing: softdep of odd (pre: base gone post: late): nothing in this kernel is or answers to gone',
      'warning, softdep-missing: softdep of odd (pre: base gone post: late): nothing in this kernel is or answers to late',
    ])
  })

  it('whose softdep has names without pre: or post: is a warning', async () => {
    expect(await messages({ odd: { info: ['softdep=base other post: user'] } })).toEqual([
      'warning, softdep-bare: softdep of odd (base other post: user): base, other without pre: or post:, loaded before it; modprobe ignores that',
    ])
  })

  it('that exports what another exports is a warning', async () => {
    expect(await messages({ odd: { exports: [{ name: 'base_api', crc: 1 }] } })).toEqual([
      'warning, duplicate-export: base_api is exported by base and odd: the kernel refuses whichever comes second',
    ])
  })
})

describe('firmware', () => {
  const wifi = { info: ['firmware=wifi/one.bin', 'firmware=wifi/nvram-*.txt'] }

  it('that a module names by its full name must be there', async () => {
    expect(await messages({ wifi }, { symvers, firmware: { files: [] } })).toEqual([
      'error, firmware-missing: wifi asks for /lib/firmware/wifi/one.bin, which is not there',
      'warning, firmware-missing: nothing under /lib/firmware matches wifi/nvram-*.txt, which wifi may ask for',
    ])
    const files = ['wifi/one.bin', 'wifi/nvram-a.txt']
    expect(await messages({ wifi }, { symvers, firmware: { files } })).toEqual([])
  })

  it('is not missed where somebody said so, nor where nobody says what there is', async () => {
    const waived = ['wifi/one.bin', 'wifi/nvram-*.txt']
    expect(await messages({ wifi }, { symvers, firmware: { files: [], waived } })).toEqual([])
    expect(await messages({ wifi })).toEqual([])
  })

  it('is found where the kernel looks, packed as it can unpack it, or in the kernel itself', () => {
    const paths = ['a.bin', 'updates/b.bin', '6.1.0/c.bin', 'updates/6.1.0/d.bin', 'e.bin.xz', 'f.bin.zst']
    const config = new Map([
      ['FW_LOADER_COMPRESS_XZ', 'y'],
      ['EXTRA_FIRMWARE', 'g.bin h.bin'],
    ])
    const names = firmwareNames(paths, { release: '6.1.0', config })
    const found = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((name) => names.has(`${name}.bin`))
    expect(found).toEqual(['a', 'b', 'c', 'd', 'e', 'g', 'h'])
  })

  it('of a built-in driver must be there as well', async () => {
    const source = kernel(sound, ['xhci.firmware=usb/renesas.mem', 'other_builtin.firmware=other.bin'])
    const builtin = new Set(['xhci'])
    const found = await findings(source, { symvers, firmware: { files: [], builtin } })
    expect(found.map(({ message }) => message)).toEqual([
      'the built-in driver xhci asks for /lib/firmware/usb/renesas.mem, which is not there',
    ])
    expect(await findings(source, { symvers, firmware: { files: [] } })).toHaveLength(2)
  })
})
