/** For tests: a tree given as texts. */

import { assignAll } from './config-file.ts'
import { type Configuration, createConfiguration } from './configuration.ts'
import type { Dialect } from './dialect.ts'
import { linux612 } from './dialect.ts'
import type { Kconfig } from './model.ts'
import { type KconfigResult, parseKconfig } from './tree.ts'

export function readTree(
  files: string | Readonly<Record<string, string>>,
  dialect: Dialect = linux612,
  environment: Readonly<Record<string, string>> = {},
): KconfigResult {
  const byName = typeof files === 'string' ? { Kconfig: files } : files
  return parseKconfig({
    top: 'Kconfig',
    dialect,
    readFile: (name) => byName[name],
    environment: (name) => environment[name],
    shell: (command) => `[${command}]`,
  })
}

export function treeOf(files: string | Readonly<Record<string, string>>, dialect?: Dialect): Kconfig {
  const result = readTree(files, dialect)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

export function configured(tree: Kconfig, config = ''): Configuration {
  const configuration = createConfiguration(tree)
  assignAll(configuration, config, { name: '.config' })
  configuration.invalidate()
  return configuration
}
