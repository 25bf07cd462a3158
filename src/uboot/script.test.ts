import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Loader, missingAbilities, parseLoader } from './loader.ts'
import { type Command, checkLines, commandLines, quote, setInSteps } from './script.ts'

function lines(...commands: readonly Command[]): readonly string[] {
  const written = commandLines(commands)
  if (!written.ok) throw new Error(written.error.message)
  return written.value
}

describe('commands', () => {
  it('are written as U-Boot takes them', () => {
    expect(
      lines(
        { type: 'set', name: 'bootargs', value: 'console=ttyS0 memmap=1M$0x0a000000' },
        { type: 'transfer', address: 0x42000000, file: 'rootfs.squashfs' },
        { type: 'transfer', address: 0x42000000, file: 'a file' },
        { type: 'tree-address', address: '${fdtcontroladdr}' },
        { type: 'tree-resize', sizeBytes: 0x1000 },
        { type: 'tree-node', parent: '/', name: 'reserved-memory' },
        { type: 'tree-set', path: '/reserved-memory', property: 'ranges', value: { type: 'empty' } },
        { type: 'tree-set', path: '/r', property: 'reg', value: { type: 'cells', cells: [0, 0x42000000] } },
        {
          type: 'tree-set',
          path: '/r',
          property: '#size-cells',
          value: { type: 'cells', cells: [1] },
        },
        { type: 'tree-set', path: '/r', property: 'compatible', value: { type: 'string', text: 'phram' } },
        { type: 'boot', method: 'booti', kernel: 0x40200000, tree: 0x44000000 },
        { type: 'boot', method: 'bootm', kernel: 0x80100000 },
        { type: 'boot', method: 'bootm', kernel: 0x42000000, configuration: 'conf-1' },
        { type: 'boot', method: 'bootz', kernel: 1, initramfs: { address: 2, sizeBytes: 0x30 }, tree: 4 },
        { type: 'boot', method: 'bootm', kernel: 16, configuration: 'a', initramfs: '0x10#a', tree: 4 },
        { type: 'line', text: 'lzmadec 1 2' },
      ),
    ).toEqual([
      "setenv bootargs 'console=ttyS0 memmap=1M$0x0a000000'",
      'tftpboot 0x42000000 rootfs.squashfs',
      "tftpboot 0x42000000 'a file'",
      'fdt addr ${fdtcontroladdr}',
      'fdt resize 0x1000',
      'fdt mknode / reserved-memory',
      'fdt set /reserved-memory ranges',
      "fdt set /r reg '<0x0 0x42000000>'",
      "fdt set /r '#size-cells' '<0x1>'",
      "fdt set /r compatible 'phram'",
      'booti 0x40200000 - 0x44000000',
      'bootm 0x80100000',
      'bootm 0x42000000#conf-1',
      'bootz 0x1 0x2:30 0x4',
      'bootm 0x10#a 0x10#a 0x4',
      'lzmadec 1 2',
    ])
  })

  it('with a text that no quoting brings through are refused', () => {
    for (const value of ["it's", 'two\nlines', 'zero\0']) {
      expect(commandLines([{ type: 'set', name: 'a', value }])).toMatchObject({
        error: { type: 'unquotable' },
      })
    }
    expect(commandLines([{ type: 'line', text: 'a\nb' }])).toMatchObject({ error: { type: 'unquotable' } })
    const value = { type: 'string', text: '<not cells>' } as const
    expect(commandLines([{ type: 'tree-set', path: '/', property: 'p', value }])).toMatchObject({ ok: false })
  })

  it('are quoted so that a shell gives the text back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -&(-~]{0,40}$/), (text) => {
        const quoted = quote(text)
        return (
          quoted.ok && execFileSync('sh', ['-c', `printf %s ${quoted.value}`], { encoding: 'utf8' }) === text
        )
      }),
      { numRuns: 50 },
    )
  })
})

describe('the limit of a line', () => {
  it('is kept to the byte', () => {
    expect(checkLines(['x'.repeat(511)], 511).ok).toBe(true)
    expect(checkLines(['short', 'é'.repeat(256)], 511)).toMatchObject({
      ok: false,
      error: { type: 'line-too-long', line: 2, lengthBytes: 512, limitBytes: 511 },
    })
  })

  it('is kept by setting a long value in steps, which a shell puts together again', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ -&(-~]{1,300}$/),
        fc.integer({ min: 30, max: 90 }),
        (value, limit) => {
          const steps = setInSteps('v', value, limit)
          if (!steps.ok) throw new Error(steps.error.message)
          const written = lines(...steps.value)
          if (!checkLines(written, limit).ok) return false
          // setenv of the shell here: NAME VALUE; U-Boot's own is compared in the boot tests.
          const script = [`setenv() { eval "$1=\\$2"; }`, ...written, `printf %s "$v"`].join('\n')
          return execFileSync('sh', ['-c', script], { encoding: 'utf8' }) === value
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is too short for some names', () => {
    expect(setInSteps('a'.repeat(20), 'b'.repeat(20), 30)).toMatchObject({ error: { type: 'line-too-long' } })
    expect(setInSteps('a', "it's", 30)).toMatchObject({ error: { type: 'unquotable' } })
  })
})

describe('a loader data file', () => {
  const loader: Loader = {
    name: 'U-Boot 2023.01 qemu_arm64',
    prompt: '=> ',
    autoboot: { type: 'key', key: ' ' },
    lineLimitBytes: 511,
    commands: ['tftpboot', 'booti', 'bootm', 'fdt'],
    formats: ['image', 'fit'],
    architecture: 'arm64',
    wordBits: 64,
    fdtHigh: '0xffffffff',
    ownSizeBytes: 0x1000000,
    addresses: 'physical',
    rawInitramfs: true,
    tree: true,
    unpackLimitBytes: 0x4000000,
    ownTree: { sizeBytes: 0x100000, addressCells: 2, sizeCells: 2 },
    shell: 'hush',
    sources: { prompt: 'CONFIG_SYS_PROMPT of configs/qemu_arm64_defconfig' },
  }

  it('is taken when every field is right', () => {
    expect(parseLoader(JSON.parse(JSON.stringify(loader)))).toEqual({ ok: true, value: loader })
    for (const autoboot of [{ type: 'none' }, { type: 'string', text: 'tpl' }]) {
      expect(parseLoader({ ...loader, autoboot }).ok).toBe(true)
    }
  })

  it.each([
    ['', []],
    ['prompt', { ...loader, prompt: '' }],
    ['typo', { ...loader, typo: 1 }],
    ['lineLimitBytes', { ...loader, lineLimitBytes: '511' }],
    ['formats', { ...loader, formats: ['image', 'elf'] }],
    ['commands', { ...loader, commands: 'booti' }],
    ['architecture', { ...loader, architecture: 'z80' }],
    ['wordBits', { ...loader, wordBits: 16 }],
    ['autoboot', { ...loader, autoboot: { type: 'key' } }],
    ['autoboot', { ...loader, autoboot: { type: 'none', key: 'x' } }],
    ['autoboot', { ...loader, autoboot: 'none' }],
    ['autoboot', { ...loader, autoboot: { type: 'button' } }],
    ['tree', { ...loader, tree: undefined }],
    ['ramLimitBytes', { ...loader, ramLimitBytes: 0 }],
    ['ownTree', { ...loader, ownTree: { sizeBytes: 4096, addressCells: 3, sizeCells: 1 } }],
    ['ownTree', { ...loader, ownTree: { sizeBytes: 4096 } }],
    ['shell', { ...loader, shell: 'bash' }],
    ['sources', { ...loader, sources: ['the manual'] }],
    ['sources', { ...loader, sources: { promt: 'the manual' } }],
    ['sources', { ...loader, sources: { prompt: '' } }],
  ])('is refused by the name of the field: %s', (field, json) => {
    expect(parseLoader(json)).toMatchObject({ ok: false, error: { type: 'bad-loader', field } })
  })

  it('says by name what the loader lacks', () => {
    const needs = { format: 'image', commands: ['tftpboot'], initramfs: true, tree: true } as const
    expect(missingAbilities(loader, needs)).toEqual([])
    expect(missingAbilities({ ...loader, rawInitramfs: false, tree: false }, needs)).toHaveLength(2)
    expect(missingAbilities(loader, { ...needs, format: 'zimage', commands: ['lzmadec'] })).toEqual([
      'U-Boot 2023.01 qemu_arm64 does not boot the format "zimage"; it takes image, fit',
      'U-Boot 2023.01 qemu_arm64 has no command "bootz"',
      'U-Boot 2023.01 qemu_arm64 has no command "lzmadec"',
    ])
  })
})
