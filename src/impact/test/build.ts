/** A kernel in miniature, built, with what kbuild leaves behind: objects, command files, archives, Module.symvers. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

type Files = Readonly<Record<string, string>>

const makefile = `.NOTPARALLEL:
ifneq ($(O),)
vmlinux_o modules:
	@$(MAKE) --no-print-directory -C $(O) -f $(CURDIR)/Makefile O= srctree=$(CURDIR) $@
else
srctree ?= .
include .config
VPATH := $(srctree)
tristate = $(if $(filter m,$(CONFIG_$(1))),$(2))
builtin := init/main.o net/core.o $(if $(CONFIG_VLAN),net/vlan_core.o) $(if $(CONFIG_EXTRA),net/extra.o)
modules := $(call tristate,TUN,net/tun.ko) $(call tristate,HOOK,net/hook.ko) $(call tristate,VLAN,net/vlan.ko)
modules += $(if $(CONFIG_VENDOR),$(call tristate,CARD,net/vendor/card.ko))

vmlinux_o: $(builtin)
	@mkdir -p include/config
	@echo 6.1.0 > include/config/kernel.release
	@rm -f vmlinux.a; ar cDrsT vmlinux.a $(builtin)
	@ld -r -o vmlinux.o --whole-archive vmlinux.a
	@echo 'savedcmd_vmlinux.o := ld -r -o vmlinux.o --whole-archive vmlinux.a --no-whole-archive' > .vmlinux.o.cmd
	@mkdir -p arch/x86/kernel; echo SECTIONS > arch/x86/kernel/vmlinux.lds
	@nm vmlinux.o | awk -v OFS='\\t' '$$2 == "T" { print "0x00000000", $$3, "vmlinux", "EXPORT_SYMBOL", "" }' > Module.symvers
modules: $(modules)
	@for module in $(modules); do echo $$module; done > modules.order
include/generated/autoconf.h: .config
	@mkdir -p $(dir $@)
	@sed -n 's/^\\(CONFIG_[A-Z0-9_]*\\)=y/#define \\1 1/p; s/^\\(CONFIG_[A-Z0-9_]*\\)=m/#define \\1_MODULE 1/p' $< > $@
%.o: %.c include/generated/autoconf.h FORCE
	@echo "  CC      $@"
	@mkdir -p $(dir $@)
	@gcc -O2 -I$(srctree)/include -include include/generated/autoconf.h -c -o $@ $<
	@{ echo 'savedcmd_$@ := gcc -c -o $@ $<'; echo; echo 'source_$@ := $<'; echo; echo 'deps_$@ := \\'; \\
	for file in $< $$(gcc -MM -I$(srctree)/include $< | grep -o '[^ ]*include/[^ ]*'); do \\
	test $$file = $< || echo "  $$file \\\\"; \\
	grep -oh 'CONFIG_[A-Z]*' $$file | sort -u | sed 's|CONFIG_|    $$(wildcard include/config/|; s|$$|) \\\\|'; done; \\
	echo; } > $(dir $@).$(notdir $@).cmd
%.ko: %.o
	@ld -r -o $@ $<
	@echo $< > $(@:.ko=.mod)
endif
FORCE:
.PHONY: FORCE vmlinux_o modules
.SECONDARY:
`

/** The strings that modpost writes into a module. */
export const modinfo = (name: string): string =>
  `static const char info[] __attribute__((section(".modinfo"), used)) = "license=GPL\\0vermagic=6.1.0 SMP mod_unload\\0name=${name}\\0depends=";\n`

const files: Files = {
  Makefile: makefile,
  Kconfig: `config MODULES
	bool "modules"
	modules
config TUN
	tristate "uses what is there"
config HOOK
	tristate "built-in code looks at it"
config VLAN
	tristate "has a part in the kernel"
config VENDOR
	bool "a gate of a directory"
config CARD
	tristate "behind the gate"
	depends on VENDOR
config EXTRA
	bool "code in the kernel"
config GREEDY
	tristate "takes code in the kernel along"
	select EXTRA
config NAMES
	bool "names of what is in the kernel"
config NEVER
	tristate "cannot be"
	depends on TUN=n && TUN=m
`,
  Kbuild: 'obj-y += init/ net/\n',
  'arch/x86/Makefile': '',
  'include/linux/net.h': `#if defined(CONFIG_HOOK) || defined(CONFIG_HOOK_MODULE)
#define HOOKED 1
#else
#define HOOKED 0
#endif
#ifdef CONFIG_TUN_MODULE
int only_declared(void);
#endif
`,
  'init/Makefile': 'obj-y += main.o\n',
  'init/main.c': 'int start(void) { return 1; }\n',
  'scripts/link-vmlinux.sh': 'is_enabled CONFIG_NAMES && names\n',
  'net/Makefile': `obj-y += core.o
obj-$(CONFIG_TUN) += tun.o
obj-$(CONFIG_HOOK) += hook.o
obj-$(subst m,y,$(CONFIG_VLAN)) += vlan_core.o
obj-$(CONFIG_VLAN) += vlan.o
obj-$(CONFIG_EXTRA) += extra.o
obj-$(CONFIG_VENDOR) += vendor/
`,
  'net/core.c': '#include <linux/net.h>\nint core(void) { return HOOKED; }\n',
  'net/extra.c': 'int extra(void) { return 4; }\n',
  'net/vlan_core.c': 'int vlan_core(void) { return 2; }\n',
  'net/tun.c': `${modinfo('tun')}int core(void);\nint tun(void) { return core(); }\n`,
  'net/hook.c': `${modinfo('hook')}#include <linux/net.h>\nint hook(void) { return HOOKED; }\n`,
  'net/vlan.c': `${modinfo('vlan')}int vlan(void) { return 3; }\n`,
  'net/vendor/Makefile': 'obj-$(CONFIG_CARD) += card.o\n',
  'net/vendor/card.c': `${modinfo('card')}int card(void) { return 5; }\n`,
}

export interface MiniatureBuild {
  readonly source: string
  /** the O= folder; the same as `source` where it was built in the tree */
  readonly objects: string
}

/** @param config lines of the .config besides MODULES=y */
export function buildMiniature(
  config: readonly string[],
  { inTree = false, changes = {} }: { readonly inTree?: boolean; readonly changes?: Files } = {},
): MiniatureBuild {
  const source = join(mkdtempSync(join(tmpdir(), 'impact-test-')), 'linux')
  for (const [name, text] of Object.entries({ ...files, ...changes })) {
    mkdirSync(join(source, dirname(name)), { recursive: true })
    writeFileSync(join(source, name), text)
  }
  const objects = inTree ? source : join(source, 'objects')
  mkdirSync(objects, { recursive: true })
  const set = new Map(['CONFIG_MODULES=y', ...config].map((line) => [line.replace(/=.*/, ''), line]))
  const names = ['MODULES', 'TUN', 'HOOK', 'VLAN', 'VENDOR', 'CARD', 'EXTRA', 'GREEDY', 'NAMES', 'NEVER']
  const lines = names.flatMap((name) => {
    if (name === 'CARD' && !set.has('CONFIG_VENDOR')) return []
    if (name === 'NEVER') return []
    return [set.get(`CONFIG_${name}`) ?? `# CONFIG_${name} is not set`]
  })
  const head = '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.0 Kernel Configuration\n#\n'
  writeFileSync(join(objects, '.config'), `${head}${lines.join('\n')}\n`)
  const where = inTree ? [] : [`O=${objects}`]
  execFileSync('make', ['-s', '-C', source, ...where, 'vmlinux_o', 'modules'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { source, objects }
}
