import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { type CheckOptions, checkKmods, firmwareNames, parseSymvers, type Symvers } from '../kmod/index.ts'
import { findConfigFile, type SourceOptions } from './kernel-source.ts'
import { type ModulesOptions, openModules } from './kmod-folder.ts'
import { planTargets } from './kmod-plan.ts'

interface CommandOptions extends ModulesOptions, SourceOptions {
  readonly symvers?: string
  readonly firmware?: string
  readonly waiveFirmware?: readonly string[]
  readonly json?: boolean
}

export async function check(targets: readonly string[], options: CommandOptions): Promise<void> {
  const source = openModules(options)
  const symvers = readSymvers(options)
  const planned = targets.length === 0 ? undefined : await planTargets(source, targets, options)
  const release = releaseOf(options.modules)
  const proof: CheckOptions = {
    ...(release === undefined ? {} : { release }),
    ...(planned === undefined ? {} : { plans: [planned.steps.map(({ name }) => name)] }),
    ...(symvers === undefined ? {} : { symvers }),
    ...(options.firmware === undefined
      ? {}
      : {
          firmware: {
            files: await namesOfFirmware(options.firmware, options, release),
            ...(options.waiveFirmware === undefined ? {} : { waived: options.waiveFirmware }),
            ...(planned === undefined ? {} : { builtin: new Set(planned.builtin.map(({ name }) => name)) }),
          },
        }),
  }
  const result = await checkKmods(source, proof)
  const { findings, modules, provedSymbols } = result
  if (options.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  else {
    for (const { severity, message } of findings) process.stdout.write(`${severity}: ${message}\n`)
    const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length
    process.stdout.write(
      `${modules} modules, ${provedSymbols} imports proved, ${count('error')} errors, ${count('warning')} warnings\n`,
    )
  }
  if (findings.some(({ severity }) => severity !== 'warning')) process.exitCode = 1
}

/** lib/modules/VERSION: the folder's own name is the release, unless it was given a name that cannot be one. */
function releaseOf(folder: string): string | undefined {
  const name = basename(resolve(folder))
  return /^\d+\.\d+/.test(name) ? name : undefined
}

function readSymvers({ modules, symvers }: CommandOptions): Symvers | undefined {
  const file = symvers ?? join(modules, 'build', 'Module.symvers')
  if (symvers === undefined && !existsSync(file)) return undefined
  const entries = parseSymvers(readFileSync(file, 'utf8'))
  if (entries.size === 0) {
    throw new UserError({
      what: `${file} has no exported symbol in it`,
      fix: 'name the Module.symvers of the kernel that these modules are for',
    })
  }
  return entries
}

/** Without the kernel's configuration, firmware that is compressed is not there. */
async function namesOfFirmware(
  folder: string,
  options: SourceOptions,
  release = '',
): Promise<Iterable<string>> {
  const { parseConfigFile } = await import('../kernel/index.ts')
  const { found } = findConfigFile(options)
  const config =
    found === undefined ? new Map<string, string>() : parseConfigFile(readFileSync(found, 'utf8'))
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return firmwareNames(paths, { release, config })
}
