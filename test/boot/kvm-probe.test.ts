import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { devices } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()

describe.each(devices.filter(({ device }) => device === 'qemu-x86_64'))('run.sh of $device', (device) => {
  let folder: string
  let script: string

  /** Runs the script with a QEMU that only says what it was called with. */
  const accelerator = async (text: string): Promise<string> => {
    const qemu = join(rig.folder(), 'qemu')
    // The probe goes to the real one, emulated; the machine itself is not started.
    await writeFile(
      qemu,
      `#!/bin/sh
case "$*" in
*isa-debug-exit*) exec qemu-system-x86_64 "$@" ;;
*) echo "$*" ;;
esac
`,
      { mode: 0o755 },
    )
    await writeFile(join(folder, 'probe.sh'), text)
    const { stdout } = await execa('sh', [join(folder, 'probe.sh')], { env: { QEMU: qemu } })
    return / -accel (\S+) /.exec(stdout)?.[1] ?? stdout
  }

  beforeAll(async () => {
    folder = (await rig.build('client', device)).folder
    script = await readFile(join(folder, 'run.sh'), 'utf8')
    expect(script).toContain('[ -w /dev/kvm ]')
    expect(script).toContain('-accel kvm -cpu host')
  })

  it('finds a machine on which guests run: its probe ends a guest that runs as it should', async () => {
    const emulated = script
      .replace('[ -w /dev/kvm ]', 'true')
      .replace('-accel kvm -cpu host', '-accel tcg -cpu max')
      .replace('timeout 10', 'timeout 120')
    expect(await accelerator(emulated)).toBe('kvm')
  })

  it('emulates where the guest of the probe does not run', async () => {
    expect(await accelerator(script.replace('[ -w /dev/kvm ]', 'true').replace('\\346', '\\220'))).toBe('tcg')
  })

  it('emulates where there is no /dev/kvm', async () => {
    expect(await accelerator(script.replaceAll('/dev/kvm', '/dev/nothing'))).toBe('tcg')
  })
})
