/**
 * A kernel source in miniature: Kconfig and Kbuild files as the real one has them, and a top Makefile that compiles the
 * objects and leaves what a real build leaves. It takes a second where Linux takes minutes.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { baseConfig } from '../base-config.ts'

export type Files = Readonly<Record<string, string>>

const baseSymbols = [...baseConfig, { symbol: '64BIT' }].map(({ symbol }) =>
  symbol === 'MODULES'
    ? 'config MODULES\n\tbool "modules"\n\tmodules\n'
    : `config ${symbol}\n\tbool "${symbol}"\n`,
)

const makefile = `VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 0
.NOTPARALLEL:
ifneq ($(O),)
bzImage modules:
	@$(MAKE) --no-print-directory -C $(O) -f ../Makefile O= $@
else
include .config
VPATH := ..
drawn := $(if $(CONFIG_RANDSTRUCT),scripts/basic/randstruct.seed)
signing := $(if $(CONFIG_MODULE_SIG),scripts/sign-file certs/signing_key.x509)
objects := drivers/core.o $(if $(CONFIG_CLOCK),drivers/clock.o)
modules := $(if $(filter m,$(CONFIG_TUN)),drivers/net/tun.ko) $(if $(filter m,$(CONFIG_FANCY)),drivers/net/fancy.ko)

ifdef M
include $(M)/Kbuild
kmods := $(addprefix $(M)/,$(obj-m:.o=.ko))
modules: $(kmods)
	@cat $(KBUILD_EXTRA_SYMBOLS) /dev/null > $(M)/Module.symvers; echo "$(obj-m) of $(VENDOR)" >> $(M)/Module.symvers
	@for module in $(kmods); do cat $(M)/Module.symvers >> $$module; done
else
bzImage: $(objects) $(drawn) $(signing)
	@mkdir -p arch/x86/boot include/config
	@echo 6.1.0 > include/config/kernel.release
	@$(CROSS_COMPILE)ld -r -o vmlinux $(objects)
	@echo "$(KBUILD_BUILD_TIMESTAMP) $(KBUILD_BUILD_USER) $(KBUILD_BUILD_HOST)" | cat vmlinux - $(drawn) > arch/x86/boot/bzImage
	@echo > System.map; echo > Module.symvers; : > modules.builtin; : > modules.builtin.modinfo
scripts/sign-file:
	@mkdir -p scripts; echo 'echo "signed: $$1 $$(cat $$2 $$3)" >> $$4' > $@; chmod +x $@
certs/signing_key.x509: $(patsubst "%",%,$(CONFIG_MODULE_SIG_KEY))
	@sed -n '/CERTIFICATE/,$$p' $< > $@
scripts/basic/randstruct.seed: ../scripts/gen-randstruct-seed.sh
	@mkdir -p $(dir $@); sh $< $@ /dev/null
modules: $(modules)
	@: > modules.order; for module in $(modules); do echo $$module >> modules.order; done
endif
modules_prepare:
	@mkdir -p include/config include/generated scripts/mod
	@echo 6.1.0 > include/config/kernel.release; cp .config include/generated/autoconf.h
	@echo made > scripts/mod/modpost; echo made > scripts/mod/modpost.o
%.o: %.c
	@echo "  CC      $@"
	@mkdir -p $(dir $@)
	@$(CROSS_COMPILE)gcc $(if $(CONFIG_DEBUG_INFO),-g) -c -o $@ $<
	@echo "savedcmd_$@ := gcc -c -o $@ $<" > $(dir $@).$(notdir $@).cmd
%.ko: %.o
	@echo "  LD [M]  $@"
	@$(CROSS_COMPILE)ld -r -o $@ $<
endif
.PHONY: modules bzImage modules_prepare
`

/** Newer kernels list modules by their objects. */
export const newerMakefile = makefile.replace('echo $$module', () => 'echo $${module%.ko}.o')

const files: Files = {
  Makefile: makefile,
  Kconfig: `${baseSymbols.join('')}
config CLOCK
	bool "clock"
config DEBUG_INFO
	bool "debug information"
config MODULE_SIG
	bool "signatures"
config MODULE_SIG_KEY
	string "key"
	default "certs/signing_key.pem"
	depends on MODULE_SIG
config MODULE_SIG_HASH
	string
	default "sha512"
	depends on MODULE_SIG
config RANDSTRUCT
	bool "structures at random"
config NETDEVICES
	bool "network devices"
config TUN
	tristate "tun"
	depends on NETDEVICES && NET
config FANCY
	tristate "fancy"
	depends on NETDEVICES && TUN=n
config BROKEN_MODULE
	tristate "never"
	depends on NET && !NET
`,
  Kbuild: 'obj-y += drivers/\n',
  'arch/x86/Makefile': '',
  'scripts/gen-randstruct-seed.sh': 'SEED=$(od -A n -t x8 -N 32 /dev/urandom)\necho "$SEED" > "$1"\n',
  'drivers/Makefile': 'obj-y += core.o\nobj-$(CONFIG_CLOCK) += clock.o\nobj-$(CONFIG_NETDEVICES) += net/\n',
  'drivers/core.c': 'int core(void) { return 1; }\n',
  'drivers/clock.c': 'int clock(void) { return 2; }\n',
  'drivers/net/Makefile':
    'obj-$(CONFIG_TUN) += tun.o\nobj-$(CONFIG_FANCY) += fancy.o\nobj-$(CONFIG_BROKEN_MODULE) += never.o\n',
  'drivers/net/tun.c': 'int tun(void) { return 3; }\n',
  'drivers/net/fancy.c': 'int fancy(void) { return 4; }\n',
}

/** Writes the tree into `folder`/linux, some files another way. */
export function writeTree(folder: string, changes: Files = {}): string {
  const top = join(folder, 'linux')
  for (const [name, text] of Object.entries({ ...files, ...changes })) {
    mkdirSync(join(top, dirname(name)), { recursive: true })
    writeFileSync(join(top, name), text)
  }
  return top
}

/** The tree as an archive in `folder`, some files another way, and its digest. */
export function treeArchive(
  folder: string,
  changes: Files = {},
): { readonly tarball: string; readonly sha256: string } {
  writeTree(folder, changes)
  const tarball = join(folder, 'linux.tar')
  execFileSync('tar', ['--sort=name', '--mtime=@0', '-C', folder, '-cf', tarball, 'linux'])
  const sha256 = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  return { tarball, sha256 }
}
