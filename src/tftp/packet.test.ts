import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { negotiate } from './options.ts'
import {
  readPacket,
  writeAcknowledgement,
  writeDataHeader,
  writeError,
  writeOptions,
  writeRequest,
} from './packet.ts'

describe('packets', () => {
  it('are read as they were written', () => {
    const options = new Map([
      ['blksize', '1468'],
      ['tsize', '0'],
    ])
    const request = { type: 'read', file: 'a folder/Image', mode: 'octet', options } as const
    expect(readPacket(writeRequest(request))).toEqual(request)
    expect(readPacket(writeOptions(options))).toEqual({ type: 'option-acknowledgement', options })
    expect(readPacket(writeAcknowledgement(65535))).toEqual({ type: 'acknowledgement', block: 65535 })
    expect(readPacket(writeError(2, 'no'))).toEqual({ type: 'error', code: 2, message: 'no' })
    const data = Buffer.concat([writeDataHeader(0x1234), Buffer.from('bytes')])
    expect(readPacket(data)).toEqual({ type: 'data', block: 0x1234, data: Buffer.from('bytes') })
  })

  it('of requests know no case in mode and names of options, and the first of two options counts', () => {
    const packet = readPacket(Buffer.from('\0\x01f\0OcTeT\0BLKSIZE\x008\0blksize\x009\0'))
    expect(packet).toEqual({ type: 'read', file: 'f', mode: 'octet', options: new Map([['blksize', '8']]) })
  })

  it.each([
    ['nothing', ''],
    ['an opcode alone', '\0\x01'],
    ['an opcode that does not exist', '\0\x09abc\0'],
    ['a request without an end', '\0\x01file\0octet'],
    ['a request without a mode', '\0\x01file\0'],
    ['a request that is far too long', `\0\x01${'x'.repeat(3000)}\0octet\0`],
  ])('that are %s are none', (_name, text) => {
    expect(readPacket(Buffer.from(text, 'latin1'))).toBeUndefined()
  })

  it('of any bytes never throw', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.uint8Array({ maxLength: 100 }), (opcode, rest) => {
        readPacket(Buffer.concat([Buffer.from([0, opcode]), rest]))
        return true
      }),
    )
  })
})

describe('terms', () => {
  const terms = (...options: readonly (readonly [string, string])[]) =>
    negotiate(new Map(options), 1000, 65536)

  it('without options are those of RFC 1350', () => {
    expect(terms()).toEqual({ blockBytes: 512, windowBlocks: 1, timeoutMs: 1000, accepted: new Map() })
  })

  it('are what was asked for, and the answer says so', () => {
    expect(terms(['blksize', '1468'], ['timeout', '5'], ['tsize', '0'], ['windowsize', '16'])).toEqual({
      blockBytes: 1468,
      windowBlocks: 16,
      timeoutMs: 5000,
      accepted: new Map([
        ['blksize', '1468'],
        ['timeout', '5'],
        ['tsize', '1000'],
        ['windowsize', '16'],
      ]),
    })
  })

  it('leave out what is not known or cannot be', () => {
    const bad = [
      ['blksize', '7'],
      ['timeout', '0'],
      ['tsize', '-1'],
      ['windowsize', '1e3'],
      ['multicast', ''],
    ] as const
    expect(terms(...bad).accepted).toEqual(new Map())
    expect(terms(['blksize', '65465']).accepted).toEqual(new Map())
  })

  it('bound the window by its bytes', () => {
    expect(terms(['blksize', '8192'], ['windowsize', '65535']).windowBlocks).toBe(8)
    expect(terms(['blksize', '8192'], ['windowsize', '65535']).accepted.get('windowsize')).toBe('8')
  })
})
