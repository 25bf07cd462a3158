import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { shellOutputToText } from './preprocess.ts'
import { createProbes } from './probes.ts'

const folder = mkdtempSync(join(tmpdir(), 'kconfig-probes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const environment = { PATH: process.env.PATH ?? '', WORD: "it's" }

describe('probes', () => {
  it.each([1, 2, 3])('give what a shell of its own gives for each command, %i at a time', async (jobs) => {
    const commands = [
      'echo one; echo two',
      'printf "no newline"',
      'cat',
      'exit 3',
      'kill -9 $PPID; echo gone',
      `echo "$WORD" 'quoted' && echo '--a-mark--'`,
      'echo "unbalanced',
      'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done',
      'cd /; pwd',
      ...Array.from({ length: 20 }, (_, number) => `test $(( ${number} % 3 )) = 0 && echo y || echo n`),
    ]
    const probes = createProbes({ environment, folder, jobs })
    for (const command of commands.slice(0, 12)) probes.begin(command)
    await probes.run(commands)
    for (const command of commands) {
      // Inside a shell that may be killed.
      const inside = ['-c', '/bin/sh -c "$0" </dev/null; :', command]
      const { stdout } = spawnSync('/bin/sh', inside, { cwd: folder, env: environment, encoding: 'latin1' })
      expect(probes.recall(command), command).toBe(shellOutputToText(stdout))
    }
    expect(probes.errors).toContain('nterminated quoted string')
  })

  it('are asked again when the program that they name is another', async () => {
    const cacheFile = join(folder, 'cache.json')
    const command = '/bin/sh -c "echo found"'
    const first = createProbes({ environment, cacheFile })
    await first.run([command, 'uname -r'])
    first.save()
    const second = createProbes({ environment, cacheFile })
    expect(second.recall(command)).toBe('found')
    expect(second.recall('uname -r')).toBeUndefined()
    expect(createProbes({ environment: { ...environment, CC: '/bin/cat' }, cacheFile }).recall(command)).toBe(
      undefined,
    )
  })
})
