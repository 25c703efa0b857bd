import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { domainDotless } from './domain-dotless.ts'

test('a single label is a warning, but within a private network', () => {
  const facts = factsOf({ domain: host('ai') })
  assert.deepEqual(outcomesOf(domainDotless, { ...facts, examination: { ...facts.examination, isPrivate: false } }), [
    'warning domain-dotless',
  ])
  assert.deepEqual(outcomesOf(domainDotless, facts), [])
})

test('a domain with a dot is fine', () => {
  const facts = factsOf()
  assert.deepEqual(outcomesOf(domainDotless, { ...facts, examination: { ...facts.examination, isPrivate: false } }), [])
})
