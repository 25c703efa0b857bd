import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { soaData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { mxTargetUnregistered } from './mx-target-unregistered.ts'

const free = { host: host('mx.free.net'), registrable: { domain: host('free.net'), soa: noSuchName('free.net') } }

test('a domain that nobody has is an error', () => {
  const finding = only(mxTargetUnregistered, changeExchanger(factsOf(), 1, free))
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /free\.net, which does not exist/)
})

test('one that exists is fine, also where the host below it does not', () => {
  assert.deepEqual(outcomesOf(mxTargetUnregistered, factsOf()), [])
  const soa = answer('free.net', [soaData()])
  const facts = changeExchanger(factsOf(), 1, {
    a: noSuchName('mx.free.net'),
    registrable: { domain: host('free.net'), soa },
  })
  assert.deepEqual(outcomesOf(mxTargetUnregistered, facts), [])
})

test('reserved names cannot be registered', () => {
  assert.deepEqual(
    outcomesOf(mxTargetUnregistered, changeExchanger(factsOf(), 1, { ...free, host: host('mx.foo.invalid') })),
    [],
  )
})

test('what was not found out is not checked; what has no such domain is left alone', () => {
  const unknown = { registrable: { domain: host('free.net'), soa: failed('free.net') } }
  assert.deepEqual(outcomesOf(mxTargetUnregistered, changeExchanger(factsOf(), 1, unknown)), [
    'not checked mx-target-unregistered: lookup-failed',
  ])
  assert.deepEqual(
    outcomesOf(mxTargetUnregistered, changeExchanger(factsOf(), 1, { registrable: notExamined('budget-spent') })),
    ['not checked mx-target-unregistered: budget-spent'],
  )
  assert.deepEqual(
    outcomesOf(mxTargetUnregistered, changeExchanger(factsOf(), 1, { registrable: notExamined('not-applicable') })),
    [],
  )
})
