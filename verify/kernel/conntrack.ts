/** The failing experiment of old: a kernel without NF_CONNTRACK is given the module of a second build of the same tree. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { openBuildFolder } from '../../src/impact/build-folder.ts'
import { modulesOf, symversOf } from '../../src/impact/compare-builds.ts'
import { kernelImpact } from '../../src/impact/index.ts'
import { wishFor } from '../../src/impact/wish.ts'
import { checkKmods, createKmodSource, planLoad } from '../../src/kmod/index.ts'
import { unpackedPackage } from '../../test/material.ts'
import type { VerifyContext } from '../verification.ts'
import { baseBuild, make } from './base-build.ts'
import { withCompilerCache } from './compiler-cache.ts'

const request = { name: 'NF_CONNTRACK', value: 'm' }

/** What the kernel says of such a module. */
const words = { with: 'disagrees about version of symbol', without: 'Unknown symbol' }

export const conntrackExperiment = (context: VerifyContext) =>
  withCompilerCache('aarch64-linux-gnu-gcc', async () => {
    const kernels = [
      await experiment(context, { modversions: false }),
      await experiment(context, { modversions: true }),
    ]
    return {
      columns: ['kernel', 'step', 'result', 'in its words'],
      rows: kernels.flatMap(({ rows }) => rows),
      failures: kernels.reduce((sum, { failures }) => sum + failures, 0),
      notes: [
        `Linux 6.1 for arm64 in QEMU. Loaded in this order: ${kernels[0]?.names.join(', ')}. On the first kernel they are forced by hand, past everything that refuses them here.`,
      ],
    }
  })

async function experiment({ folder, progress }: VerifyContext, kind: { readonly modversions: boolean }) {
  const versions = kind.modversions ? 'with' : 'without'
  const say = (text: string): void => progress(`${versions} MODVERSIONS: ${text}`)
  say('build a kernel without NF_CONNTRACK')
  const flashed = await baseBuild(kind)
  say('ask whether it can be added')
  const { verdict, objects } = await kernelImpact(flashed, [request])
  say('build it all a second time, with NF_CONNTRACK')
  const second = join(folder, `second-${versions}`)
  const build = openBuildFolder(flashed)
  const { configText } = await wishFor(build, [request])
  await execa('cp', ['-a', '--reflink=auto', `${flashed}/.`, second])
  writeFileSync(join(second, '.config'), Buffer.from(configText, 'latin1'))
  await make(build.source, second, ['Image', 'modules'])

  const modules = createKmodSource({
    paths: modulesOf(second),
    read: (path) => readFileSync(join(second, path)),
  })
  const plan = await planLoad(modules, ['nf_conntrack'])
  if (!plan.ok) throw new Error(plan.error.message)
  const names = plan.value.steps.map(({ name }) => name)
  const exported = new Map([...symversOf(flashed)].filter(([, { exporter }]) => exporter === 'vmlinux'))
  const { findings } = await checkKmods(modules, { symvers: exported, plans: [names] })
  const refusals = findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)

  const initramfs = await makeInitramfs(
    join(folder, `initramfs-${versions}`),
    plan.value.steps.map(({ path }) => join(second, path)),
  )
  say('force it by hand')
  const forced = boot(join(flashed, 'arch/arm64/boot/Image'), initramfs)
  say('boot what was built together')
  const together = boot(join(second, 'arch/arm64/boot/Image'), initramfs)
  const said = complaint(forced.text, words[versions])
  const asItShouldBe = [
    verdict !== 'module-only',
    refusals.length > 0,
    !forced.loaded && said !== '',
    together.loaded,
  ]
  const kernel = `${versions} MODVERSIONS`
  return {
    names,
    failures: asItShouldBe.filter((ok) => !ok).length,
    rows: [
      [kernel, 'kernel impact', verdict, `${objects.length} built-in objects differ`],
      [kernel, 'kmod check of the second build’s modules', `${refusals.length} errors`, refusals[0] ?? ''],
      [kernel, 'insmod on the first kernel', forced.loaded ? 'LOADED' : 'refused', said],
      [kernel, 'insmod on the second kernel', together.loaded ? 'loaded' : 'REFUSED', ''],
    ],
  }
}

/** The line in which the kernel says so, without its time. */
const complaint = (text: string, said: string): string =>
  text
    .split('\n')
    .find((line) => line.includes(said))
    ?.replace(/^\[[^\]]*\]\s*/, '')
    .trim() ?? ''

/** A busybox that loads the modules in order and says how that went. */
async function makeInitramfs(folder: string, modules: readonly string[]): Promise<string> {
  const busybox = await unpackedPackage({
    release: 'bookworm',
    architecture: 'arm64',
    package: 'busybox-static',
  })
  for (const name of ['bin', 'proc', 'dev']) mkdirSync(join(folder, name), { recursive: true })
  copyFileSync(join(busybox, 'bin/busybox'), join(folder, 'bin/busybox'))
  for (const path of modules) copyFileSync(path, join(folder, basename(path)))
  const loads = modules.map((path) => `/bin/busybox insmod /${basename(path)} || failed=1`)
  writeFileSync(
    join(folder, 'init'),
    `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
${loads.join('\n')}
/bin/busybox dmesg
echo "experiment: \${failed:-loaded}"
/bin/busybox reboot -f
`,
  )
  chmodSync(join(folder, 'init'), 0o755)
  const list = execFileSync('find', ['.', '-mindepth', '1'], { cwd: folder })
  const archive = execFileSync('cpio', ['--quiet', '-o', '-H', 'newc'], {
    cwd: folder,
    input: list,
    maxBuffer: 1 << 26,
  })
  writeFileSync(`${folder}.cpio`, archive)
  return `${folder}.cpio`
}

function boot(image: string, initramfs: string): { readonly loaded: boolean; readonly text: string } {
  const machine = ['-M', 'virt', '-cpu', 'cortex-a53', '-m', '256', '-nographic', '-no-reboot']
  const kernel = ['-kernel', image, '-initrd', initramfs, '-append', 'console=ttyAMA0 panic=-1']
  const { stdout } = spawnSync('qemu-system-aarch64', [...machine, ...kernel], {
    encoding: 'utf8',
    input: '',
    timeout: 300_000,
  })
  const [, result] = /experiment: (\w+)/.exec(stdout) ?? []
  if (result === undefined) throw new Error(`the kernel did not come to its init:\n${stdout.slice(-2000)}`)
  return { loaded: result === 'loaded', text: stdout }
}
