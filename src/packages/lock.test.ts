import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic, UserError } from '../diagnostics/index.ts'
import { lineOfJsonError, lineOfJsonPath } from './json-line.ts'
import { type Lock, type LockedSet, parseLock, printLock } from './lock.ts'

function told(text: string): string {
  try {
    parseLock(text, 'firmwright.lock')
  } catch (error) {
    if (error instanceof UserError) return error.diagnostics.map((one) => formatDiagnostic(one)).join('\n')
    throw error
  }
  return 'no error'
}

const set: LockedSet = {
  name: 'system',
  release: 'bookworm',
  architecture: 'arm64',
  request: { install: ['a-tool', 'b2'], only: ['linux-image-arm64'] },
  metapackages: { 'linux-image-arm64': 'linux-image-6.1.0-9-arm64' },
  packages: [
    {
      name: 'a-tool',
      version: '2:1.0~rc1-1+b1',
      architecture: 'arm64',
      sha256: 'ab'.repeat(32),
      sizeBytes: 12,
      filename: 'pool/main/a/a-tool/a-tool_1.0_arm64.deb',
    },
    {
      name: 'linux-image-6.1.0-9-arm64',
      version: '6.1.1-1',
      architecture: 'arm64',
      sha256: 'cd'.repeat(32),
      sizeBytes: 13,
      filename: 'pool/main/l/linux/linux-image-6.1.0-9-arm64_6.1.1-1_arm64.deb',
      alone: true,
    },
  ],
}

describe('a lock', () => {
  it('is read back as it was written, whatever the order it was written in', () => {
    const other = { ...set, architecture: 'amd64' }
    const shuffled = { ...set, packages: set.packages.toReversed() }
    const text = printLock({ sets: [set, other] })
    expect(parseLock(text, 'x')).toEqual({ sets: [other, set] })
    expect(printLock({ sets: [other, shuffled] })).toBe(text)
  })

  it('has one package a line', () => {
    expect(printLock({ sets: [set] })).toMatchSnapshot()
  })

  it('may have no sets', () => {
    expect(parseLock(printLock({ sets: [] }), 'x')).toEqual({ sets: [] })
  })

  it('that is cut off names the line', () => {
    const text = printLock({ sets: [set] })
    const cut = text.slice(0, text.indexOf('"pool/main/l'))
    expect(told(cut)).toContain('it is not JSON')
    expect(told(cut)).toContain(`firmwright.lock:${cut.split('\n').length}`)
  })

  it('with a value that is none names place and line', () => {
    const text = printLock({ sets: [set] }).replace('"cdcd', '"xxcd')
    const line = text.split('\n').findIndex((one) => one.includes('"xxcd')) + 1
    expect(told(text)).toContain('sets[0].packages[1].sha256: not a SHA-256')
    expect(told(text)).toContain(`firmwright.lock:${line}`)
  })

  it('of another format says so', () => {
    expect(told('{ "version": 2 }')).toContain('use a newer Firmwright')
  })

  it('with both sides of a merge is refused', () => {
    const twice = { ...set, packages: [...set.packages, ...set.packages.slice(0, 1)] }
    expect(told(printLock({ sets: [twice] }))).toContain('pins a-tool twice')
    expect(told(printLock({ sets: [set, set] }))).toContain('is there twice')
  })

  it('names no path that leaves the mirror', () => {
    for (const filename of ['../x.deb', '/x.deb', 'http://h.invalid/x.deb', 'x', 'a b.deb']) {
      const text = printLock({ sets: [set] }).replace('pool/main/a/a-tool/a-tool_1.0_arm64.deb', filename)
      expect(told(text)).toContain('packages[0].filename')
    }
  })

  it('is a lock or an error that says so, whatever was done to it', () => {
    const text = printLock({ sets: [set] })
    const edit = fc.record({
      at: fc.nat(text.length),
      drop: fc.nat(20),
      put: fc.string({
        unit: fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '1', 'a', '\\', '\n'),
        maxLength: 4,
      }),
    })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let damaged = text
        for (const { at, drop, put } of edits) damaged = damaged.slice(0, at) + put + damaged.slice(at + drop)
        let lock: Lock | undefined
        try {
          lock = parseLock(damaged, 'firmwright.lock')
        } catch (error) {
          expect(error).toBeInstanceOf(UserError)
        }
        if (lock !== undefined) expect(parseLock(printLock(lock), 'x').sets).toHaveLength(lock.sets.length)
      }),
      { numRuns: 500 },
    )
  })
})

describe('lines in JSON', () => {
  const json = '{\n "a": [\n  1, {"}": "x]"},\n  {"b\\"": null}\n ],\n "c": {}\n}'

  it('are those of the value at a path', () => {
    expect(lineOfJsonPath(json, [])).toBe(1)
    expect(lineOfJsonPath(json, ['a'])).toBe(2)
    expect(lineOfJsonPath(json, ['a', 1, '}'])).toBe(3)
    expect(lineOfJsonPath(json, ['a', 2, 'b"'])).toBe(4)
    expect(lineOfJsonPath(json, ['c'])).toBe(6)
    expect(lineOfJsonPath(json, ['a', 2, 'nothing', 3])).toBe(4)
  })

  it('are never past the error that the parser finds', () => {
    const damage = fc.tuple(fc.nat(json.length), fc.constantFrom('', ',', '}', ']', '"', ':', 'x', '\n'))
    fc.assert(
      fc.property(damage, ([at, put]) => {
        const text = json.slice(0, at) + put + json.slice(at + 1)
        const line = lineOfJsonError(text)
        expect(line).toBeLessThanOrEqual(text.split('\n').length)
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        // Text up to the line before the error must be the beginning of some JSON: nothing wrong is found in it.
        const before = text
          .split('\n')
          .slice(0, line - 1)
          .join('\n')
        if (!valid && before.trim() !== '') expect(lineOfJsonError(before)).toBe(line - 1)
      }),
    )
  })
})
