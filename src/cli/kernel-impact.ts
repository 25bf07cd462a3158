import { UserError } from '../diagnostics/index.ts'
import { impactText, kernelImpact } from '../impact/index.ts'
import { parseRequest } from '../kconfig/index.ts'

interface ImpactCommandOptions {
  readonly build: string
  readonly output?: string
  readonly json?: boolean
}

export async function impact(texts: readonly string[], options: ImpactCommandOptions): Promise<void> {
  const requests = texts.map((text) => {
    const request = parseRequest(text)
    if (request === undefined)
      throw new UserError({ what: `${text} is no wish`, fix: 'write SYMBOL=VALUE, for example TUN=m' })
    return request
  })
  const progress = process.stderr.isTTY
  let made = 0
  const result = await kernelImpact(options.build, requests, {
    ...(options.output === undefined ? {} : { output: options.output }),
    onObject(path) {
      made++
      if (progress) process.stderr.write(`\r\x1b[K${made} objects made again: ${path}`)
    },
  })
  if (progress && made > 0) process.stderr.write('\r\x1b[K')
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : impactText(result))
  if (result.verdict !== 'module-only' || result.findings.length > 0) process.exitCode = 1
}
