/**
 * What kbuild remembers of a target that it has made: `.core.o.cmd` beside `core.o` holds the command line, and, as
 * scripts/basic/fixdep writes them, every file that was read and every configuration symbol that those files mention.
 */

export interface CommandFile {
  readonly command: string
  /** symbol (without `CONFIG_`) → the file in which it was seen first, relative to the folder of the build */
  readonly mentions: ReadonlyMap<string, string>
  /** what was read: the source first, then its headers */
  readonly files: readonly string[]
}

export function parseCommandFile(text: string): CommandFile {
  const [, command = ''] = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(text) ?? []
  const [, source] = /^source_\S+ := (.*)$/m.exec(text) ?? []
  const files: string[] = source === undefined ? [] : [source]
  const mentions = new Map<string, string>()
  const list = /^deps_\S+ := \\\n((?:.*\\\n)*)/m.exec(text)?.[1] ?? ''
  for (const line of list.split('\n')) {
    const [, symbol, file] = /^\s+(?:\$\(wildcard include\/config\/(\w+)\)|(\S+)) \\$/.exec(line) ?? []
    if (file !== undefined) files.push(file)
    else if (symbol !== undefined && !mentions.has(symbol)) mentions.set(symbol, files.at(-1) ?? '')
  }
  return { command, mentions, files }
}

/** Where the command file of a target is: `net/core/.dev.o.cmd`. */
export function commandFileOf(target: string): string {
  const slash = target.lastIndexOf('/') + 1
  return `${target.slice(0, slash)}.${target.slice(slash)}.cmd`
}

/** Path of a file as it is called in the source: kbuild says `../include/x.h`, `./include/x.h` or an absolute path. */
export function sourceName(file: string, sourceFolder: string): string {
  const inside = file.startsWith(`${sourceFolder}/`) ? file.slice(sourceFolder.length + 1) : file
  return inside.replace(/^(?:\.{1,2}\/)+/, '')
}
