import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { readDevicetree } from '../devicetree/index.ts'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import { createKmodSource } from '../kmod/index.ts'
import { matchDevices, type TreeDevice, treeDevices } from './index.ts'

function devicesOf(source: string): readonly TreeDevice[] {
  const dtb = execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb'], { input: `/dts-v1/;\n${source}` })
  const tree = readDevicetree(dtb)
  if (!tree.ok) throw new Error(tree.error.message)
  return treeDevices(tree.value)
}

const board = `/ {
	compatible = "vendor,board";
	ethernet@1000 { reg = <0x1000>; compatible = "vendor,mac-2", "vendor,mac 1"; };
	memory@0 { reg = <0>; device_type = "memory"; };
	cpu { device_type = "cpu"; compatible = "arm,cortex-a53"; };
	off { status = "disabled"; compatible = "vendor,off";
		below { compatible = "vendor,below"; };
	};
	on { status = "okay"; compatible = "vendor,on"; };
	spi@2000 { reg = <0x2000>; compatible = "vendor,spi"; #address-cells = <1>; #size-cells = <0>;
		flash@0 { reg = <0>; compatible = "winbond,w25q128", "jedec,spi-nor"; };
		nand@1 { reg = <1>; compatible = "spi-nand"; status = "fail"; };
	};
	bus@3000 { reg = <0x3000>; compatible = "vendor,qspi"; #address-cells = <1>; #size-cells = <0>;
		dac@0 { reg = <0>; spi-max-frequency = <1000>; compatible = "ti,dac-with-a-very-long-name-indeed-1"; };
	};
	i2c@4000 { reg = <0x4000>; compatible = "vendor,i2c"; #address-cells = <1>; #size-cells = <0>;
		rtc@68 { reg = <0x68>; compatible = "nxp,pcf8563"; };
	};
	uart@5000 { reg = <0x5000>; compatible = "arm,pl011", "arm,primecell"; };
	clock@6000 { reg = <0x6000>; compatible = "arm,pl031", "arm,primecell"; arm,primecell-periphid = <0x41031>; };
};`

describe('the devices of a tree', () => {
  const devices = devicesOf(board)
  const modaliases = new Map(devices.map(({ path, modalias }) => [path, modalias]))

  it('are the nodes with a compatible that are enabled, as are all above them', () => {
    expect([...modaliases.keys()]).toEqual([
      '/ethernet@1000',
      '/cpu',
      '/on',
      '/spi@2000',
      '/spi@2000/flash@0',
      '/bus@3000',
      '/bus@3000/dac@0',
      '/i2c@4000',
      '/i2c@4000/rtc@68',
      '/uart@5000',
      '/clock@6000',
    ])
  })

  it('are announced with name, type and every compatible', () => {
    expect(modaliases.get('/ethernet@1000')).toBe('of:NethernetT(null)Cvendor,mac-2Cvendor,mac_1')
    expect(modaliases.get('/cpu')).toBe('of:NcpuTcpuCarm,cortex-a53')
    expect(modaliases.get('/i2c@4000/rtc@68')).toBe('of:NrtcT(null)Cnxp,pcf8563')
  })

  it('on SPI by the first compatible without its vendor, in 31 characters', () => {
    expect(modaliases.get('/spi@2000/flash@0')).toBe('spi:w25q128')
    expect(modaliases.get('/bus@3000/dac@0')).toBe('spi:dac-with-a-very-long-name-indee')
  })

  it('of PrimeCells by a number, which the tree may not have', () => {
    expect(modaliases.get('/uart@5000')).toBeUndefined()
    expect(modaliases.get('/clock@6000')).toBe('amba:d00041031')
  })
})

it('modules are found by what the bus sends, and named where it sends what they do not listen to', async () => {
  const aliases: Readonly<Record<string, readonly string[]>> = {
    mac: ['of:N*T*Cvendor,mac-1', 'of:N*T*Cvendor,mac-2C*'],
    spi_nor: ['spi:spi-nor', 'of:N*T*Cjedec,spi-norC*', 'of:N*T*Cjedec,spi-nor'],
    rtc: ['amba:d00041031*'],
    uart: ['of:N*T*Carm,pl011C*'],
  }
  const source = createKmodSource({
    paths: Object.keys(aliases).map((name) => `${name}.ko`),
    read: (path) => {
      const name = path.slice(0, -'.ko'.length)
      return assembleKmod({
        modinfo: [`name=${name}`, ...(aliases[name] ?? []).map((alias) => `alias=${alias}`)],
      })
    },
  })
  const matched = await matchDevices(source, devicesOf(board))
  if (!matched.ok) throw new Error(matched.error.message)
  const found = matched.value.filter(({ modules, unheard }) => modules.length + unheard.length > 0)
  expect(found.map(({ device, modules, unheard }) => [device.path, modules, unheard])).toEqual([
    ['/ethernet@1000', ['mac'], []],
    ['/spi@2000/flash@0', [], ['spi_nor']],
    ['/uart@5000', [], ['uart']],
    ['/clock@6000', ['rtc'], []],
  ])
})
