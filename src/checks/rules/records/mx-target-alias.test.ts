import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { aData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { mxTargetAliasBroken, mxTargetIsAlias } from './mx-target-alias.ts'
import { mxTargetUnresolvable } from './mx-target-unresolvable.ts'

const rules = [mxTargetIsAlias, mxTargetAliasBroken]
const mx1 = 'mx1.example.com'
const through = (...aliases: string[]) => ({
  a: answer(mx1, [aData('192.0.2.1')], { aliases }),
  aaaa: noData(mx1, { aliases }),
})

test('an alias that leads to an address is a warning, with both remedies', () => {
  const finding = only(rules, changeExchanger(factsOf(), 0, through('host.example.net')))
  assert.equal(finding.id, 'mx-target-is-alias')
  assert.match(finding.seen, /mx1\.example\.com → host\.example\.net/)
  assert.deepEqual(finding.remedy.records, [
    'mx1.example.com. IN A 192.0.2.1',
    'mx1.example.com. IN AAAA 2001:db8:1::1',
    'example.com. IN MX 10 host.example.net.',
  ])
})

test('a dangling alias, one to a name without addresses, and a loop: each with its own text, and not told as unresolvable', () => {
  const all = [...rules, mxTargetUnresolvable]
  const gone = {
    a: noSuchName(mx1, { aliases: ['gone.example.net'] }),
    aaaa: noSuchName(mx1, { aliases: ['gone.example.net'] }),
    addresses: [],
  }
  assert.match(only(all, changeExchanger(factsOf(), 0, gone)).seen, /gone\.example\.net does not exist/)
  const empty = {
    a: noData(mx1, { aliases: ['bare.example.net'] }),
    aaaa: noData(mx1, { aliases: ['bare.example.net'] }),
    addresses: [],
  }
  assert.match(only(all, changeExchanger(factsOf(), 0, empty)).seen, /has no address/)
  const loop = {
    ...failed(mx1, 'cname-loop'),
    aliases: [wire('a.example.net'), wire('b.example.net'), wire('a.example.net')],
  }
  const finding = only(all, changeExchanger(factsOf(), 0, { a: loop, aaaa: loop, addresses: [] }))
  assert.match(finding.seen, /loop at a\.example\.net/)
  assert.deepEqual([finding.id, finding.severity], ['mx-target-alias-broken', 'warning'])
})

test('more than ten links are too many, although they end', () => {
  const aliases = Array.from({ length: 12 }, (_, at) => `hop${at}.example.net`)
  const finding = only(rules, changeExchanger(factsOf(), 0, through(...aliases)))
  assert.equal(finding.id, 'mx-target-alias-broken')
  assert.match(finding.seen, /12 aliases/)
})

test('where every exchanger is like this it is an error', () => {
  const gone = { a: noSuchName(mx1, { aliases: ['gone.example.net'] }), aaaa: noData(mx1), addresses: [] }
  const facts = [0, 1].reduce((changed, index) => changeExchanger(changed, index, gone), factsOf())
  assert.deepEqual(outcomesOf(rules, facts), ['error mx-target-alias-broken', 'error mx-target-alias-broken'])
})

test('an alias of the domain itself is another rule', () => {
  assert.deepEqual(
    outcomesOf(rules, changeExchanger(factsOf(), 0, { ...through('host.example.net'), isImplicit: true })),
    [],
  )
})

test('without an alias nothing is said, and a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  const unknown = { a: failed(mx1), aaaa: failed(mx1), addresses: [] }
  assert.deepEqual(outcomesOf(rules, changeExchanger(factsOf(), 0, unknown)), [
    'not checked mx-target-is-alias: lookup-failed',
    'not checked mx-target-alias-broken: lookup-failed',
  ])
  const skipped = { a: notExamined('budget-spent'), aaaa: notExamined('budget-spent'), addresses: [] }
  assert.deepEqual(outcomesOf(mxTargetIsAlias, changeExchanger(factsOf(), 0, skipped)), [
    'not checked mx-target-is-alias: budget-spent',
  ])
})
