import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalRules } from '../../publish/plan/consequences.ts'
import { parseAllowed } from './flags.ts'

test('rules that are allowed: by their names, all of them, and a word that is none', () => {
  const rules = (text: string) => {
    const parsed = parseAllowed(text)
    assert.ok(parsed.kind === 'rules')
    return [...parsed.rules]
  }
  assert.deepEqual(rules('mta-sts, null-mx'), ['mta-sts', 'null-mx'])
  assert.deepEqual(rules('all'), refusalRules)
  assert.deepEqual(rules('null-mx,all'), refusalRules)
  assert.deepEqual(parseAllowed('null-mx,nullmx'), { kind: 'unknown', word: 'nullmx' })
})
