import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notChecked } from '../../../test/unit/check-report.ts'
import { groupNotChecked } from './not-checked.ts'

test('a sentence that another one ends with is said once', () => {
  const why = 'The resolver does not validate DNSSEC.'
  const said = [
    notChecked({ id: 'dnssec-bogus', why }),
    notChecked({ id: 'sts-missing', why: `It matters only without DANE. ${why}` }),
    notChecked({ id: 'dane-missing', why }),
  ]
  assert.deepEqual(groupNotChecked(said), [{ why, ids: ['dnssec-bogus', 'sts-missing', 'dane-missing'] }])
})

test('one cause is told once, whatever hosts it took away', () => {
  const of = (host: string) =>
    notChecked({ why: `The zone of ${host} was not found, so its name servers were not asked: nobody answers.` })
  const [group] = groupNotChecked([of('the domain'), of('mx1.example.com'), of('mx2.example.com')])
  assert.equal(
    group?.why,
    'The zone of the domain was not found, so its name servers were not asked: nobody answers. And 2 more of the kind.',
  )
})
