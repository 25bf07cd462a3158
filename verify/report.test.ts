import { describe, expect, it } from 'vitest'
import { markdown, withSection } from './report.ts'

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
  it('takes the place of the one before, and leaves the others alone', () => {
    const first = withSection(withSection('# Verification\n', 'one', 'old'), 'two', 'other')
    expect(withSection(first, 'one', 'new')).toBe(first.replace('old', 'new'))
  })
})
