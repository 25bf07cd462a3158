/** What reading and using a hostile tree may come to: a configuration, or a diagnostic that says where. */
import {
  type AllMode,
  answerAll,
  answerRandomly,
  createConfiguration,
  createRandom,
  type Dialect,
  parseKconfig,
  parseProbability,
  readConfig,
  writeConfig,
  writeMinimalConfig,
} from '../src/kconfig/index.ts'
import type { MutatedTree } from './kconfig-mutations.ts'

/** Diagnostics name a place; the newer kernels' words about loops name the symbols, and a file may be no file at all. */
const place = /(?:^|\n|[ '"])[^\n]*:\d+: ?|recursive dependency|can't (?:find|open) file|included from: /

/** @returns what is wrong with how it ended; undefined when nothing is */
export function survives(files: MutatedTree, dialect: Dialect, seed: number): string | undefined {
  const result = parseKconfig({
    top: 'Kconfig',
    dialect,
    readFile: (name) => files.get(name),
    environment: (name) => (name === 'SRCARCH' ? 'arm64' : undefined),
    shell: (command) => (command.length % 2 === 0 ? 'y' : 'n'),
  })
  if (!result.ok) return place.test(result.error.message) ? undefined : `no place in: ${result.error.message}`
  const probability = parseProbability(undefined)
  for (const mode of ['no', 'yes', 'mod', 'default'] as const satisfies readonly AllMode[]) {
    const configuration = createConfiguration(result.value)
    answerAll(configuration, mode)
    const text = writeConfig(configuration)
    const again = createConfiguration(result.value)
    readConfig(again, `${text}${text.slice(seed % (text.length + 1))}\nCONFIG_=\n# CONFIG_ is not set\n`, {
      name: '.config',
    })
    writeConfig(again)
    writeMinimalConfig(again)
  }
  const configuration = createConfiguration(result.value)
  if (probability !== undefined) answerRandomly(configuration, createRandom(seed), probability)
  writeConfig(configuration)
  return undefined
}
