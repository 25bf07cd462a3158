import { z } from 'zod'
import type { Contribution } from './contributions.ts'
import { checkOptions } from './feature.ts'

/**
 * What the builder's verbs take, checked when they are called: a JavaScript user gets the same clear error as the
 * compiler would give, at the line of the call, instead of nonsense in an image.
 */
const name = z.string().min(1)
const id = z.int().min(0).max(0xffff_ffff)
const mode = z.int().min(0).max(0o7777)
const handle = z.looseObject({ kind: z.literal('service'), name }, 'not what a feature returned as a service')
const argv = z.array(z.string()).min(1)
const action = z.union([z.string(), argv])
const state = z.strictObject({
  path: name,
  what: z.string(),
  owner: z.string().optional(),
  mode: mode.optional(),
})
const kmods = z.array(
  z.union([
    name,
    z.strictObject({
      what: name,
      anyOf: z.array(name).min(1),
      optional: z.boolean().optional(),
    }),
  ]),
)
const service = {
  name,
  description: z.string(),
  requires: z.array(handle).optional(),
  after: z.array(handle).optional(),
  phase: z.enum(['sysinit', 'boot', 'default']).optional(),
  kmods: kmods.optional(),
  state: z.array(state).optional(),
  holdsState: z.boolean().optional(),
}
const services = z.discriminatedUnion('kind', [
  z.strictObject({
    ...service,
    kind: z.literal('oneshot'),
    up: action.optional(),
    down: action.optional(),
  }),
  z.strictObject({
    ...service,
    kind: z.literal('longrun'),
    command: argv,
    environment: z.record(z.string(), z.string()).optional(),
    user: z.string().optional(),
    prepare: z.array(action).optional(),
    cleanup: z.array(action).optional(),
    respawn: z
      .strictObject({
        delaySeconds: z.number().optional(),
        max: z.number().optional(),
        periodSeconds: z.number().optional(),
      })
      .optional(),
    readiness: z.strictObject({ check: action, timeoutSeconds: z.number() }).optional(),
    output: z.enum(['log', 'discard']).optional(),
  }),
])
const configValue = z.string()
const kernelRequirement = z.strictObject({
  config: z.record(z.string(), z.union([configValue, z.array(configValue).min(1)])).optional(),
  modules: z.array(name).optional(),
})
const owned = { mode, uid: id, gid: id }
const device = { kind: z.enum(['character', 'block']), major: id, minor: id }

/** What each kind of contribution must look like, and the verb that makes it. */
const schemas: Readonly<Record<Contribution['type'], { readonly verb: string; readonly schema: z.ZodType }>> =
  {
    hostname: { verb: 'system.hostname', schema: z.looseObject({ hostname: name }) },
    kernel: {
      verb: 'system.kernel',
      schema: z.looseObject({ requirement: kernelRequirement, when: name.optional() }),
    },
    autoload: { verb: 'system.kernel.autoload', schema: z.looseObject({ targets: kmods }) },
    hotplug: { verb: 'system.kernel.hotplug', schema: z.looseObject({ targets: kmods }) },
    drivers: {
      verb: 'system.kernel.drivers',
      schema: z.looseObject({
        from: z.literal('from-device-tree', 'from-device-tree is all that can be said'),
      }),
    },
    'kmod-parameter': {
      verb: 'system.kernel.moduleParameter',
      schema: z.looseObject({
        parameter: z.strictObject({
          module: name,
          name: name.regex(/^[\w-]+$/, 'not the name of a parameter'),
          value: z.union([
            z.boolean(),
            z.number(),
            z.string().regex(/^[^"\n]*$/, 'has a quote or a line break in it'),
          ]),
        }),
      }),
    },
    'kmod-blacklist': { verb: 'system.kernel.blacklist', schema: z.looseObject({ module: name }) },
    'firmware-waiver': {
      verb: 'system.kernel.waiveFirmware',
      schema: z.looseObject({ file: name }),
    },
    'kernel-parameter': {
      verb: 'system.kernel.parameter',
      schema: z.looseObject({ parameter: z.string().regex(/^\S+$/, 'not one word') }),
    },
    'package-file': {
      verb: 'system.packages.file',
      schema: z.looseObject({ package: name, path: name }),
    },
    applet: { verb: 'system.applets', schema: z.looseObject({ name }) },
    entry: {
      verb: 'system.files',
      schema: z.looseObject({
        entry: z.discriminatedUnion('type', [
          z.looseObject({
            type: z.literal('file'),
            ...owned,
            content: z.looseObject({ type: z.literal('text'), text: z.string() }),
          }),
          z.looseObject({ type: z.literal('directory'), ...owned }),
          z.looseObject({ type: z.literal('symlink'), target: name }),
          z.looseObject({ type: z.literal('hardlink'), target: name }),
          z.looseObject({ type: z.literal('device'), ...owned, ...device }),
        ]),
      }),
    },
    service: { verb: 'system.services', schema: z.looseObject({ service: services }) },
    dependency: {
      verb: 'system.services.require',
      schema: z.looseObject({ service: handle, requires: handle }),
    },
    console: {
      verb: 'system.console.login',
      schema: z.looseObject({
        login: z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('open') }),
          z.strictObject({
            type: z.literal('password'),
            hash: name.regex(/^[^:\n]+$/, 'not a crypt(3) text'),
          }),
        ]),
      }),
    },
    user: {
      verb: 'system.users.add',
      schema: z.looseObject({
        user: z.strictObject({
          name: accountField(),
          uid: id,
          gid: id,
          group: accountField().optional(),
          home: accountField().optional(),
          shell: accountField().optional(),
          passwordHash: accountField().optional(),
        }),
      }),
    },
    sysctl: {
      verb: 'system.kernel.sysctl',
      schema: z.looseObject({ key: name.regex(/^[\w./-]+$/, 'not the name of a sysctl') }),
    },
    interface: {
      verb: 'system.network.interface',
      schema: z.looseObject({ interface: z.strictObject({ name, address: z.string().optional() }) }),
    },
  }

/** passwd(5) separates its fields by colons. */
function accountField(): z.ZodType<string> {
  return z.string().regex(/^[^:\n]+$/, 'empty, or has a colon or a line break in it')
}

/** @throws UserError naming the verb and the place when the contribution is not one. */
export function checkContribution(contribution: Contribution): void {
  const { verb, schema } = schemas[contribution.type]
  checkOptions(verb, schema, contribution, contribution.origin)
}
