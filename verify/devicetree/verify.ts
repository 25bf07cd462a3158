/** The flattened format, edits and overlays, held against dtc's own programs over every tree of Debian's Arm kernels. */
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
  const all: string[] = []
  for (const kernel of KERNELS) {
    const folder = join(await unpackedPackage(kernel), 'usr/lib')
    const trees = findFiles(folder, '.dtb')
    all.push(...trees)
    progress(`${kernel.release} ${kernel.architecture}: ${trees.length} trees`)
    add(
      `read, written and printed: ${kernel.release} ${kernel.architecture}`,
      'dtc: same text, no larger file, no new warning',
      verifyRoundTrips(trees),
    )
    const overlays = overlayPairs(findFiles(folder, '.dtbo'), trees)
    if (overlays.length > 0) {
      add(`overlays: ${kernel.release} ${kernel.architecture}`, 'fdtoverlay', verifyOverlays(overlays))
    }
  }
  progress('edits')
  add('sequences of random edits', 'fdtput', verifyEdits(all, SEED, EDIT_SEQUENCES))
  progress('mutations')
  add('mutated files', 'a typed error or success', verifyMutations(all, SEED, MUTATIONS))
  return { columns: ['what', 'against', 'checked', 'refused', 'failures'], rows, failures }
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
