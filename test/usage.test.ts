import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { firmwright, folderWith, program } from './firmwright.ts'

describe('the command line', () => {
  it.each([
    ['build --jbos 2', /unknown option '--jbos'[\s\S]*--jobs/],
    ['build --jobs none', /none is not a whole number above 0/],
    ['build --jobs 0', /0 is not a whole number above 0/],
    ['biuld', /unknown command 'biuld'[\s\S]*build/],
    ['store', /gc[\s\S]*verify/],
    ['store sweep', /unknown command 'sweep'/],
    ['build -o', /argument missing/],
  ])('%s is wrong usage', async (words, message) => {
    const { exitCode, stderr } = await firmwright(words.split(' '), { cwd: folderWith({}) })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(exitCode).toBe(2)
  })

  it('without a command says which there are', async () => {
    const { exitCode, stdout, stderr } = await firmwright([])
    expect(stdout + stderr).toContain('build')
    expect(exitCode).toBe(2)
  })

  it('tells its version', async () => {
    const { exitCode, stdout } = await firmwright(['--version'])
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/)
    expect(exitCode).toBe(0)
  })

  it('ends quietly when its reader has heard enough', async () => {
    const { stderr } = await execa('sh', [
      '-c',
      '{ "$0" "$1" --help; echo "status $?" >&2; } | true',
      process.execPath,
      program,
    ])
    expect(stderr).toBe('status 141')
  })

  it('explains every command, each with an example', async () => {
    const top = await firmwright(['--help'])
    expect(top.exitCode).toBe(0)
    const commands = commandsIn(top.stdout)
    expect(commands).toEqual(expect.arrayContaining(['build', 'run', 'update', 'store']))
    for (const command of commands) {
      const help = await firmwright([command, '--help'])
      expect(help.exitCode, command).toBe(0)
      const parts = commandsIn(help.stdout)
      if (parts.length === 0) expect(help.stdout).toContain(`Example:\n  firmwright ${command}`)
      for (const part of parts) {
        const { stdout } = await firmwright([command, part, '--help'])
        expect(stdout).toContain(`Example:\n  firmwright ${command} ${part}`)
      }
    }
  })
})

/** Names in the list of commands of a help text. */
function commandsIn(help: string): readonly string[] {
  const [, list = ''] = help.split(/^Commands:\n/m)
  return (list.split('\n\n')[0] ?? '')
    .split('\n')
    .flatMap((text) => /^ {2}([a-z]+)/.exec(text)?.[1] ?? [])
    .filter((name) => name !== 'help')
}
