/**
 * `build-once.ts FOLDER [HOSTS]`: builds a small kernel of Debian's linux-source-6.1 for arm64 and a module with a source of
 * its own, in a store of FOLDER's, and says how far it is, then what came of it, in lines of JSON.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { readContent } from '../../src/filetree/index.ts'
import { buildLinux } from '../../src/kernel/build-linux.ts'
import { kmodSource, linuxSource } from '../../src/kernel/index.ts'
import { openPackages } from '../../src/packages/index.ts'
import { cacheFolder } from '../../test/cache.ts'

export type Line =
  | { readonly type: 'object'; readonly done: number; readonly total: number }
  | {
      readonly type: 'built'
      /** SHA-256 of all that the build left */
      readonly archive: string
      /** path of the headers' archive */
      readonly headers: string
      /** the module with a source of its own, base 64 */
      readonly greeter: string
    }

const say = (line: Line): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const [folder = '', hosts = ''] = process.argv.slice(2)
const driver = join(folder, 'greeter')
mkdirSync(driver, { recursive: true })
writeFileSync(join(driver, 'Kbuild'), 'obj-m := greeter.o\n')
writeFileSync(
  join(driver, 'greeter.c'),
  `#include <linux/module.h>
#include <linux/netdevice.h>
static int __init greeter_init(void)
{
	pr_info("greeter sees %s\\n", init_net.loopback_dev->name);
	return 0;
}
static void __exit greeter_exit(void) {}
module_init(greeter_init);
module_exit(greeter_exit);
MODULE_LICENSE("GPL");
`,
)
const name = 'linux-source-6.1'
const wanted = { origins: [{ feature: 'verification' }] }
const engine = await openEngine({
  storeFolder: join(folder, 'store'),
  ...(hosts === '' ? {} : { distcc: hosts }),
  onEvent(event) {
    if (event.type === 'step-progress' && event.unit === 'objects')
      say({ type: 'object', done: event.done, total: event.total })
  },
})
try {
  const packages = await openPackages(
    { engine, lockFile: join(folder, 'lock'), cacheFolder },
    { release: 'bookworm', architecture: 'amd64', install: [], only: [{ name, ...wanted }] },
  )
  const kernel = await buildLinux(engine, packages, {
    source: linuxSource(
      { package: name },
      { kmods: [kmodSource({ directory: driver, modules: ['greeter'] })] },
    ),
    architecture: 'arm64',
    deviceSymbols: qemuAarch64.kernelSymbols,
    folder,
    demands: { symbols: [], modules: [{ name: 'tun', ...wanted }], conditional: [] },
  })
  const { image, headers } = kernel
  if (image.type !== 'slice' || headers === undefined) throw new Error('that was no build')
  const greeter = await readContent(engine, kernel.moduleContent('updates/greeter.ko'))
  say({
    type: 'built',
    archive: image.artifact.digest.sha256,
    headers: engine.path(await headers()),
    greeter: greeter.toString('base64'),
  })
} finally {
  await engine.close()
}
