/**
 * Kbuild: the Makefiles in which a kernel tree says what is built from what, and under which configuration.
 *
 * The model. A *Makefile* sets variables; `obj-y`, `obj-m` and a few others list the objects of its directory, objects
 * that are *composite* list their parts in variables of their own (`foo-y`), and a name that ends in a slash is a
 * directory to enter. Nearly everything depends on configuration symbols, whose values are n, m and y.
 *
 * Makefiles are *run*, as GNU make would, but over text that is there under *conditions*: `obj-$(CONFIG_TUN) += tun.o`
 * puts `tun.o` into `obj-y` where TUN=y and into `obj-m` where TUN=m. One run so tells for every object the whole
 * condition under which it is built. With the symbols of one configuration fixed, the same run tells what `make`
 * would build for it: that is how it is judged, against the modules.order of real kernels.
 *
 * From outside in: `openSourceTree` reads a tree from disk, `openSymbols` asks its Kconfig files for the symbols of an
 * architecture, `readKbuild` runs the Makefiles, `moduleSource` says of a module which symbols build it and where that
 * is written.
 *
 * What this is not: rules and recipes are passed over, since kernel Makefiles list what is built in variables, and
 * commands (`$(shell …)`) are never run.
 */
export { type Alternative, alternativesOf, alternativeText, type Demand } from './alternatives.ts'
export { type Condition, type Conditions, holds, type SymbolValue, symbolsOf } from './condition.ts'
export type { Directory, DirectoryObject, Listed } from './directory.ts'
export { type KbuildError, type KbuildResult, type Place, placeText } from './error.ts'
export type { SourceTree } from './expand.ts'
export {
  compiledObjects,
  type Gate,
  type Kbuild,
  type KbuildInput,
  type KbuildObject,
  type ObjectPlace,
  readKbuild,
  type SymbolState,
} from './kbuild.ts'
export { fixedSymbols, openSourceTree, openSymbols } from './source-tree.ts'
export {
  alternativesText,
  type ModulePlace,
  type ModuleSource,
  moduleName,
  moduleSource,
  modulesByName,
} from './which.ts'
