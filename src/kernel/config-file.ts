/**
 * Reads the text of a kernel's `.config`: symbol (without `CONFIG_`) to value. `# CONFIG_X is not set` is `n`; the
 * quotes of strings are taken off. A symbol that the file does not name is `n` as well, but is not in the map.
 * Documentation/kbuild/kconfig.rst of the kernel describes the file.
 */
export function parseConfigFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const unset = /^# CONFIG_(\w+) is not set$/.exec(line)
    if (unset?.[1] !== undefined) values.set(unset[1], 'n')
    const set = /^CONFIG_(\w+)=(.*)$/.exec(line)
    if (set?.[1] === undefined || set[2] === undefined) continue
    const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(set[2])
    values.set(set[1], quoted?.[1] === undefined ? set[2] : quoted[1].replaceAll(/\\(.)/g, '$1'))
  }
  return values
}
