import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { kmodLibrary } from './kmod-shell.ts'

/*
 * The library runs in real shells; insmod, rmmod and /proc/modules are stand-ins that keep the kernel's rules: a
 * module needs its dependencies, goes in once, and does not go while something uses it.
 */

const folder = mkdtempSync(join(tmpdir(), 'firmwright-kmod-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const shells = [['dash'], ['busybox', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', 'true']).status === 0,
)

const modules = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'] as const
const needs: Readonly<Record<string, readonly string[]>> = {
  m0: [],
  m1: ['m0'],
  m2: ['m0'],
  m3: ['m1', 'm2'],
  m4: [],
  m5: ['m4', 'm2'],
}
const plans: Readonly<Record<string, readonly string[]>> = {
  a: ['m0', 'm1'],
  b: ['m0', 'm1', 'm2', 'm3'],
  c: ['m4', 'm0', 'm2', 'm5'],
  // m4 is welcome, but not needed.
  d: ['m4?', 'm0', 'm2'],
}

// With shell builtins alone: a program started costs more than all the rest.
const standIns = `
einfo() { echo "info $*"; }
eerror() { echo "error $*"; }
dmesg() { echo "[1.0] m9: nothing"; echo "[2.0] $bad: Unknown symbol foo (err -2)"; }
${Object.entries(needs)
  .map(([name, list]) => `needs_${name}='${list.join(' ')}'`)
  .join('\n')}
names() { while read -r name rest; do printf '%s ' "$name"; done <modules; }
there() { while read -r name rest; do [ "$name" != "$1" ] || return 0; done <modules; return 1; }
insmod() {
	module=\${1##*/}
	module=\${module%.ko}
	if there $module; then echo "insmod: can't insert '$1': File exists"; return 1; fi
	needed= missing=
	eval "needed=\\$needs_$module"
	for need in $needed; do there $need || missing=yes; done
	if [ "$missing" ] || [ "$module" = "$bad" ]; then
		echo "insmod: can't insert '$1': unknown symbol in module"
		return 1
	fi
	echo "$module 16384 0 - Live 0x0" >>modules
}
rmmod() {
	if ! there "$1"; then echo "rmmod: can't unload module '$1': No such file or directory"; return 1; fi
	busy= left=
	[ "$1" != "$pinned" ] || busy=yes
	while read -r other rest; do
		eval "needed=\\$needs_$other"
		case " $needed " in *" $1 "*) busy=yes ;; esac
		[ "$other" = "$1" ] || left="$left$other $rest
"
	done <modules
	if [ "$busy" ]; then echo "rmmod: can't unload module '$1': Resource temporarily unavailable"; return 1; fi
	printf %s "$left" >modules
}
`
const lists = Object.entries(plans)
  .map(
    ([name, list]) =>
      `list_${name}() {\n${list.map((step) => `"$@" '${step}' /m/${step.replace('?', '')}.ko`).join('\n')}\n}\n`,
  )
  .join('')

let runs = 0
function run(shell: readonly string[], script: string): string {
  const cwd = join(folder, String(runs++))
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'modules'), '')
  writeFileSync(join(cwd, 'kmod.sh'), kmodLibrary)
  const text = `. ./kmod.sh\nkmod_state=$PWD/state/kmod kmod_proc=modules bad= pinned=\n${standIns}${lists}${script}`
  const [program = 'sh', ...args] = shell
  return execFileSync(program, [...args, '-c', text], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

const show = `printf 'loaded '; names; echo\n`

type Command =
  | { readonly type: 'up'; readonly service: string }
  | { readonly type: 'down'; readonly service: string }
  | { readonly type: 'insmod' | 'rmmod' | 'break' | 'pin'; readonly module: string }

const service = fc.constantFrom(...Object.keys(plans))
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('up', 'down'), service }) as fc.Arbitrary<Command>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('insmod', 'rmmod', 'break', 'pin'),
      module: fc.constantFrom(...modules),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('break', 'pin'), module: fc.constant('none') }) },
)

/** What should be loaded after each command, and whether each `up` succeeds. */
function model(commands: readonly Command[]): string[] {
  const loaded = new Set<string>()
  /** Modules that are ours, and who needs them. */
  const ours = new Map<string, Set<string>>()
  let bad = ''
  let pinned = ''
  const insert = (name: string) => {
    if (loaded.has(name) || name === bad || !(needs[name] ?? []).every((need) => loaded.has(need)))
      return false
    loaded.add(name)
    return true
  }
  const remove = (name: string) => {
    const used = [...loaded].some((other) => needs[other]?.includes(name))
    return name !== pinned && !used && loaded.delete(name)
  }
  const release = (user: string, names: readonly string[]) => {
    for (const name of names) ours.get(name)?.delete(user)
    for (const name of names.toReversed()) {
      if (ours.get(name)?.size !== 0) continue
      if (!loaded.has(name) || remove(name)) ours.delete(name)
    }
  }
  const up = (user: string): boolean => {
    const done: string[] = []
    for (const step of plans[user] ?? []) {
      const name = step.replace('?', '')
      if (loaded.has(name)) {
        if (!ours.has(name)) continue
      } else if (insert(name)) {
        if (!ours.has(name)) ours.set(name, new Set())
      } else if (step === name) {
        release(user, done)
        return false
      } else continue
      ours.get(name)?.add(user)
      done.push(name)
    }
    return true
  }
  return commands.map((command) => {
    let result = ''
    if (command.type === 'up') result = up(command.service) ? 'yes' : 'no'
    else if (command.type === 'down') {
      const names = (plans[command.service] ?? []).map((step) => step.replace('?', ''))
      release(
        command.service,
        names.filter((name) => ours.get(name)?.has(command.service)),
      )
    } else if (command.type === 'insmod') insert(command.module)
    else if (command.type === 'rmmod') remove(command.module)
    else if (command.type === 'break') bad = command.module
    else pinned = command.module
    return `${result}: ${[...loaded].sort().join(' ')}`
  })
}

function script(command: Command): string {
  const report = `printf '= %s: ' "$result"; names; echo\n`
  switch (command.type) {
    case 'up':
      return `if kmod_up ${command.service} list_${command.service}; then result=yes; else result=no; fi; ${report}`
    case 'down':
      return `kmod_down ${command.service} list_${command.service}; result=; ${report}`
    case 'insmod':
      return `insmod /m/${command.module}.ko >/dev/null; result=; ${report}`
    case 'rmmod':
      return `rmmod '${command.module}' >/dev/null; result=; ${report}`
    case 'break':
      return `bad=${command.module}; result=; ${report}`
    case 'pin':
      return `pinned=${command.module}; result=; ${report}`
  }
}

describe.each(shells.map((shell) => ({ shell })))('kmod.sh under $shell', ({ shell }) => {
  it('does what the model does, whatever is started, stopped, loaded by hand, broken or busy', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { minLength: 5, maxLength: 25 }), (commands) => {
        const output = run(shell, commands.map(script).join(''))
        const seen = output
          .split('\n')
          .filter((line) => line.startsWith('= '))
          .map((line) => {
            const [result, names = ''] = line.slice(2).split(': ')
            return `${result}: ${names.split(' ').filter(Boolean).sort().join(' ')}`
          })
        expect(seen).toEqual(model(commands))
      }),
      { numRuns: 25 },
    )
  })

  it('leaves what was there before, and unloads the rest with the last service that needs it', () => {
    const output = run(
      shell,
      `insmod /m/m0.ko; insmod /m/m2.ko
kmod_up a list_a; kmod_up b list_b; ${show}
kmod_down b list_b; ${show}
kmod_down a list_a; ${show}
ls state/kmod`,
    )
    expect(output).toBe('loaded m0 m2 m1 m3 \nloaded m0 m2 m1 \nloaded m0 m2 \n')
  })

  it('undoes a load that fails half way, and names the module with the kernel’s own line', () => {
    const output = run(shell, `bad=m3; kmod_up b list_b; echo "status $?"; ${show} ls state/kmod`)
    expect(output).toBe(
      [
        "error kernel module m3 does not load: insmod: can't insert '/m/m3.ko': unknown symbol in module",
        'error the kernel says: [2.0] m3: Unknown symbol foo (err -2)',
        'status 1',
        'loaded ',
        '',
      ].join('\n'),
    )
  })

  it('says once that a module stays, does not call it a failure, and unloads it at the next chance', () => {
    const output = run(
      shell,
      `kmod_up b list_b; pinned=m1; kmod_down b list_b; echo "status $?"; ${show}
pinned=; kmod_up a list_a; kmod_down a list_a; ${show}`,
    )
    expect(output).toBe(
      [
        "info kernel module m1 stays loaded: rmmod: can't unload module 'm1': Resource temporarily unavailable",
        "info kernel module m0 stays loaded: rmmod: can't unload module 'm0': Resource temporarily unavailable",
        'status 0',
        'loaded m0 m1 ',
        'loaded ',
        '',
      ].join('\n'),
    )
  })

  it('does not ask a module without an exit function to go, and says so once', () => {
    const output = run(
      shell,
      `list() { "$@" 'm0!' /m/m0.ko; "$@" 'm4?!' /m/m4.ko; "$@" m1 /m/m1.ko; }
kmod_up s list; kmod_down s list; echo "status $?"; ${show}
kmod_up s list; kmod_down s list; ${show}
kmod_up a list_a; bad=m3; kmod_up b list_b; ${show}`,
    )
    expect(output.split('\n').filter((line) => !line.startsWith('error'))).toEqual([
      'info kernel module m4 stays loaded: it has no exit function',
      'info kernel module m0 stays loaded: it has no exit function',
      'status 0',
      'loaded m0 m4 ',
      'loaded m0 m4 ',
      'loaded m0 m4 m1 ',
      '',
    ])
  })

  it('passes parameters as they are', () => {
    const output = run(
      shell,
      `insmod() { printf '<%s>' "$@"; echo; echo "$#"; return 1; }
dmesg() { :; }
list() { "$@" x /m/x.ko 'a=1' 'b=*'; }
kmod_up s list || :`,
    )
    expect(output).toBe('error kernel module x does not load: </m/x.ko><a=1><b=*>\n3\n')
  })

  it('takes over the lock of a process that was killed', () => {
    const output = run(
      shell,
      `mkdir state; ${shell.join(' ')} -c 'echo $$' >state/kmod.lock; kmod_up a list_a; ${show}`,
    )
    expect(output).toBe('loaded m0 m1 \n')
  })

  it('is right when many services start and stop at once', () => {
    const names = Object.keys(plans)
    const each = names.map(
      (name) =>
        `( for round in 1 2 3; do kmod_up ${name} list_${name} || echo failed; kmod_down ${name} list_${name}; done ) &\n`,
    )
    const output = run(shell, `${each.join('')}wait; ${show} ls state/kmod`)
    expect(output).toBe('loaded \n')
  })
})
