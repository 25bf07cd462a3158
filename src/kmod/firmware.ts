import type { KmodFinding } from './findings.ts'
import { literalPrefix, matchesGlob } from './glob.ts'
import type { Kmod } from './kmod.ts'

/** What firmware a system has. */
export interface FirmwareFiles {
  /** Paths below /lib/firmware: `mediatek/mt7603_e1.bin`. */
  readonly files: Iterable<string>
  /** Names that may be missing, as modules write them. */
  readonly waived?: Iterable<string>
  /** Built-in drivers whose firmware must be there too; without it all of them. */
  readonly builtin?: ReadonlySet<string>
}

/** What a kernel does to find firmware beside looking at the name itself. */
export interface FirmwareLoader {
  /** As `uname -r` says it. */
  readonly release: string
  /** Symbols of its configuration, without `CONFIG_`, to values. */
  readonly config: ReadonlyMap<string, string>
}

/**
 * The names under which a kernel finds what is below /lib/firmware, and what is in its image: it looks into `updates`
 * and folders of its release as well, and unpacks .xz and .zst where it was built to (drivers/base/firmware_loader/main.c,
 * `fw_path` and `_request_firmware`).
 */
export function firmwareNames(paths: Iterable<string>, loader: FirmwareLoader): ReadonlySet<string> {
  const builtin = (loader.config.get('EXTRA_FIRMWARE') ?? '').split(/\s+/).filter((name) => name !== '')
  return new Set([...builtin, ...Array.from(paths, (path) => namesOf(path, loader)).flat()])
}

/** Those of `paths` below /lib/firmware that a kernel would take for what modules name. */
export function firmwareFiles(
  kmods: Iterable<Kmod>,
  paths: Iterable<string>,
  loader: FirmwareLoader,
): readonly string[] {
  const asked = Array.from(kmods, ({ firmware }) => firmware).flat()
  const literal = new Set(asked)
  const patterns = asked.filter((name) => literalPrefix(name) !== name)
  return [...paths].filter((path) =>
    namesOf(path, loader).some(
      (name) => literal.has(name) || patterns.some((pattern) => matchesGlob(pattern, name)),
    ),
  )
}

function namesOf(path: string, { release, config }: FirmwareLoader): readonly string[] {
  const isOn = (symbol: string): boolean => config.get(symbol) === 'y'
  const suffixes = ['xz', 'zst'].filter((suffix) =>
    isOn(`FW_LOADER_COMPRESS_${suffix === 'xz' ? 'XZ' : 'ZSTD'}`),
  )
  const folder = [`updates/${release}/`, 'updates/', `${release}/`].find((each) => path.startsWith(each))
  const name = path.slice(folder?.length ?? 0)
  const suffix = suffixes.find((each) => name.endsWith(`.${each}`))
  return [path, name, ...(suffix === undefined ? [] : [name.slice(0, -suffix.length - 1)])]
}

/**
 * Firmware that drivers name (`MODULE_FIRMWARE`) and that is not there. A literal name that is missing is an error
 * unless somebody waived it; a pattern that matches nothing is a warning, since any of many files may be enough.
 */
export function checkFirmware(
  firmware: FirmwareFiles,
  modules: Iterable<{ readonly name: string; readonly kmod: Kmod }>,
  builtin: ReadonlyMap<string, Kmod>,
): readonly KmodFinding[] {
  const files = new Set(firmware.files)
  const waived = new Set(firmware.waived)
  const drivers = [
    ...Array.from(modules, ({ name, kmod }) => ({ name, kmod, isBuiltin: false })),
    ...[...builtin]
      .filter(([name]) => firmware.builtin?.has(name) ?? true)
      .map(([name, kmod]) => ({ name, kmod, isBuiltin: true })),
  ]
  const findings: KmodFinding[] = []
  for (const { name: module, kmod, isBuiltin } of drivers) {
    for (const file of new Set(kmod.firmware)) {
      const isPattern = literalPrefix(file) !== file
      if (waived.has(file) || files.has(file)) continue
      if (isPattern && [...files].some((path) => matchesGlob(file, path))) continue
      const who = isBuiltin ? `the built-in driver ${module}` : module
      findings.push({
        type: 'firmware-missing',
        severity: isPattern ? 'warning' : 'error',
        module,
        file,
        builtin: isBuiltin,
        message: isPattern
          ? `nothing under /lib/firmware matches ${file}, which ${who} may ask for`
          : `${who} asks for /lib/firmware/${file}, which is not there`,
      })
    }
  }
  return findings
}
