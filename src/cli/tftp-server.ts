import { UserError } from '../diagnostics/index.ts'
import { serveTftp, type TftpEvent, type TftpServer } from '../tftp/index.ts'

/**
 * Serves a folder.
 *
 * @throws UserError that says what to do where the port is taken or not open to this user
 */
export async function startServer(
  folder: string,
  options: { readonly address?: string; readonly port?: number },
  onEvent: (event: TftpEvent) => void,
): Promise<TftpServer> {
  const { address, port } = options
  const served = await serveTftp({
    folder,
    onEvent,
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
  })
  if (served.ok) return served.value
  throw new UserError({ what: served.error.message, fix: served.error.advice })
}

/** A line for people; undefined for what is none of their business. */
export function describeTransfer(event: TftpEvent): string | undefined {
  const { client, file } = event
  switch (event.type) {
    case 'started':
      return `${client.address} fetches ${file} (${event.sizeBytes} bytes)`
    case 'progress':
      return undefined
    case 'busy':
      return `${client.address} was ignored, who wants ${file}: too many at once`
    case 'ended': {
      const { end } = event
      switch (end.type) {
        case 'sent': {
          const repeated = end.repeatedBlocks === 0 ? '' : `, ${end.repeatedBlocks} blocks twice`
          return `${client.address} has ${file}: ${end.sizeBytes} bytes in ${(end.elapsedMs / 1000).toFixed(1)} s${repeated}`
        }
        case 'dropped':
          return `${client.address} was dropped on the way to ${file}`
        default:
          return `${client.address} does not get ${file}: ${end.message}`
      }
    }
  }
}
