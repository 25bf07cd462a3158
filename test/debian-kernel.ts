import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfigFile } from '../src/kernel/index.ts'
import { type MaterialPackage, unpackedPackage } from './material.ts'

/** What Debian's kernel package says of its kernel: the configuration, and the modules that it was built with. */
export async function debianKernelFacts(wanted: MaterialPackage) {
  const folder = await unpackedPackage(wanted)
  const boot = join(folder, 'boot')
  const name = readdirSync(boot).find((file) => file.startsWith('config-'))
  if (name === undefined) throw new Error(`${wanted.package} has no configuration`)
  const release = name.slice('config-'.length)
  const merged = readdirSync(folder).includes('usr') && readdirSync(join(folder, 'usr')).includes('lib')
  const modules = [join(folder, 'lib/modules'), ...(merged ? [join(folder, 'usr/lib/modules')] : [])]
  const texts = modules.flatMap((each) => {
    try {
      return [readFileSync(join(each, release, 'modules.order'), 'utf8')]
    } catch {
      return []
    }
  })
  const lines = (texts[0] ?? '').split('\n').filter((line) => line !== '')
  const config = readFileSync(join(boot, name), 'utf8')
  return {
    release,
    /** of Linux itself: `6.1.176` */
    version: /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(config)?.[1] ?? '',
    config: parseConfigFile(config),
    /** objects, relative to the top of the tree, in the order of modules.order */
    modules: lines.map((line) => line.replace(/^kernel\//, '').replace(/\.ko$/, '.o')),
  }
}

/** The version that a kernel source says it is. Packages move one by one: a kernel and a source may be of two days. */
export function sourceVersion(folder: string): string {
  const makefile = readFileSync(join(folder, 'Makefile'), 'utf8')
  const part = (name: string): string => new RegExp(`^${name} = (\\d+)`, 'm').exec(makefile)?.[1] ?? ''
  return `${part('VERSION')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}`
}
