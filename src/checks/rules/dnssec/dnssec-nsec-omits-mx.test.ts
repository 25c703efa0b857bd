import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { rrsigData, soaData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { dnssecNsecOmitsMx } from './dnssec-nsec-omits-mx.ts'

const denial = (types: readonly number[]) =>
  response('example.com', 'HINFO', [], {
    authorities: [soaData(), { type: 'NSEC', next: wire('a.example.com'), types }, rrsigData('NSEC')],
  })

test('an NSEC record that does not list MX, beside MX records', () => {
  const finding = only(dnssecNsecOmitsMx, changeAnswer(factsOf(), 2, 'example.com', 'HINFO', denial([2, 6, 46, 47])))
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /NSEC record for that name does not list MX/)
})

test('NSEC3 is found by the hash of the name (RFC 5155 §5)', () => {
  const hashed = (owner: string, types: readonly number[]) =>
    response('example.com', 'HINFO', [], {
      zone: owner,
      authorities: [
        {
          type: 'NSEC3',
          algorithm: 1,
          flags: 0,
          iterations: 12,
          salt: Buffer.from('aabbccdd', 'hex'),
          nextHash: Buffer.alloc(20),
          types,
        },
      ],
    })
  const at = (label: string) =>
    changeAnswer(factsOf(), 2, 'example.com', 'HINFO', hashed(`${label}.example.com`, [2, 6]))
  assert.match(only(dnssecNsecOmitsMx, at('oois0f53amke3k6dngios5klblt6ik7g')).seen, /NSEC3 record/)
  assert.deepEqual(outcomesOf(dnssecNsecOmitsMx, at('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom')), [])
})

test('a denial of another name, and one that lists MX, say nothing; what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(dnssecNsecOmitsMx, factsOf()), [])
  const other = response('example.com', 'HINFO', [], {
    zone: 'mx1.example.com',
    authorities: [{ type: 'NSEC', next: wire('a.example.com'), types: [1] }],
  })
  assert.deepEqual(outcomesOf(dnssecNsecOmitsMx, changeAnswer(factsOf(), 2, 'example.com', 'HINFO', other)), [])
  assert.deepEqual(
    outcomesOf(dnssecNsecOmitsMx, changeAnswer(factsOf(), 2, 'example.com', 'HINFO', notExamined('budget-spent'))),
    ['not checked dnssec-nsec-omits-mx: budget-spent'],
  )
})
