import { describe, expect, it } from 'vitest'
import { formatDiagnostic, UserError } from '../diagnostics/index.ts'
import type { Contribution, KernelRequirement } from './contributions.ts'
import { merge } from './merge.ts'

const at = (line: number, feature?: string) => ({
  file: '/project/system.ts',
  line,
  ...(feature === undefined ? {} : { feature }),
})
const hostname: Contribution = { type: 'hostname', hostname: 'edge', origin: at(3) }
const kernel = (requirement: KernelRequirement, line: number, feature: string): Contribution => ({
  type: 'kernel',
  requirement,
  origin: at(line, feature),
})

function conflictsOf(...contributions: readonly Contribution[]): string {
  try {
    merge([hostname, ...contributions])
  } catch (error) {
    if (error instanceof UserError) {
      return error.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, '/project')).join('\n')
    }
    throw error
  }
  throw new Error('nothing was refused')
}

describe('merging contributions', () => {
  it('refuses two host names, naming both places', () => {
    const text = conflictsOf({ type: 'hostname', hostname: 'core', origin: at(9, 'rename') })
    expect(text).toContain('two host names: edge and core')
    expect(text).toContain('system.ts:3')
    expect(text).toContain('rename (system.ts:9)')
  })

  it('refuses two different files at one path, naming both places', () => {
    const file = (text: string, line: number): Contribution => ({
      type: 'entry',
      origin: at(line),
      path: '/etc/motd',
      entry: {
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        content: { type: 'text', text },
        origins: [at(line)],
      },
    })
    const text = conflictsOf(file('a', 5), file('b', 7))
    expect(text).toContain('two different things at /etc/motd')
    expect(text).toContain('system.ts:5')
    expect(text).toContain('system.ts:7')
    expect(merge([hostname, file('a', 5), file('a', 7)]).files.get('/etc/motd')?.origins).toHaveLength(2)
  })

  it('refuses =m against =n, naming both features', () => {
    const text = conflictsOf(
      kernel({ config: { WLAN: 'm' } }, 5, 'wifi'),
      kernel({ config: { WLAN: 'n' } }, 6, 'wired'),
    )
    expect(text).toContain('CONFIG_WLAN is wanted as =m and as =n')
    expect(text).toContain('wifi (system.ts:5)')
    expect(text).toContain('wired (system.ts:6)')
  })

  it('gives a symbol wanted as y and as m the value y only if all who asked for m accept it', () => {
    const y = kernel({ config: { TUN: 'y' } }, 5, 'a')
    const { symbols } = merge([hostname, y, kernel({ config: { TUN: ['m', 'y'] } }, 6, 'b')]).kernel
    expect(symbols).toEqual([{ symbol: 'TUN', accepted: ['y'], origins: [at(5, 'a'), at(6, 'b')] }])
    expect(conflictsOf(y, kernel({ config: { TUN: 'm' } }, 6, 'b'))).toContain('=y and as =m')
  })

  it('reports every conflict at once', () => {
    const text = conflictsOf(
      { type: 'hostname', hostname: 'core', origin: at(4) },
      { type: 'sysctl', key: 'net.ipv4.ip_forward', value: '1', origin: at(5) },
      { type: 'sysctl', key: 'net.ipv4.ip_forward', value: '0', origin: at(6) },
    )
    expect(text).toContain('host names')
    expect(text).toContain('sysctl net.ipv4.ip_forward is wanted as 1 and as 0')
  })

  it('takes a symbol written with CONFIG_ for the mistake it is', () => {
    expect(conflictsOf(kernel({ config: { CONFIG_TUN: 'm' } }, 5, 'vpn'))).toContain('write TUN')
  })

  it('lets features share a service and add what it requires', () => {
    const service = (line: number): Contribution => ({
      type: 'service',
      origin: at(line),
      service: { kind: 'oneshot', name: 'dns', description: 'names' },
    })
    const requires: Contribution = {
      type: 'dependency',
      origin: at(8),
      service: { kind: 'service', name: 'dns' },
      requires: { kind: 'service', name: 'lan' },
    }
    const { services } = merge([hostname, service(5), service(6), requires])
    expect(services).toHaveLength(1)
    expect(services[0]?.value.requires).toEqual([{ kind: 'service', name: 'lan' }])
    expect(services[0]?.origins).toHaveLength(2)
  })
})
