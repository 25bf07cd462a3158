/**
 * The shell script that a kernel is built with.
 *
 * Source and objects are in a folder that is kept from one build to the next, so that a change of configuration compiles
 * what it touches and nothing else: `linux` is the source, patched, as it came; `linux/TARGET` is make's O= folder. Make
 * decides what has to be done again, and what it leaves does not depend on what was there before, provided that every
 * file is as make believes it to be. A build that was killed may have left half of one: see {@link mendScript}.
 */
import type { BuildTarget } from './build-target.ts'
import { keyScript, signScript } from './drawn-at-random.ts'
import { keptFolder, type LinuxTree, stableTar, unpackKeptScript } from './linux-tree.ts'
import { type OutOfTreeSource, outOfTreeScript } from './out-of-tree.ts'
import type { LinuxSource } from './source.ts'

export interface BuildScript {
  readonly target: BuildTarget
  readonly source: LinuxSource
  readonly tree: LinuxTree
  readonly variables: Readonly<Record<string, string>>
  /** name of the O= folder: of one compiler and architecture */
  readonly objects: string
  readonly outOfTree: readonly OutOfTreeSource[]
}

/** Reads `source.tar`, `patches/` and `config`; leaves `kernel.tar`, laid out as Debian lays out its kernel packages. */
export function buildScript({ target, source, tree, variables, objects, outOfTree }: BuildScript): string {
  const { image, imagePath, imageName, srcarch, deviceTrees } = target
  const assignments = Object.entries(variables).map(([name, value]) => `${name}='${value}'`)
  const goals = [image, 'modules', ...(deviceTrees ? ['dtbs'] : [])].join(' ')
  const make = `-j"$jobs" ${assignments.join(' ')}`
  return `set -eu
top=$PWD
${unpackKeptScript(tree)}objects=${keptFolder}/${objects}
mkdir -p $objects
if [ -e $objects/.interrupted ]; then
${mendScript('$objects')}fi
touch $objects/.interrupted
if ! cmp -s config $objects/.config; then
  cat config > $objects/.config
  # Nothing lists the device trees of a configuration, so there must be none of an earlier one.
  find $objects -name '*.dtb' -delete
fi
echo "${alreadyThere}$(cd $objects && find . -name '*.o' -printf '%P ')"
${distccScript(`${target.toolPrefix}gcc`)}${keyScript(source)}make -C ${keptFolder} O=${objects} ${make} ${goals}
rm $objects/.interrupted
out=$top/out
cd $objects
release=$(cat include/config/kernel.release)
boot=$out/boot modules=$out/usr/lib/modules/$release trees=$out/usr/lib/linux-image-$release
debug=$out/usr/lib/debug/boot
mkdir -p $boot $modules $trees $debug
cp ${imagePath} $boot/${imageName}-$release
cp .config $boot/config-$release
cp vmlinux $debug/vmlinux-$release
cp System.map $boot/System.map-$release
cp Module.symvers modules.builtin modules.builtin.modinfo $modules
# Paths of objects in newer kernels, of modules in older ones.
sed 's/[.]o$/.ko/' modules.order > .modules
sed 's|^|kernel/|' .modules > $modules/modules.order
while read -r module; do
  mkdir -p "$modules/kernel/$(dirname "$module")"
  cp "$module" "$modules/kernel/$module"
done < .modules
${outOfTreeScript(outOfTree, `make -C .. O=${objects} ${make}`)}${stripScript(target)}${signScript(source)}${deviceTrees ? copyDeviceTrees(srcarch) : ''}cd $out
find . -type f -print0 | LC_ALL=C sort -z | ${stableTar} ../kernel.tar
`
}

/**
 * Debug information is a tenfold of a module and of no use on a device. It goes as make's INSTALL_MOD_STRIP takes it away,
 * before modules are signed (scripts/Makefile.modinst), so that signatures hold, MODULE_SIG_FORCE or not.
 */
function stripScript({ toolPrefix }: BuildTarget): string {
  return `if grep -q '^CONFIG_DEBUG_INFO=y' .config; then
  find $modules -name '*.ko' -exec ${toolPrefix}strip --strip-debug {} +
fi
`
}

function copyDeviceTrees(srcarch: string): string {
  const folder = `arch/${srcarch}/boot/dts`
  return `for tree in $(cd ${folder} 2> /dev/null && find . -name '*.dtb'); do
  mkdir -p "$trees/$(dirname "$tree")"
  cp "${folder}/$tree" "$trees/$tree"
done
`
}

/**
 * Sets `jobs`, and which machines compile besides this one: those whose compiler makes of a file what the one here makes
 * of it, which names its version in every object. What fails on one of them is compiled here (distcc(1)).
 */
function distccScript(compiler: string): string {
  return `jobs=$(nproc)
if [ -n "\${DISTCC_HOSTS-}" ]; then
  echo 'int probe(int a) { return a * 3; }' > probe.c
  PATH=\${PATH#*:} ${compiler} -O2 -c probe.c -o here.o
  usable=
  for host in $DISTCC_HOSTS; do
    rm -f there.o
    if DISTCC_HOSTS=$host DISTCC_FALLBACK=0 DISTCC_SKIP_LOCAL_RETRY=1 ${compiler} -O2 -c probe.c -o there.o &&
      cmp -s here.o there.o; then
      usable="$usable $host"
      jobs=$((jobs + \${host##*/}))
    else
      echo "${leftOut}$host"
    fi
  done
  export DISTCC_HOSTS="$usable localhost/$(nproc)"
fi
`
}

/** What the script says before the paths of all objects of earlier builds. */
export const alreadyThere = 'objects of earlier builds: '

/** What the script says of a machine that is of no use, before its name. */
export const leftOut = 'compiles nothing here: '

/**
 * Makes a folder right again in which make was killed. kbuild writes the command file of a target when the target is
 * finished, so that a target that is younger may be half a file: both go, and make makes them again. (A target without
 * a command file it makes again anyway.) With MODVERSIONS checksums are added to the command file at last, and nothing
 * tells whether they are there: then everything goes.
 */
function mendScript(folder: string): string {
  return `  if grep -q '^CONFIG_MODVERSIONS=y' ${folder}/.config; then
    rm -rf ${folder}
    mkdir ${folder}
  else
    find ${folder} -name '.*.cmd' | while read -r known; do
      made=\${known%.cmd}
      made=\${made%/*}/\${made##*/.}
      if [ "$made" -nt "$known" ]; then rm -f "$made" "$known"; fi
    done
  fi
`
}
