import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { contextOf, factsOf } from '../../../test/unit/facts/facts.ts'
import { notExamined } from '../../../test/unit/facts/views.ts'
import { leftOut, ruleIds } from '../rule-ids.ts'
import { runRules } from '../run-rules.ts'
import { allRules } from './all.ts'

test('each id is that of one rule, and none is left out that is also a rule', () => {
  const ids = allRules.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(new Set(ruleIds).size, ruleIds.length)
  for (const id of Object.keys(leftOut)) assert.ok(!(ruleIds as readonly string[]).includes(id), id)
})

test('a domain in which everything is right yields nothing at all', () => {
  assert.deepEqual(runRules(allRules, factsOf(), contextOf()), [])
})

test('a rule that looks at zones or their servers has not been checked where the zones were not found', () => {
  const lost = { zone: undefined, zoneUnknown: notExamined('depends-on-failed') }
  const facts = factsOf((whole) => ({
    ...whole,
    ...lost,
    zones: [],
    vantage: { ...whole.vantage, validation: 'none' },
    exchangers: whole.exchangers.map((one) => ({ ...one, ...lost })),
  }))
  // The way to an address is judged by a table, which the context of this test has not.
  const asked = allRules.filter(({ id, needs }) => needs.includes('name-servers') && id !== 'route-unsigned')
  const unchecked = new Set(
    runRules(asked, facts, contextOf()).flatMap(({ kind, id }) => (kind === 'finding' ? [] : id)),
  )
  assert.deepEqual(
    asked.map(({ id }) => id).filter((id) => !unchecked.has(id)),
    [],
  )
})

test('every rule has its page', () => {
  for (const { id } of allRules) assert.ok(existsSync(new URL(`../../../docs/checks/${id}.md`, import.meta.url)), id)
})
