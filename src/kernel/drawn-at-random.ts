/**
 * What make draws at random where nobody has decided it: the key that modules are signed with, and the seed by which
 * structures are laid out. No two such builds are the same, and a module built later fits none of them. Here both are
 * inputs, and a configuration that would have make draw one is refused.
 */
import { chmodSync } from 'node:fs'
import { UserError } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import type { SymbolDemand } from './check.ts'
import type { LinuxSource } from './source.ts'

/** A key among the inputs of a build; never the place where make would put one of its own (certs/Makefile). */
const keyInput = 'signing-key.pem'
const keyFile = 'certs/firmwright.pem'

/** What a configuration must say for the source's key to be used. */
export function signingDemands({ signingKey, origin }: LinuxSource): readonly SymbolDemand[] {
  if (signingKey === undefined) return []
  const demand = (symbol: string, value: string): SymbolDemand => ({
    symbol,
    accepted: [value],
    origins: [origin],
  })
  return [demand('MODULE_SIG', 'y'), demand('MODULE_SIG_KEY', keyFile)]
}

/** @throws UserError for a configuration that leaves a draw to make */
export function refuseDraws(config: ReadonlyMap<string, string>, source: LinuxSource): void {
  const { signingKey, randstructSeed, origin } = source
  const signs = config.get('MODULE_SIG') === 'y' || config.get('SYSTEM_TRUSTED_KEYRING') === 'y'
  if (signs && config.has('MODULE_SIG_KEY') && signingKey === undefined)
    throw new UserError({
      what: 'this kernel signs its modules, and there is no key to sign them with',
      where: [origin],
      why: 'make would make up a key (CONFIG_MODULE_SIG), and no two builds would be the same',
      fix: "linuxSource(…, { signingKey: 'key.pem' }), private key and certificate in one file, which `openssl req -new -x509 -nodes -days 36500 -keyout key.pem -out key.pem` makes",
    })
  if (config.get('RANDSTRUCT') === 'y' && randstructSeed === undefined)
    throw new UserError({
      what: 'this kernel lays out its structures at random, and there is no seed',
      where: [origin],
      why: 'make would draw one (CONFIG_RANDSTRUCT), and no module built later would fit',
      fix: "linuxSource(…, { randstructSeed: '…' }), 64 hexadecimal digits, which `openssl rand -hex 32` draws",
    })
}

export async function keyInputs(
  engine: Engine,
  { signingKey, origin }: LinuxSource,
  path: (name: string) => string,
): Promise<Readonly<Record<string, FileArtifact>>> {
  if (signingKey === undefined) return {}
  const key = await engine.import(path(signingKey))
  const text = key.kind === 'file' ? (await engine.read(key)).toString('latin1') : ''
  const missing = ['PRIVATE KEY', 'CERTIFICATE'].find((part) => !text.includes(`${part}-----`))
  if (key.kind !== 'file' || missing !== undefined)
    throw new UserError({
      what: `${signingKey} is no key that modules can be signed with`,
      where: [origin],
      why: `there is no ${missing ?? 'file'} in it`,
      fix: 'put the private key and its certificate into one file, both as PEM',
    })
  // The store lets everybody read what is in it.
  chmodSync(engine.path(key), 0o400)
  return { [keyInput]: key }
}

/** Lines of shell that make the script of a tree which draws a seed give this one. */
export function seedScript(seed: string, folder: string): string {
  return `sed -i 's/^SEED=.*/SEED=${seed}/' ${folder}/scripts/gen-randstruct-seed.sh\n`
}

/** Lines of shell before make; `$objects` is its O= folder. A file that is the same stays as old. */
export function keyScript({ signingKey }: LinuxSource): string {
  if (signingKey === undefined) return ''
  return `mkdir -p $objects/certs
cmp -s ${keyInput} $objects/${keyFile} || { umask 077; cat ${keyInput} > $objects/${keyFile}; umask 022; }
`
}

/** Lines of shell, run in make's O= folder: signs all modules below `$modules`, as scripts/Makefile.modinst does. */
export function signScript({ signingKey }: LinuxSource): string {
  if (signingKey === undefined) return ''
  return `hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\\(.*\\)"$/\\1/p' .config)
find $modules -name '*.ko' | LC_ALL=C sort | while read -r module; do
  scripts/sign-file "$hash" ${keyFile} certs/signing_key.x509 "$module"
done
`
}

/** Headers of the host for the programs that handle keys. */
export const signingHeaders: Readonly<Record<string, string>> = {
  '/usr/include/openssl/opensslv.h': 'libssl-dev',
}
