import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Artifact, type Engine, type FileArtifact, openEngine, verifyStore } from './index.ts'

let folder: string
let engine: Engine

async function start(sandbox: 'auto' | 'none'): Promise<void> {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  engine = await openEngine({ storeFolder: `${folder}/store`, sandbox })
}

afterEach(async () => {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Extra {
  readonly inputs?: Readonly<Record<string, Artifact>>
  readonly env?: Readonly<Record<string, string>>
  readonly outputs?: readonly string[]
  readonly network?: boolean
}

/** What a shell script writes to `out`. */
async function outputOf(script: string, extra: Extra = {}): Promise<string> {
  const { out } = await engine.build({
    kind: 'command',
    name: 'script',
    argv: ['sh', '-c', script],
    env: {},
    inputs: {},
    outputs: ['out'],
    ...extra,
  })
  return (await engine.read(out as FileArtifact)).toString()
}

describe.each(['auto', 'none'] as const)('with sandbox %s', (sandbox) => {
  beforeEach(() => start(sandbox))

  test('the environment is what the recipe says and what the executor fixes', async () => {
    const lines = (await outputOf('env > out', { env: { B: 'two words', TZ: 'CET' } }))
      .trim()
      .split('\n')
      .sort()
    expect(lines.filter((line) => !line.startsWith('PWD='))).toEqual([
      'B=two words',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'TZ=CET',
    ])
  })

  test('standard input is empty and new files have the usual mode', async () => {
    const before = process.umask(0o077)
    try {
      expect(await outputOf('cat > x; stat -c %a,%s x > out')).toBe('644,0\n')
    } finally {
      process.umask(before)
    }
  })

  test('inputs have a fixed time, are read-only, and only what is executable can be executed', async () => {
    const file = await engine.put('file')
    const program = await engine.put('#!/bin/sh\n', { executable: true })
    const tree = await engine.tree({ program, 'sub/file': file })
    const script = 'stat -c "%n %a %Y" file d/program tree/program tree/sub/file tree/sub > out'
    expect(await outputOf(script, { inputs: { file, 'd/program': program, tree } })).toBe(
      [
        'file 444 315532800',
        'd/program 555 315532800',
        'tree/program 555 315532800',
        'tree/sub/file 444 315532800',
        'tree/sub 755 315532800',
        '',
      ].join('\n'),
    )
  })

  test('whatever a command does to its inputs, the store is not harmed', async () => {
    const file = await engine.put('precious')
    const tree = await engine.tree({ 'a/b': file, c: await engine.put('also', { executable: true }) })
    const script = `chmod -R u+w file tree; echo x > file; echo x >> tree/a/b; echo x >> tree/c; rm -rf tree; touch out`
    await outputOf(script, { inputs: { file, tree } })
    expect((await engine.read(file)).toString()).toBe('precious')
    expect(await engine.has(tree)).toBe(true)
    await engine.close()
    expect((await verifyStore({ storeFolder: `${folder}/store` })).problems).toEqual([])
  })

  test('an input inside an output, and one inside another input, can be there', async () => {
    const file = await engine.put('x')
    const tree = await engine.tree({ a: file, 'd/e': file })
    const inputs = { tree, 'tree/b': file, 'tree/d/f': file, 'made/in': file }
    const script = 'find tree made | sort > out; cp out made/list'
    const expected = 'made\nmade/in\ntree\ntree/a\ntree/b\ntree/d\ntree/d/e\ntree/d/f\n'
    expect(await outputOf(script, { inputs, outputs: ['out', 'made'] })).toBe(expected)
  })

  test('an output may be a link to another file of the working folder, not to one outside', async () => {
    expect(await outputOf('echo x > real; ln -s real out')).toBe('x\n')
    await expect(outputOf('ln -s /etc/hostname out')).rejects.toThrow('leads nowhere in its working folder')
  })

  test('an input that is linked or moved into an output is there with its content', async () => {
    const file = await engine.put('content', { executable: true })
    const tree = await engine.tree({ a: file })
    expect(await outputOf('ln -s in/file out', { inputs: { 'in/file': file } })).toBe('content')
    const { out } = await engine.build({
      kind: 'command',
      name: 'script',
      argv: ['sh', '-c', 'mv in out'],
      env: {},
      inputs: { 'in/file': file, 'in/tree': tree },
      outputs: ['out'],
    })
    expect(out).toEqual(await engine.tree({ file, tree }))
  })

  test('an output may be a link to another output', async () => {
    const extra = { outputs: ['real', 'out'] }
    expect(await outputOf('echo x > real; ln -s real out', extra)).toBe('x\n')
  })

  test('hundreds of inputs are no trouble', async () => {
    const inputs: Record<string, Artifact> = {}
    const contents = Array.from({ length: 150 }, (_, index) => `${100 + index}`)
    const files = await Promise.all(contents.map((content) => engine.put(content)))
    for (const [index, file] of files.entries()) inputs[`in/${index}`] = file
    expect(await outputOf('cat in/* | wc -c > out', { inputs })).toBe('450\n')
  })

  test('outputs that a command has protected are taken and cleaned up', async () => {
    const script =
      'mkdir -p out/a; echo x > out/a/b; chmod 0 out/a/b; chmod 555 out/a; mkdir out/c; chmod 0 out/c; chmod 555 out'
    const { out } = await engine.build({
      kind: 'command',
      name: 'script',
      argv: ['sh', '-c', script],
      env: {},
      inputs: {},
      outputs: ['out'],
    })
    expect(out?.kind).toBe('tree')
  })
})

const sandboxWorks =
  spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', 'true']).status === 0

describe.skipIf(!sandboxWorks)('in the sandbox', () => {
  beforeEach(() => start('auto'))

  test('a command cannot change its inputs', async () => {
    const file = await engine.put('x')
    const tree = await engine.tree({ a: file })
    const script = `(echo y > file || rm -f file || chmod 777 file || touch tree/new || mv tree t || mount -o remount,rw tree) 2>/dev/null && echo yes > out || echo no > out`
    expect(await outputOf(script, { inputs: { file, tree } })).toBe('no\n')
  })

  test('a command sees neither the host nor its network', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      const connect = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3' > out 2>/dev/null || echo unreachable > out`
      expect(await outputOf(connect)).toBe('unreachable\n')
      expect(await outputOf(connect, { network: true })).toBe('hello')
    } finally {
      server.close()
    }
    expect(
      await outputOf('ls /home /root /etc/passwd 2>/dev/null > out; ls -A /tmp >> out; ls -A >> out'),
    ).toBe('out\n')
    expect(await outputOf(`ls ${folder} 2>/dev/null > out; [ -s out ] || echo hidden > out`)).toBe('hidden\n')
  })

  test('who runs it and where is the same for everybody', async () => {
    expect(await outputOf('(pwd; id -u; id -g; uname -n) > out')).toBe('/build\n1000\n1000\nfirmwright\n')
  })

  test('/tmp is private and can be written', async () => {
    expect(await outputOf('echo x > /tmp/y; ls /tmp > out')).toBe('y\n')
    expect(await outputOf('ls /tmp > out; true')).toBe('')
  })
})

test('a content folder of the store holds nothing that can be written', async () => {
  await start('auto')
  const file = await engine.put('x')
  expect(statSync(engine.path(file)).mode & 0o222).toBe(0)
  expect(readFileSync(engine.path(file), 'utf8')).toBe('x')
})
