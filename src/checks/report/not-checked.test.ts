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
