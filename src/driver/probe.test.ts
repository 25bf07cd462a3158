import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Loader, parseLoader } from '../uboot/index.ts'
import { probeLoader } from './probe.ts'
import { fakeLoader } from './test/fake-loader.ts'

function loaderFile(name: string): Loader {
  const file = new URL(`../devices/loaders/${name}.json`, import.meta.url)
  const loader = parseLoader(JSON.parse(readFileSync(file, 'utf8')))
  if (!loader.ok) throw new Error(loader.error.message)
  return loader.value
}

const known = loaderFile('qemu-arm64')
const answers: Readonly<Record<string, string>> = {
  version: 'U-Boot 2023.01+dfsg-2+deb12u3 (Jun 22 2026 - 08:38:07 +0000)\n',
  help: `?         - alias for 'help'\n${known.commands.map((command) => `${command.padEnd(10)}- about it\n`).join('')}`,
  bdinfo: `DRAM bank   = 0x0000000000000000
-> start    = 0x0000000040000000
-> size     = 0x0000000010000000
Build       = 64-bit
fdt_size    = 0x0000000000100000
 reserved[0]\t[0x4ddb2000-0x4fffffff], 0x0224e000 bytes flags: 0
 reserved[1]\t[0x4edb2930-0x4fffffff], 0x0124d6d0 bytes flags: 0
`,
  printenv: 'baudrate=115200\nfdt_high=0xffffffff\ninitrd_high=0xffffffff\n',
  "fdt print / '#address-cells'": '#address-cells = <0x00000002>\n',
  "fdt print / '#size-cells'": '#size-cells = <0x00000002>\n',
  'true; echo $?': '0\n',
}

describe('a loader that is asked what it is', () => {
  it('gives a data file that is one, and agrees with what is known of it', async () => {
    const fake = fakeLoader({ answer: (line) => ({ output: answers[line] ?? '' }) })
    const probed = await probeLoader(fake.line, { quietMs: 150 })
    if (!probed.ok) throw new Error(probed.error.message)
    const { sources, ...claims } = probed.value
    expect(parseLoader(JSON.parse(JSON.stringify(probed.value)))).toEqual({ ok: true, value: probed.value })
    expect(Object.keys(sources).sort()).toEqual(Object.keys(claims).sort())
    const { prompt, lineLimitBytes, commands, wordBits, fdtHigh, ownTree, shell, addresses, architecture } =
      known
    expect(claims).toMatchObject({
      prompt,
      lineLimitBytes,
      commands,
      wordBits,
      fdtHigh,
      ownTree,
      shell,
      addresses,
    })
    expect(claims.architecture).toBe(architecture)
    expect(claims.ownSizeBytes).toBe(0x230_0000)
    expect(claims.formats).toContain('image')
  })

  it('is asked in its countdown too', async () => {
    const countdown = { key: ' ' }
    const fake = fakeLoader({ countdown, answer: (line) => ({ output: answers[line] ?? '' }) })
    const probed = await probeLoader(fake.line, { quietMs: 150 })
    expect(probed).toMatchObject({ ok: true, value: { autoboot: { type: 'key', key: ' ' } } })
  })

  it('that never has a prompt is given up', async () => {
    const fake = fakeLoader({ prompt: 'no prompt\n' })
    expect(await probeLoader(fake.line, { powerOnMs: 1000, quietMs: 150 })).toMatchObject({
      ok: false,
      error: { type: 'no-prompt' },
    })
  })
})
