import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { type Origin, placeInStack, UserError } from '../diagnostics/index.ts'
import type { DefinedSystem } from './definition.ts'

// `import` would have Node read the whole of jiti once more, in search of the names that it exports: a tenth of the
// time of a build in which nothing changed.
const { createJiti } = createRequire(import.meta.url)('jiti') as typeof import('jiti')

export interface LoadOptions {
  /**
   * What `import … from 'firmwright'` and its subpaths give a system file: the running program's own modules, so
   * that a user's import is always of the same version.
   */
  readonly modules: Readonly<Record<string, unknown>>
  /** Folder for compiled system files; they are compiled again when their text changes. */
  readonly cacheFolder: string
}

/**
 * Loads a system file (TypeScript or JavaScript) and returns the systems that it exports by default: one, or a
 * list of them.
 *
 * @throws UserError when the file is missing, does not compile, throws, or exports something else.
 */
export async function loadSystems(path: string, options: LoadOptions): Promise<readonly DefinedSystem[]> {
  const file = resolve(path)
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) {
    throw new UserError({
      what: `there is no system file ${path}`,
      why: found === undefined ? 'nothing exists by that name' : 'it is not a file',
      fix: 'name a TypeScript file that exports defineSystem({ … }) by default',
    })
  }
  const jiti = createJiti(`${dirname(file)}/`, {
    fsCache: options.cacheFolder,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { ...options.modules },
  })
  const exported = await jiti.import<{ readonly default?: unknown }>(file).catch((error: unknown) => {
    throw explain(error, { file })
  })
  const systems = Array.isArray(exported.default) ? exported.default : [exported.default]
  if (systems.length === 0 || !systems.every(isDefinedSystem)) {
    throw new UserError({
      what: `${path} does not export a system`,
      where: [{ file }],
      why: 'its default export must be what defineSystem returns, or a list of such',
      fix: 'end the file with: export default defineSystem({ … })',
    })
  }
  return systems
}

function isDefinedSystem(value: unknown): value is DefinedSystem {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'firmwright-system'
}

/** Turns whatever a user's code threw into a diagnostic with its place; our own diagnostics pass through. */
export function explain(error: unknown, around: Origin): unknown {
  if (error instanceof UserError) return error
  if (!(error instanceof Error)) {
    return new UserError({ what: `the system file threw ${String(error)}`, where: [around] })
  }
  // jiti reports what the compiler refuses as "ParseError: <reason>\n <file>:<line>:<column>".
  const parse = /^ParseError:\s*([\s\S]*?)\s+(\/.*?):(\d+):\d+\s*$/.exec(error.message)
  if (parse?.[1] !== undefined && parse[2] !== undefined) {
    return new UserError({
      what: `the system file does not compile: ${parse[1]}`,
      where: [{ file: parse[2], line: Number(parse[3]) }],
      fix: 'correct the syntax there',
    })
  }
  if ('code' in error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
    return new UserError({
      what: 'the system file imports something that cannot be found',
      where: [around],
      why: error.message.split('\n')[0] ?? '',
      fix: 'correct the import, or install the package beside the system file',
    })
  }
  const origin: Origin = placeInStack(error.stack ?? '') ?? around
  return new UserError({
    what: `the system file threw ${error.name}: ${error.message}`,
    where: [origin],
  })
}
