import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { txtData } from '../../../../test/unit/facts/records.ts'
import { response, silence } from '../../../../test/unit/facts/servers.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { spfDiffers } from './spf-differs.ts'

const saying = (...texts: string[]) =>
  response(
    'example.com',
    'TXT',
    texts.map((text) => txtData(text)),
  )
const good = 'v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all'
const at = (index: number, outcome: ReturnType<typeof saying>) =>
  changeAnswer(factsOf(), index, 'example.com', 'TXT', outcome)

test('the same policy everywhere is fine, in another case, and beside other TXT in another order', () => {
  assert.deepEqual(told(spfDiffers, factsOf()), [])
  assert.deepEqual(told(spfDiffers, at(2, saying('other=1', good.toUpperCase()))), [])
})

test('another policy, or none, at one server is a warning that names it', () => {
  const finding = findingOf(spfDiffers, at(2, saying('v=spf1 mx -all')))
  assert.match(finding.seen, /"v=spf1 mx -all" from ns2\.example\.com \(198\.51\.100\.53\)/)
  assert.deepEqual(told(spfDiffers, at(0, saying())), ['warning example.com TXT'])
})

test('a silent server and a truncated answer say nothing', () => {
  assert.deepEqual(told(spfDiffers, at(0, silence)), [])
  const cut = response('example.com', 'TXT', [], { message: { truncated: true } })
  assert.deepEqual(told(spfDiffers, at(0, cut)), [])
  const all = [0, 1, 2, 3, 4, 5].reduce(
    (facts, index) => changeAnswer(facts, index, 'example.com', 'TXT', silence),
    factsOf(),
  )
  assert.deepEqual(told(spfDiffers, all), ['not-checked no-answer example.com TXT'])
})
