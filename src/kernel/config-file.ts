/**
 * Reads the text of a kernel's `.config`: symbol (without `CONFIG_`) to value. `# CONFIG_X is not set` is `n`; the
 * quotes of strings are taken off. A symbol that the file does not name is `n` as well, but is not in the map.
 * Documentation/kbuild/kconfig.rst of the kernel describes the file.
 */
export function parseConfigFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const [, unset, symbol, value = ''] of text.matchAll(assignment)) {
    if (unset !== undefined) values.set(unset, 'n')
    else if (symbol !== undefined) values.set(symbol, value.startsWith('"') ? unquoted(value) : value)
  }
  return values
}

const assignment = /^(?:# CONFIG_(\w+) is not set|CONFIG_(\w+)=(.*))$/gm

function unquoted(value: string): string {
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/.exec(value) ?? []
  return inner === undefined ? value : inner.replaceAll(/\\(.)/g, '$1')
}
