/** The flattened format, edits and overlays, held against dtc's own programs over every tree of Debian's Arm kernels. */
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import {
  type Conformance,
  findFiles,
  verifyEdits,
  verifyMutations,
  verifyOverlays,
  verifyRoundTrips,
} from '../../src/devicetree/conformance.ts'
import { unpackedPackage } from '../../test/material.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'

const KERNELS = [
  { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' },
  { release: 'bookworm', architecture: 'armhf', package: 'linux-image-armmp' },
  { release: 'trixie', architecture: 'arm64', package: 'linux-image-arm64' },
] as const
const EDIT_SEQUENCES = 2000
const MUTATIONS = 1_000_000
const SEED = 20_240_611

async function verifyTrees({ progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  const add = (what: string, oracle: string, done: Conformance): void => {
    failures += done.failures.length
    for (const failure of done.failures) progress(failure)
    rows.push([what, oracle, done.checked, done.refused, done.failures.length])
  }
  const overlayTools = [['fdtoverlay'] as const, await newerFdtoverlay()]
  const dtc = versionOf(['dtc'])
  const all: string[] = []
  for (const kernel of KERNELS) {
    const folder = join(await unpackedPackage(kernel), 'usr/lib')
    const trees = findFiles(folder, '.dtb')
    all.push(...trees)
    progress(`${kernel.release} ${kernel.architecture}: ${trees.length} trees`)
    add(
      `read, written and printed: ${kernel.release} ${kernel.architecture}`,
      `dtc ${dtc}: same text, no larger file, no new warning`,
      verifyRoundTrips(trees),
    )
    const overlays = overlayPairs(findFiles(folder, '.dtbo'), trees)
    if (overlays.length === 0) continue
    const what = `${overlays.length} overlays on trees: ${kernel.release} ${kernel.architecture}`
    for (const tool of overlayTools) {
      add(what, `fdtoverlay ${versionOf(tool)}`, verifyOverlays(overlays, tool))
    }
  }
  progress('edits')
  add('sequences of random edits', `fdtput ${dtc}`, verifyEdits(all, SEED, EDIT_SEQUENCES))
  progress('mutations')
  const mutations = verifyMutations(all, SEED, MUTATIONS)
  const megabytes = Math.ceil(mutations.grownBytes / 1e6)
  add('mutated files', `a typed error or success; grew by ${megabytes} MB at most`, mutations)
  return {
    columns: ['what', 'against', 'checked', 'refused', 'failures'],
    rows,
    notes: [
      'Where libfdt 1.6 takes a phandle away from a node of the base, its tree is no judge, and the pair is not counted.',
    ],
    failures,
  }
}

/** fdtoverlay of trixie, with the libraries that it needs: the host's are older. */
async function newerFdtoverlay(): Promise<readonly [string, ...string[]]> {
  const of = (name: string) => unpackedPackage({ release: 'trixie', architecture: 'amd64', package: name })
  const tools = await of('device-tree-compiler')
  const libraries = [await of('libfdt1'), await of('libyaml-0-2'), await of('libc6')].map((folder) =>
    join(folder, 'usr/lib/x86_64-linux-gnu'),
  )
  const linker = join(await of('libc6'), 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2')
  return [linker, '--library-path', libraries.join(':'), join(tools, 'usr/bin/fdtoverlay')]
}

/** `1.6.1`: what a program of dtc's says of itself. */
function versionOf([command, ...options]: readonly [string, ...string[]]): string {
  const { stdout } = spawnSync(command, [...options, '--version'], { encoding: 'utf8' })
  const version = /DTC ([\d.]+)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${command} does not say its version`)
  return version
}

/** Each overlay with the trees whose name it begins with: `k3-am625-sk-….dtbo` belongs to `k3-am625-sk.dtb`. */
function overlayPairs(
  overlays: readonly string[],
  trees: readonly string[],
): readonly (readonly [base: string, overlay: string])[] {
  return overlays.flatMap((overlay) =>
    trees
      .filter((tree) => basename(overlay).startsWith(`${basename(tree, '.dtb')}-`))
      .map((tree) => [tree, overlay] as const),
  )
}

export const verifications: readonly Verification[] = [
  { name: 'devicetree', title: 'Flattened device trees, against dtc', run: verifyTrees },
]
