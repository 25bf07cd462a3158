import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutatedTree } from '../../test/kconfig-mutations.ts'
import { survives } from '../../test/kconfig-survives.ts'
import { linuxSource } from '../../test/material.ts'
import { readConfig, writeConfig } from './config-file.ts'
import { createConfiguration } from './configuration.ts'
import { linux61, linux612 } from './dialect.ts'
import { openTree } from './open-tree.ts'
import { treeOf } from './test-tree.ts'

describe('damaged Kconfig files', () => {
  it('give a diagnostic with its place or a configuration, in both dialects', async () => {
    const srctree = await linuxSource('6.1')
    const corpus = [
      'init/Kconfig',
      'net/netfilter/Kconfig',
      'drivers/usb/gadget/Kconfig',
      'arch/Kconfig',
    ].map((name) => [name, readFileSync(join(srctree, name), 'latin1')] as const)
    for (let seed = 1; seed <= 150; seed++) {
      const tree = mutatedTree(corpus, seed)
      for (const dialect of [linux61, linux612])
        expect(survives(tree, dialect, seed), `seed ${seed}, ${dialect.name}`).toBe(undefined)
    }
  }, 300_000)
})

describe('commands in Kconfig files', () => {
  it('run for the tree that was named, and for nothing that a .config or a fragment says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kconfig-test-'))
    const ran = join(folder, 'ran')
    try {
      const configuration = createConfiguration(treeOf('config A\n\tstring "a"\n', linux61))
      readConfig(configuration, `CONFIG_A="$(shell,touch ${ran})"\n`, { name: '.config' })
      expect(writeConfig(configuration)).toContain(`CONFIG_A="$(shell,touch ${ran})"\n`)
      expect(existsSync(ran)).toBe(false)
      writeFileSync(join(folder, 'Kconfig'), `config A\n\tstring\n\tdefault "$(shell,touch ${ran})"\n`)
      const opened = await openTree({ srctree: folder, arch: 'arm64' })
      expect(opened.ok).toBe(true)
      expect(existsSync(ran)).toBe(true)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
