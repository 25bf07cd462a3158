/**
 * "Can I add this later?" — whether one more kernel module can be had on a device whose kernel is flashed.
 *
 * A module that was left out is not always just a file to add. Built-in code looks at which modules *may* exist
 * (`#if IS_ENABLED(CONFIG_NF_CONNTRACK)` in net/netfilter/core.c), structures have members for them (CFG80211 in struct
 * net_device), and helpers of theirs are linked into the kernel (`obj-$(subst m,y,$(CONFIG_VLAN_8021Q)) += vlan_core.o`).
 * A module from a later build then does not load, or loads and crashes.
 *
 * The answer is not read off the configuration, where a symbol more always looks harmless, but off objects: the kernel's
 * own make makes again, in a copy of the build, what the change touches ({@link kernelImpact}), and every object that
 * the kernel is linked from is compared by its code. Where none differs and no export does, the kernel that is flashed
 * is the kernel that a new build would give; then the new modules, which are built by that time, are proved against its
 * Module.symvers.
 *
 * Each difference is explained: from the command files that kbuild leaves (which symbol, through which header), and from
 * the Makefiles (which line).
 */
export {
  type Impact,
  type ImpactOptions,
  kernelImpact,
  type ObjectChange,
  type Verdict,
  verdictOf,
} from './impact.ts'
export type { Reason } from './reasons.ts'
export { impactText } from './report.ts'
export type { SymbolChange } from './wish.ts'
