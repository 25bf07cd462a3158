import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../diagnostics/index.ts'
import { writeWhole } from './write-whole.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a file that is written whole', () => {
  it('keeps its mode, and is reached by links, which stay', () => {
    const [file, link] = [join(folder, 'file'), join(folder, 'link')]
    writeWhole(file, 'first')
    chmodSync(file, 0o640)
    symlinkSync('file', link)
    writeWhole(link, 'second')
    expect(readFileSync(file, 'utf8')).toBe('second')
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readdirSync(folder)).toEqual(['file', 'link'])
  })

  it('is a pipe as well, which stays one', async () => {
    const pipe = join(folder, 'pipe')
    await execa('mkfifo', [pipe])
    const reader = execa('cat', [pipe])
    writeWhole(pipe, 'through')
    expect((await reader).stdout).toBe('through')
    expect(statSync(pipe).isFIFO()).toBe(true)
  })

  it('that cannot be written leaves all as it was', () => {
    for (const file of [join(folder, 'none', 'file'), folder])
      expect(() => writeWhole(file, 'text')).toThrow(UserError)
    expect(readdirSync(folder)).toEqual([])
  })
})
