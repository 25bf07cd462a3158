import { describe, expect, it } from 'vitest'
import { markdown, verdict, withSection } from './report.ts'

describe('the table of a verification', () => {
  it('is Markdown, whatever is in its cells', () => {
    const judgement = {
      columns: ['what', 'count'],
      rows: [['a | b\nc', 3]],
      notes: ['Against conf.'],
      failures: 0,
    }
    expect(markdown(judgement)).toBe('| what | count |\n| --- | --- |\n| a \\| b c | 3 |\n\nAgainst conf.')
  })
  it('says beside what was found what could not be judged', () => {
    const judgement = { columns: [], rows: [], failures: 0 }
    expect(verdict(judgement)).toBe('no differences')
    expect(verdict({ ...judgement, failures: 2, notJudged: ['6.1 (no source)'] })).toBe(
      '2 DIFFERENCES; NOT JUDGED: 6.1 (no source)',
    )
  })
  it('takes the place of the one before, and leaves the others alone', () => {
    const first = withSection(withSection('# Verification\n', 'one', 'old'), 'two', 'other')
    expect(withSection(first, 'one', 'new')).toBe(first.replace('old', 'new'))
  })
})
