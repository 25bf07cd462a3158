/**
 * A TFTP server, read only: RFC 1350 with options (2347), block size (2348), timeout and file size (2349) and windows
 * (7440); block numbers roll over, so that files of any size go in blocks of any size.
 *
 * {@link serveTftp} serves a folder. What it sends is confined to that folder; whoever asks, and whatever they ask,
 * costs bounded memory; a packet lost or doubled costs a repetition and nothing else. Only `octet` mode is served:
 * firmware is not text. What happens is told as {@link TftpEvent}s.
 */
export { ERROR_CODES, type ErrorCode } from './packet.ts'
export {
  type Served,
  serveTftp,
  type TftpEvent,
  type TftpServer,
  type TftpServerError,
  type TftpServerOptions,
} from './server.ts'
export type { Client, TransferEnd } from './transfer.ts'
