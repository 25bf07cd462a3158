import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { codeDigest } from './object-code.ts'

const folder = mkdtempSync(join(tmpdir(), 'object-code-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function compile(source: string, ...flags: readonly string[]): string {
  const object = join(folder, 'object.o')
  execFileSync('gcc', ['-O2', '-ffunction-sections', ...flags, '-c', '-x', 'c', '-', '-o', object], {
    input: source,
  })
  return codeDigest(readFileSync(object))
}

const source = `
extern int helper(int);
static int counted(int x) { return helper(x) + 1; }
static int (*pointer_NUMBER)(int) __attribute__((used)) = counted;
int visible(int x) { return counted(x) * 3; }
`

describe('two objects are the same code', () => {
  it('whatever their debug information, the lines, and what only they themselves can name', () => {
    const plain = compile(source)
    expect(compile(`\n\n${source}`, '-g')).toBe(plain)
    expect(compile(source.replace('NUMBER', '1234567'))).toBe(plain)
    expect(compile(`int declared_only(void);\n${source}`)).toBe(plain)
  })

  it.each([
    ['an instruction', source.replace('* 3', '* 5')],
    ['what is called', source.replaceAll('helper', 'assistant')],
    ['what a pointer leads to', source.replace('= counted;', '= helper;')],
    ['a name that others can see', source.replace('visible', 'public')],
    ['who can see it', source.replace('int visible', 'int __attribute__((weak)) visible')],
    [
      'the section it is in',
      source.replace('int visible', 'int __attribute__((section(".init.text"))) visible'),
    ],
    ['a variable more', `${source}int more;`],
  ])('but not where they differ in %s', (_, other) => {
    expect(compile(other)).not.toBe(compile(source))
  })
})

it('what is no object is compared by its bytes', () => {
  expect(codeDigest(Buffer.from('a linker script'))).toBe(codeDigest(Buffer.from('a linker script')))
  expect(codeDigest(Buffer.from('a linker script'))).not.toBe(codeDigest(Buffer.from('another')))
  const cut = readFileSync('/bin/sh').subarray(0, 100)
  expect(codeDigest(cut)).not.toBe(codeDigest(cut.subarray(0, 99)))
})
