import type { Kernel } from './kernel.ts'

/**
 * Of conditional requirements those that apply to a kernel that is there: whose symbol it has on, as `y` or as `m`.
 * Nothing that is asked for changes such a kernel, so one look at its configuration is the least fixed point; one that
 * is yet to be configured is `resolveRequirements`' business (kconfig).
 */
export function applicable<C extends { readonly when: string }>(
  { config }: Pick<Kernel, 'config'>,
  conditional: readonly C[],
): readonly C[] {
  return conditional.filter(({ when }) => ['y', 'm'].includes(config.get(when) ?? 'n'))
}
