import type { Verification } from '../verification.ts'
import { verifyHostile } from './hostile.ts'
import { verifyLinuxTree } from './linux-trees.ts'
import { verifyMigration } from './migration.ts'
import { verifyBusybox, verifyUBoot } from './other-trees.ts'
import { verifyOwnTests } from './own-tests.ts'

/** Configurations against the program of each tree that makes them, byte for byte. */
export const verifications: readonly Verification[] = [
  {
    name: 'kconfig-linux-6.1',
    title: 'Kconfig: Linux 6.1 against its own conf',
    run: (context) => verifyLinuxTree('linux-6.1', context),
  },
  {
    name: 'kconfig-linux-6.12',
    title: 'Kconfig: Linux 6.12 against its own conf',
    run: (context) => verifyLinuxTree('linux-6.12', context),
  },
  { name: 'kconfig-u-boot', title: 'Kconfig: U-Boot against its own conf', run: verifyUBoot },
  { name: 'kconfig-busybox', title: 'Kconfig: busybox against its own conf', run: verifyBusybox },
  {
    name: 'kconfig-migration',
    title: 'Kconfig: what is reported of a move to another kernel',
    run: verifyMigration,
  },
  { name: 'kconfig-own-tests', title: 'Kconfig: the tests of each tree for its conf', run: verifyOwnTests },
  { name: 'kconfig-hostile', title: 'Kconfig: damaged files', run: verifyHostile },
]
