import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { qemuAarch64 } from '../src/devices/index.ts'
import { UserError } from '../src/diagnostics/index.ts'
import * as features from '../src/features/index.ts'
import { defineSystem } from '../src/index.ts'
import { evaluate, merge, type SystemBuilder } from '../src/system/index.ts'

// Small pools, so that what is drawn meets itself again and disagrees; and anything at all, as JavaScript allows.
const anything = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.constantFrom('', '/', '\0', '../x', '__proto__', Number.NaN),
)
const word = fc.constantFrom('a', 'b', 'c', 'eth0', 'eth1', 'NF_TABLES', 'CONFIG_X', 'firewall')
const path = fc.constantFrom('/etc/a', '/etc/a/b', '/bin/a', '/usr/bin/a', '/etc/../etc/a', '/', 'a')
const value = fc.constantFrom('y', 'm', 'n', '7')
const mostly = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything })
const handles = fc.array(mostly(fc.record({ kind: fc.constant('service'), name: word })), { maxLength: 2 })
const service = fc.record(
  {
    name: mostly(word),
    description: mostly(word),
    up: mostly(word),
    command: mostly(fc.tuple(path)),
    requires: mostly(handles),
    after: mostly(handles),
    kmods: mostly(fc.array(word, { maxLength: 2 })),
  },
  { requiredKeys: ['name', 'description'] },
)
const requirement = fc.record(
  {
    config: mostly(fc.dictionary(word, mostly(fc.oneof(value, fc.array(value))), { maxKeys: 2 })),
    modules: fc.array(mostly(word)),
  },
  { requiredKeys: [] },
)

type Say = (system: SystemBuilder) => unknown
const say = (pick: (system: SystemBuilder) => unknown, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Say> =>
  fc.tuple(...args).map((given) => (system) => (pick(system) as (...all: unknown[]) => unknown)(...given))
const feature = (
  contribute: (system: SystemBuilder, options: never) => unknown,
  options: fc.Arbitrary<unknown>,
): fc.Arbitrary<Say> => options.map((given) => (system) => contribute(system, given as never))

const statement = fc.oneof(
  say((system) => system.hostname, mostly(fc.constantFrom('edge', 'core'))),
  say((system) => system.kernel.require, mostly(requirement)),
  say((system) => system.kernel.when, mostly(word), mostly(requirement)),
  say((system) => system.kernel.load, mostly(word), mostly(fc.array(word, { maxLength: 2 }))),
  say((system) => system.kernel.parameter, mostly(word)),
  say((system) => system.kernel.sysctl, mostly(word), mostly(value)),
  say((system) => system.packages.file, mostly(word), mostly(path)),
  say((system) => system.applets, mostly(word), mostly(word)),
  say((system) => system.applet, mostly(word)),
  say((system) => system.files.text, mostly(path), mostly(word)),
  say(
    (system) => system.files.text,
    mostly(path),
    mostly(word),
    mostly(fc.record({ mode: mostly(fc.nat(0o777)) })),
  ),
  say((system) => system.files.directory, mostly(path)),
  say((system) => system.files.symlink, mostly(path), mostly(path)),
  say((system) => system.files.hardlink, mostly(path), mostly(path)),
  say(
    (system) => system.files.device,
    mostly(path),
    mostly(fc.record({ kind: fc.constant('block'), major: fc.nat(9), minor: fc.nat(9) })),
  ),
  say((system) => system.services.oneshot, mostly(service)),
  say((system) => system.services.longrun, mostly(service)),
  say(
    (system) => system.services.require,
    mostly(fc.record({ kind: fc.constant('service'), name: word })),
    mostly(fc.record({ kind: fc.constant('service'), name: word })),
  ),
  say(
    (system) => system.console.login,
    mostly(fc.constantFrom({ type: 'open' }, { type: 'password', hash: '$6$x$y' })),
  ),
  say((system) => system.users.add, mostly(fc.record({ name: word, uid: fc.nat(3), gid: fc.nat(3) }))),
  say((system) => system.network.interface, mostly(fc.record({ name: word }))),
  feature(
    features.networkInterface,
    mostly(fc.record({ name: mostly(word), address: mostly(fc.constant('192.168.8.1/24')) })),
  ),
  feature(features.firewall, mostly(fc.record({ zones: anything }))),
  feature(features.ntp, mostly(fc.record({ servers: mostly(fc.array(word)) }))),
  feature(features.dns, anything),
  feature(features.ssh, anything),
)

describe('evaluating and merging any system', () => {
  it('ends in requirements, or in diagnostics that each say what and where', async () => {
    let refused = 0
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { maxLength: 6 }), async (statements) => {
        const definition = defineSystem({
          device: qemuAarch64,
          hostname: 'edge',
          setup(system) {
            for (const one of statements) one(system)
          },
        })
        try {
          merge((await evaluate(definition)).contributions)
          accepted++
        } catch (error) {
          if (!(error instanceof UserError)) throw error
          refused++
          expect(error.diagnostics.length).toBeGreaterThan(0)
          for (const { what, where } of error.diagnostics) {
            // A TypeError that came out of our own code is a verb that does not check what it is given.
            expect(what).not.toMatch(/^the system file threw/)
            expect(what.length).toBeGreaterThan(0)
            expect(where?.length).toBeGreaterThan(0)
            expect(where?.every(({ file }) => file !== undefined)).toBe(true)
          }
        }
      }),
      { numRuns: 2000 },
    )
    expect(Math.min(refused, accepted)).toBeGreaterThan(200)
  })
})
