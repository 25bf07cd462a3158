import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { indexData } from './content.ts'
import { makeDeb } from './test/repository.ts'

const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function index(tar: Buffer) {
  const data = {
    kind: 'file' as const,
    digest: { sha256: '00'.repeat(32), sizeBytes: tar.length },
    executable: false,
  }
  const read = async (_: unknown, { offsetBytes, sizeBytes } = { offsetBytes: 0, sizeBytes: tar.length }) =>
    tar.subarray(offsetBytes, offsetBytes + sizeBytes)
  return indexData({ read }, data)
}

async function indexOf(files: Readonly<Record<string, string | Uint8Array>>) {
  const deb = await makeDeb(folder, { name: 'sample', files })
  const { stdout } = await run('dpkg-deb', ['--fsys-tarfile', join(folder, deb)], { encoding: 'buffer' })
  return { tar: stdout, ...(await index(stdout)) }
}

/** An archive of one member after a directory, with a name or a target that dpkg-deb would not make. */
async function hostile(...transform: readonly string[]) {
  const path = join(folder, 'hostile.tar')
  await run('tar', ['-cf', path, '-C', '/usr/bin', '-P', ...transform, 'env'])
  return index(await readFile(path))
}

describe('the files of a package', () => {
  it('are ranges of its data.tar, under usr-merged names, in order', async () => {
    const { tar, files } = await indexOf({
      'sbin/tool': '#! /bin/sh -e \necho hello\n',
      'lib/x/data': 'data',
      'usr/bin/link': '-> ../sbin/tool',
    })
    expect(files.filter(({ type }) => type !== 'directory').map(({ path }) => path)).toEqual([
      '/usr/bin/link',
      '/usr/lib/x/data',
      '/usr/sbin/tool',
    ])
    const tool = files.find(({ path }) => path === '/usr/sbin/tool')
    expect(tool).toMatchObject({
      mode: 0o755,
      uid: 0,
      gid: 0,
      shebang: { interpreter: '/bin/sh', argument: '-e' },
    })
    if (tool?.type !== 'file') throw new Error('no file')
    expect(tar.toString('utf8', tool.offsetBytes, tool.offsetBytes + tool.sizeBytes)).toContain('echo hello')
    expect(files.find(({ path }) => path === '/usr/lib/x/data')).not.toHaveProperty('shebang')
  })

  it('that are ELF tell what they need', async () => {
    const env = await readFile('/usr/bin/env')
    const { files } = await indexOf({
      'usr/bin/env': env,
      'usr/lib/modules/x.ko': env,
      'usr/lib/bad.so': env.subarray(0, 30),
    })
    const [bad, program, module] = ['/usr/lib/bad.so', '/usr/bin/env', '/usr/lib/modules/x.ko'].map((path) =>
      files.find((one) => one.path === path),
    )
    const { stdout } = await run('readelf', ['-d', '-l', '/usr/bin/env'])
    const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1])
    const interpreter = /Requesting program interpreter: (.*)\]/.exec(stdout)?.[1]
    expect(program).toMatchObject({ elf: { needed, interpreter } })
    expect(module).not.toHaveProperty('elf')
    expect(bad).not.toHaveProperty('elf')
  })

  it('that are relative links keep their meaning when /lib moves below /usr', async () => {
    const { files } = await indexOf({
      'lib/x/up': '-> ../../usr/lib/y',
      'lib/x/beside': '-> data',
      'lib/x/etc': '-> ../../etc/x',
      'lib/x/absolute': '-> /lib/y',
    })
    const targets = files.flatMap((one) => (one.type === 'symlink' ? [[one.path, one.target]] : []))
    expect(targets).toEqual([
      ['/usr/lib/x/absolute', '/lib/y'],
      ['/usr/lib/x/beside', 'data'],
      ['/usr/lib/x/etc', '../../../etc/x'],
      ['/usr/lib/x/up', '../y'],
    ])
  })

  it('that are hard links are the same range', async () => {
    const path = join(folder, 'hard.tar')
    const script =
      'cd "$1" && mkdir -p h/bin && echo x > h/bin/a && ln -f h/bin/a h/bin/b && tar -C h -cf "$2" ./bin'
    await run('sh', ['-c', script, 'sh', folder, path])
    const { files } = await index(await readFile(path))
    const [a, b] = ['/usr/bin/a', '/usr/bin/b'].map((name) => files.find((one) => one.path === name))
    expect(a).toMatchObject({ type: 'file', sizeBytes: 2 })
    expect(b).toEqual({ ...a, path: '/usr/bin/b' })
  })

  it('may not have names that leave the root', async () => {
    expect((await hostile('--transform', 's,^,/etc/,')).problem).toContain('absolute name')
    expect((await hostile('--transform', 's,^,./x/../../etc/,')).problem).toContain('has .. in its name')
    expect((await index(Buffer.from('nonsense'.repeat(200)))).problem).toContain('data.tar')
  })
})
