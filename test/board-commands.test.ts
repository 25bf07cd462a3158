import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { compileSource } from '../src/devicetree/conformance.ts'
import { firmwright, program, systemFolder, systemText, temporaryFolder } from './firmwright.ts'

const source = `/dts-v1/;
/ {
  #address-cells = <2>;
  #size-cells = <1>;
  aliases { serial0 = "/uart@1000"; };
  uart: uart@1000 { compatible = "ns16550a", "ns16550"; reg = <0 0x1000 0x100>; status = "disabled"; };
};
`
const overlaySource = '/dts-v1/; /plugin/; &uart { status = "okay"; current-speed = <115200>; };'

function trees(): { readonly tree: string; readonly overlay: string; readonly folder: string } {
  const folder = temporaryFolder()
  const [tree, overlay] = [join(folder, 'board.dtb'), join(folder, 'on.dtbo')]
  writeFileSync(tree, compileSource(source, '-@'))
  writeFileSync(overlay, compileSource(overlaySource, '-@'))
  return { tree, overlay, folder }
}

async function dt(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await firmwright(['dt', ...args])
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

describe('firmwright dt', () => {
  it('prints a tree as dtc does', async () => {
    const { tree } = trees()
    const { stdout } = await execa('dtc', ['-q', '-I', 'dtb', '-O', 'dts', tree])
    // dtc 1.6 prints "a\0b" where 1.7 and we print "a", "b".
    expect((await dt('print', tree)).replaceAll('", "', '\\0').trim()).toBe(
      stdout.replaceAll('", "', '\\0').trim(),
    )
    expect(await dt('print', tree, 'serial0')).toMatch(/^uart@1000 \{\n/)
  })

  it('gets by path, alias and label what fdtget gets', async () => {
    const { tree } = trees()
    for (const node of ['/uart@1000', 'serial0', '&uart']) {
      expect(await dt('get', tree, node, 'reg')).toBe('<0x00 0x1000 0x100>')
    }
    const { stdout } = await execa('fdtget', ['-t', 's', tree, '/uart@1000', 'compatible'])
    expect(JSON.parse(await dt('get', tree, 'serial0', 'compatible', '--json')).strings).toEqual(
      stdout.split(' '),
    )
    expect(await dt('get', tree, 'serial0')).toMatch(/^compatible\nreg\nstatus\n/)
  })

  it('sets and deletes as fdtput does, in place or into another file', async () => {
    const { tree, folder } = trees()
    const other = join(folder, 'other.dtb')
    await dt('set', tree, '/chosen', 'bootargs', '"console=ttyS0"', '-o', other)
    expect((await execa('fdtget', ['-t', 's', other, '/chosen', 'bootargs'])).stdout).toBe('console=ttyS0')
    expect((await execa('fdtget', [tree, '-l', '/'])).stdout).not.toContain('chosen')
    await dt('set', tree, 'serial0', 'clock-frequency', '<24000000>')
    expect((await execa('fdtget', [tree, '/uart@1000', 'clock-frequency'])).stdout).toBe('24000000')
    await dt('set', tree, 'serial0', 'status', '--delete')
    expect((await execa('fdtget', ['-p', tree, '/uart@1000'])).stdout).not.toContain('status')
  })

  it('applies overlays as fdtoverlay does', async () => {
    const { tree, overlay, folder } = trees()
    const [ours, theirs] = [join(folder, 'ours.dtb'), join(folder, 'theirs.dtb')]
    await dt('apply', tree, overlay, '-o', ours)
    await execa('fdtoverlay', ['-i', tree, '-o', theirs, overlay])
    const sorted = async (file: string) =>
      (await execa('dtc', ['-q', '-s', '-I', 'dtb', '-O', 'dts', file])).stdout
    expect(await sorted(ours)).toBe(await sorted(theirs))
  })

  it.each([
    ['no device tree', ['print', '/etc/hostname'], /hostname/],
    ['an unknown node', ['get', 'TREE', '/nowhere', 'reg'], /there is no node "\/nowhere"/],
    ['a near miss of a property', ['get', 'TREE', 'serial0', 'statuss'], /did you mean status\?/],
    ['a value that is none', ['set', 'TREE', '/', 'model', 'board'], /at character 1: expected/],
  ])('explains %s', async (_what, args, message) => {
    const { tree } = trees()
    const { exitCode, stderr } = await firmwright(['dt', ...args.map((arg) => (arg === 'TREE' ? tree : arg))])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(message)
  })
})

describe('firmwright tftp', () => {
  it.each([
    ['a file instead of a folder', ['/etc/hostname'], /there is no folder "\/etc\/hostname"/],
    [
      'an address of another machine',
      ['.', '--address', '192.0.2.77'],
      /fix: {2}name an address of this machine/,
    ],
  ])('refuses %s', async (_what, args, message) => {
    const { exitCode, stderr } = await firmwright(['tftp', ...args])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(message)
  })

  /** Runs the server until `use` is done with its port. */
  async function serving(folder: string, use: (port: string) => Promise<void>): Promise<string> {
    const child = spawn(process.execPath, [
      program,
      'tftp',
      folder,
      '--address',
      '127.0.0.1',
      '--port',
      '0',
      '--json',
    ])
    let told = ''
    child.stdout.on('data', (text: Buffer) => {
      told += text
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const port = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stderr.on('data', (text: Buffer) => {
        said += text
        const match = /port (\d+)/.exec(said)
        if (match?.[1] !== undefined) resolve(match[1])
      })
      child.on('close', () => reject(new Error(said)))
    })
    try {
      await use(port)
    } finally {
      child.kill('SIGTERM')
    }
    expect(await ended).toBe(0)
    return told
  }

  it('serves a folder and tells what happens, until it is ended', async () => {
    const folder = temporaryFolder()
    const bytes = randomBytes(300_000)
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub/Image'), bytes)
    const told = await serving(folder, async (port) => {
      const { stdout } = await execa(
        'curl',
        ['--silent', '--show-error', `tftp://127.0.0.1:${port}/sub/Image`],
        {
          encoding: 'buffer',
          stripFinalNewline: false,
        },
      )
      expect(Buffer.from(stdout).equals(bytes)).toBe(true)
    })
    const ends = told.split('\n').filter((line) => line.includes('"ended"'))
    expect(JSON.parse(ends[0] ?? '')).toMatchObject({
      file: 'sub/Image',
      end: { type: 'sent', sizeBytes: 300_000 },
    })
  })

  it('says what to do where the port is taken', async () => {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    const { exitCode, stderr } = await firmwright([
      'tftp',
      temporaryFolder(),
      ...['--address', '127.0.0.1', '--port', String(socket.address().port)],
    ])
    socket.close()
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/is taken by another program\n +fix: +stop that TFTP server/)
  })

  it('says what there is not where there is no folder', async () => {
    const { exitCode, stderr } = await firmwright(['tftp', '/nowhere', '--port', '0'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('/nowhere')
  })
})

describe('firmwright layout', () => {
  it('shows the memory map of a boot, as a table, as JSON and as a drawing', async () => {
    const folder = await systemFolder(systemText())
    const table = await firmwright(['layout', 'system.ts', '--offline', '--svg', 'map.svg'], { cwd: folder })
    expect(table.stderr).not.toContain('error')
    expect(table.stdout).toMatch(/^edge on qemu-aarch64: kernel as image, root by initramfs \(not phram/)
    expect(table.stdout).toMatch(/boot loader \(reserved\)$/)
    expect(readFileSync(join(folder, 'map.svg'), 'utf8')).toContain('<title>edge on qemu-aarch64</title>')
    const json = await firmwright(['layout', 'system.ts', '--offline', '--json'], { cwd: folder })
    const map = JSON.parse(json.stdout.trim().split('\n').at(-1) ?? '')
    expect(map.regions[0]).toMatchObject({ name: 'initramfs', address: 0x4040_0000 })
  })

  it('refuses what the kernel, the loader or the memory does not have, with what would do', async () => {
    const refusals = [
      ["boot: { root: 'phram' },", /cannot travel by phram: the kernel has no CONFIG_MTD_PHRAM/],
      ["boot: { format: 'zimage' },", /does not boot the format "zimage"; it takes image/],
      [
        'boot: { rootAddress: 0x4dc00000 },',
        /boot loader .* covers .* put initramfs at|no room for initramfs above it/,
      ],
      ['boot: { rootAddress: 5 },', /not a multiple of 64 KiB/],
    ] as const
    for (const [options, message] of refusals) {
      const folder = await systemFolder(systemText([], [options]))
      const { exitCode, stderr } = await firmwright(['layout', 'system.ts', '--offline'], { cwd: folder })
      expect(stderr).toMatch(message)
      expect(exitCode).toBe(1)
    }
  })

  it('refuses a device that no loader is known of', async () => {
    const text = systemText().replace(
      'device: qemuAarch64',
      'device: { ...qemuAarch64, networkBoot: undefined }',
    )
    const folder = await systemFolder(text)
    const { exitCode, stderr } = await firmwright(['layout', 'system.ts', '--offline'], { cwd: folder })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('qemu-aarch64 cannot be booted over a network')
  })
})

describe('firmwright boot', () => {
  it('refuses a plan that was made to overlap, before it opens the serial line', async () => {
    const folder = temporaryFolder()
    const served = join(folder, 'build/tftpboot')
    mkdirSync(served, { recursive: true })
    const regions = [
      { name: 'root', address: 0x4040_0000, sizeBytes: 0x10_0000, reserved: false },
      { name: 'kernel', address: 0x404f_f000, sizeBytes: 0x100_0000, reserved: false },
    ]
    const loader = JSON.parse(
      readFileSync(new URL('../src/devices/loaders/qemu-arm64.json', import.meta.url), 'utf8'),
    )
    const lines = [{ stage: 'transfer', text: 'tftpboot 0x40400000 root', file: 'root' }]
    const about = { format: 1, device: 'board', baudRate: 115_200, loader }
    const network = { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' }
    const memory = [{ start: 0x4000_0000, end: 0x5000_0000 }]
    const plan = { ...about, network, memory, regions, lines }
    writeFileSync(join(served, 'boot.json'), JSON.stringify(plan))
    const { exitCode, stderr } = await firmwright(['boot', '--no-build', '--serial', 'unix:none'], {
      cwd: folder,
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('root (0x40400000+0x100000) and kernel (0x404ff000+0x1000000) overlap')
    expect(stderr).not.toContain('serial line')
  })
})
