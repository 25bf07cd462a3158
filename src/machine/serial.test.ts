import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openSerialLine } from './serial.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a serial line', () => {
  it('leaves out control sequences, however the bytes are cut', () => {
    const said = 'edge:/# \x1b[6n\r\n\x1b[1;31mrot – grün\x1b[0m\r\nedge:/# \x1b[6n'
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes(said).length })), (cuts) => {
        const line = openSerialLine(() => {})
        const places = [...cuts, 0, bytes(said).length].sort((a, b) => a - b)
        for (const [index, place] of places.entries())
          line.receive(bytes(said).slice(place, places[index + 1]))
        expect(line.transcript()).toBe('edge:/# \nrot – grün\nedge:/# ')
      }),
    )
  })

  it('moves on to the end of what was waited for', async () => {
    const line = openSerialLine(() => {})
    const first = line.expect(/b(.)/, 60_000)
    line.receive(bytes('a b'))
    line.receive(bytes('1 b2'))
    expect((await first)[1]).toBe('1')
    expect((await line.expect(/b(.)/, 60_000))[1]).toBe('2')
  })

  it('says what was seen when the other side goes', async () => {
    const line = openSerialLine(() => {})
    line.receive(bytes('Kernel panic\n'))
    const waiting = line.expect(/login:/, 60_000)
    line.end('the machine went off (exit 1)')
    await expect(waiting).rejects.toThrow(/went off \(exit 1\) before \/login:\/ was seen[\s\S]*Kernel panic/)
    await expect(line.expect(/login:/, 60_000)).rejects.toThrow('went off')
  })

  it('gives up after a while', async () => {
    const line = openSerialLine(() => {})
    line.receive(bytes('booting\n'))
    await expect(line.expect(/login:/, 1)).rejects.toThrow(/login:\/ was not seen in 0.001 s[\s\S]*booting/)
  })

  it('hands what is sent to the other side', () => {
    const sent: string[] = []
    openSerialLine((text) => sent.push(text)).send('reboot\n')
    expect(sent).toEqual(['reboot\n'])
  })
})
