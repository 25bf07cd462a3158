/** Planned memory maps, held against a check that shares no code with the planner and against exhaustive search. */
import { verifyBoards, verifyPuzzles } from '../../src/layout/conformance.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'

const SEED = 1
const BOARDS = 100_000
const PUZZLES = 20_000

async function verifyLayouts({ progress }: VerifyContext): Promise<Judgement> {
  const boards = verifyBoards(SEED, BOARDS)
  progress(`${BOARDS} boards: ${boards.failures.length} failures`)
  const puzzles = verifyPuzzles(SEED, PUZZLES)
  for (const failure of [...boards.failures, ...puzzles.failures]) progress(failure)
  return {
    columns: ['what', 'against', 'checked', 'refused', 'failures'],
    rows: [
      [
        'random boards and image sizes',
        'the independent check',
        BOARDS,
        boards.refused,
        boards.failures.length,
      ],
      ['small cases', 'exhaustive search', PUZZLES, puzzles.refused, puzzles.failures.length],
    ],
    notes: ['A refusal is right when what it says is missing would be enough, and a byte less would not.'],
    failures: boards.failures.length + puzzles.failures.length,
  }
}

export const verifications: readonly Verification[] = [
  { name: 'layout', title: 'Memory maps', run: verifyLayouts },
]
