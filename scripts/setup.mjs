// What must be there before `npm start` and `npm test`: npm packages, host programs, and our own code compiled.
// Plain JavaScript, because it runs before anything is installed. `--tests`, `--bench` and `--verify`
// want what those need as well.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = (text) => process.stderr.write(`${text}\n`)

function fail(text) {
  say(text)
  process.exit(1)
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error !== undefined || status !== 0) {
    fail(`setup: ${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`)
  }
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Firmwright needs Node 20.19 or later; this is ${process.versions.node}`)
}

// npm packages: when there are none, or when they are older than the lock file.
const installed = join(root, 'node_modules', '.package-lock.json')
const lock = join(root, 'package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  say('setup: installing npm packages')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

// Host programs, by the Debian package that has them.
const tools = JSON.parse(readFileSync(join(root, 'host-tools.json'), 'utf8'))
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
const present = (name) =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
const uses = Object.keys(tools).filter((use) => use === 'run' || process.argv.includes(`--${use}`))
const wanted = Object.assign({}, ...uses.map((use) => tools[use]))
const missing = [
  ...new Set(
    Object.entries(wanted)
      .filter(([name]) => (name.startsWith('/') ? !existsSync(name) : !present(name)))
      .map(([, name]) => name),
  ),
]
if (missing.length > 0) installPackages(missing)

function installPackages(packages) {
  const isRoot = process.getuid?.() === 0
  const sudo = !isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  const prefix = isRoot ? [] : ['sudo']
  const line = [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages].join(' ')
  if (!present('apt-get') || (!isRoot && !sudo)) {
    fail(`setup: these host packages are missing; install them with\n  ${line}`)
  }
  say(`setup: installing host packages: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, 'apt-get', '-qq', ...args]
    run(command, rest, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  apt('update')
  apt('install', '-y', '--no-install-recommends', ...packages)
}

// Our own code. The compiler's own record of what changed makes this two seconds when nothing did.
run('npm', ['run', '--silent', 'build'])
