import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { soaData } from '../../../../test/unit/facts/records.ts'
import { response, silence } from '../../../../test/unit/facts/servers.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { nsSerialDiffers } from './ns-serial-differs.ts'

const withSerial = (facts: Facts, index: number, serial: number) =>
  changeAnswer(facts, index, 'example.com', 'SOA', response('example.com', 'SOA', [soaData(serial)]))
const all = (serial: number) => [0, 1, 2, 3, 4, 5].reduce((facts, index) => withSerial(facts, index, serial), factsOf())

test('one server behind is a notice with both serials', () => {
  const finding = only(nsSerialDiffers, withSerial(factsOf(), 2, 2026030100))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /2026030100.*2026030101, 1 step further/)
  assert.match(finding.remedy.text, /after 4 hours/)
})

test('a serial that has wrapped is ahead (RFC 1982)', () => {
  const behind = outcomesOf(nsSerialDiffers, withSerial(all(0xffffffff), 0, 5))
  assert.deepEqual(behind, Array(5).fill('notice ns-serial-differs'))
  assert.match(
    only(nsSerialDiffers, withSerial(all(5), 0, 0xffffffff)).seen,
    /ns1\.example\.com \(192\.0\.2\.53\) has the serial 4294967295/,
  )
})

test('without any answer it is not checked', () => {
  const facts = [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) => changeAnswer(changed, index, 'example.com', 'SOA', silence),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(nsSerialDiffers, facts), ['not checked ns-serial-differs: no-answer'])
})

test('equal serials are fine', () => {
  assert.deepEqual(outcomesOf(nsSerialDiffers, factsOf()), [])
})
