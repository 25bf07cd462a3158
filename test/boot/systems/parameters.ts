/** What a test decides anew for every device; the rig puts its own file in the place of this one. */
import { qemuAarch64 } from 'firmwright/devices'

export const device = qemuAarch64
