import { Command, InvalidArgumentError } from 'commander'

interface TftpOptions {
  readonly address?: string
  readonly port?: number
  readonly json?: boolean
}

/** `firmwright tftp` */
export function tftpCommand(): Command {
  return new Command('tftp')
    .description('Serves a folder over TFTP, read only, until it is interrupted.')
    .argument('<DIR>', 'everything below it can be read, by anyone who reaches the address')
    .option('--address <IP>', 'address to serve on (default: every address of this machine)')
    .option('--port <N>', 'UDP port (default: 69, which is not open to everyone)', port)
    .option('--json', 'what happens, as lines of JSON')
    .addHelpText('after', '\nExample:\n  firmwright tftp build/tftpboot --address 192.168.1.10')
    .action(async (folder: string, options: TftpOptions) => {
      const { describeTransfer, startServer } = await import('./tftp-server.ts')
      const server = await startServer(folder, options, (event) => {
        const line = options.json ? JSON.stringify(event) : describeTransfer(event)
        if (line !== undefined) process.stdout.write(`${line}\n`)
      })
      process.stderr.write(`serving ${folder} on ${server.address}, port ${server.port}\n`)
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve)
        process.once('SIGTERM', resolve)
      })
      await server.close()
    })
}

function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number
  throw new InvalidArgumentError(`${text} is no port`)
}
