import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, formatDiagnostic, UserError } from '../diagnostics/index.ts'
import { bootPhases, type Oneshot, type Service, type ServiceHandle, serviceGraph } from './index.ts'

function service(name: string, rest: Partial<Oneshot> = {}): Service {
  return {
    kind: 'oneshot',
    name,
    description: name,
    origin: { feature: name, file: '/s.ts', line: 1 },
    ...rest,
  }
}

function handles(...names: string[]): ServiceHandle[] {
  return names.map((name) => ({ kind: 'service', name }))
}

function diagnosticsOf(services: readonly Service[]): readonly Diagnostic[] {
  try {
    serviceGraph(services)
  } catch (error) {
    if (error instanceof UserError) return error.diagnostics
    throw error
  }
  return []
}

describe('serviceGraph', () => {
  it('puts a service after what it requires and after what it follows', () => {
    const graph = serviceGraph([
      service('a', { requires: handles('c') }),
      service('b'),
      service('c', { after: handles('d') }),
      service('d'),
    ])
    expect(graph.order.map((placed) => placed.service.name)).toEqual(['b', 'd', 'c', 'a'])
  })

  it('ignores an order against a service that the system does not have', () => {
    const graph = serviceGraph([service('a', { after: handles('nowhere') })])
    expect(graph.byName.get('a')?.after).toEqual([])
  })

  it('names every service of a cycle with its origin, and each step', () => {
    const [diagnostic, ...others] = diagnosticsOf([
      service('dns', { requires: handles('lan') }),
      service('lan', { after: handles('firewall') }),
      service('firewall', { requires: handles('dns') }),
      service('bystander', { requires: handles('dns') }),
    ])
    expect(others).toEqual([])
    expect(formatDiagnostic(diagnostic ?? { what: '' })).toBe(
      [
        'services wait for each other: dns → lan → firewall → dns',
        '  from: dns (/s.ts:1)',
        '  from: lan (/s.ts:1)',
        '  from: firewall (/s.ts:1)',
        '  why:  dns requires lan',
        '        lan comes after firewall',
        '        firewall requires dns',
        '  fix:  remove one of these dependencies',
      ].join('\n'),
    )
  })

  it('says when a service waits for itself', () => {
    const [diagnostic] = diagnosticsOf([service('a', { requires: handles('a') })])
    expect(diagnostic?.what).toBe('service a waits for itself')
  })

  it('reports each separate cycle', () => {
    const found = diagnosticsOf([
      service('a', { requires: handles('b') }),
      service('b', { requires: handles('a') }),
      service('c', { requires: handles('d') }),
      service('d', { after: handles('c') }),
    ])
    expect(found.map(({ what }) => what)).toEqual([
      'services wait for each other: a → b → a',
      'services wait for each other: c → d → c',
    ])
  })

  it('names a required service that is missing, with near names', () => {
    const [diagnostic] = diagnosticsOf([service('ssh', { requires: handles('netwrk') }), service('network')])
    expect(diagnostic).toMatchObject({
      what: 'service ssh requires netwrk, which this system does not have',
      where: [{ feature: 'ssh' }],
      fix: 'did you mean network?',
    })
  })

  it('names both origins of a duplicate name', () => {
    const [diagnostic] = diagnosticsOf([
      service('ntp', { origin: { file: '/a.ts', line: 3 } }),
      service('ntp', { origin: { file: '/b.ts', line: 9 } }),
    ])
    expect(diagnostic).toMatchObject({
      what: 'two services are called ntp',
      where: [
        { file: '/a.ts', line: 3 },
        { file: '/b.ts', line: 9 },
      ],
    })
  })

  it('refuses one kernel module with two sets of parameters', () => {
    const step = { name: 'ifb', path: '/lib/modules/ifb.ko' }
    const [diagnostic] = diagnosticsOf([
      service('a', { kmods: [{ ...step, parameters: ['numifbs=1'] }] }),
      service('b', { kmods: [step] }),
    ])
    expect(diagnostic?.what).toBe('services a and b load the kernel module ifb differently')
    expect(diagnostic?.where).toHaveLength(2)
  })

  it('pulls a service into the phase of the earliest that waits for it, unless it declares its own', () => {
    const graph = serviceGraph([
      service('a', { phase: 'boot', requires: handles('b') }),
      service('b', { requires: handles('c') }),
      service('c'),
      service('d', { requires: handles('c') }),
    ])
    expect(graph.order.map(({ service: { name }, phase }) => `${name} ${phase}`)).toEqual([
      'c boot',
      'b boot',
      'a boot',
      'd default',
    ])
    const [diagnostic] = diagnosticsOf([
      service('early', { phase: 'sysinit', requires: handles('late') }),
      service('late', { phase: 'default' }),
    ])
    expect(diagnostic?.what).toBe(
      'service early starts in phase sysinit, but waits for late of the later phase default',
    )
  })

  it.each([
    [service('a b'), 'service "a b": this cannot be the name of a service'],
    [service('functions.sh'), 'service "functions.sh": this cannot be the name of a service'],
    [service('a', { up: 'echo \0' }), 'service "a": a value holds a zero byte'],
    [service('a', { description: 'x\ny' }), 'service "a": its description is more than one line'],
    [
      service('a', { kmods: [{ name: '../x', path: '/x.ko' }] }),
      'service "a": "../x" is not the name of a kernel module',
    ],
    [
      service('a', { kmods: [{ name: 'x', path: '/x.ko', parameters: ['a=1 b=2'] }] }),
      'service "a": "a=1 b=2" is not a parameter of a kernel module',
    ],
    [service('a', { state: [{ path: '/etc/x', what: 'x' }] }), 'service "a": /etc/x cannot be kept as state'],
    [
      service('a', { state: [{ path: '/var/lib/..', what: 'x' }] }),
      'service "a": /var/lib/.. cannot be kept as state',
    ],
  ])('refuses what cannot work (%#)', (bad, what) => {
    expect(diagnosticsOf([bad]).map((diagnostic) => diagnostic.what)).toEqual([what])
  })

  it.each([
    [{ command: ['sleep', '1'] as const }, 'its program sleep is not an absolute path'],
    [{ user: 'root; rm' }, 'root; rm is not a user'],
    [{ environment: { 'A B': '' } }, 'A B is not the name of an environment variable'],
    [{ respawn: { max: 10, delaySeconds: 6 } }, '10 respawns, 6 s apart, do not fit in 60 s'],
    [
      { readiness: { check: 'true', timeoutSeconds: 0.5 } },
      'the time limit of `readiness` is a whole number of seconds',
    ],
  ])('refuses a process that cannot be supervised (%#)', (bad, what) => {
    const longrun: Service = {
      kind: 'longrun',
      name: 'd',
      description: 'd',
      command: ['/bin/d'],
      origin: {},
      ...bad,
    }
    expect(diagnosticsOf([longrun]).map((diagnostic) => diagnostic.what)).toEqual([`service "d": ${what}`])
  })

  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const anyServices = fc
    .array(
      fc.record({
        requires: fc.subarray(names, { maxLength: 2 }),
        after: fc.subarray(names, { maxLength: 1 }),
        phase: fc.option(fc.constantFrom(...bootPhases), { nil: undefined }),
      }),
      { minLength: names.length, maxLength: names.length },
    )
    .map((shapes) =>
      shapes.map(({ requires, after, phase }, index) =>
        service(names[index] ?? '', {
          requires: handles(...requires),
          after: handles(...after),
          ...(phase === undefined ? {} : { phase }),
        }),
      ),
    )

  it('finds an order, or a cycle or phase that is really wrong', () => {
    fc.assert(
      fc.property(anyServices, (services) => {
        const found = diagnosticsOf(services)
        const waits = new Map(
          services.map(({ name, requires = [], after = [] }) => [
            name,
            [...requires, ...after].map((handle) => handle.name),
          ]),
        )
        if (found.length === 0) {
          const { order } = serviceGraph(services)
          expect(order.map((placed) => placed.service.name).sort()).toEqual(names)
          const seen = new Set<string>()
          let phase = 0
          for (const placed of order) {
            for (const target of waits.get(placed.service.name) ?? []) expect(seen).toContain(target)
            seen.add(placed.service.name)
            expect(bootPhases.indexOf(placed.phase)).toBeGreaterThanOrEqual(phase)
            phase = bootPhases.indexOf(placed.phase)
          }
        }
        for (const { what } of found) {
          const cycle = what.match(/^services wait for each other: (.*)$/)?.[1]?.split(' → ')
          if (cycle === undefined) expect(what).toMatch(/waits for itself|starts in phase/)
          for (const [index, name] of (cycle ?? []).slice(0, -1).entries()) {
            expect(waits.get(name)).toContain(cycle?.[index + 1])
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same order whatever the order of the services', () => {
    fc.assert(
      fc.property(
        anyServices.chain((services) =>
          fc.tuple(fc.constant(services), fc.shuffledSubarray(services, { minLength: services.length })),
        ),
        ([services, shuffled]) => {
          expect(diagnosticsOf(shuffled).map(({ what }) => what)).toEqual(
            diagnosticsOf(services).map(({ what }) => what),
          )
          if (diagnosticsOf(services).length > 0) return
          expect(serviceGraph(shuffled).order).toEqual(serviceGraph(services).order)
        },
      ),
    )
  })
})
