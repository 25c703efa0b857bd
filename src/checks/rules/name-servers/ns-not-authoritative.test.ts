import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData, nsData, soaData } from '../../../../test/unit/facts/records.ts'
import { direct, response, silence } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import { nsNotAuthoritative } from './ns-not-authoritative.ts'

const code = (rcode: number) =>
  response('example.com', 'SOA', [], { authorities: [], message: { authoritative: false, rcode } })

test('REFUSED, SERVFAIL, NOTIMP, a referral and hearsay, for SOA and for MX', () => {
  for (const outcome of [
    code(rcodes.refused),
    code(rcodes.servFail),
    code(rcodes.notImp),
    response('example.com', 'SOA', [], {
      authorities: [nsData('a.gtld-servers.net')],
      zone: 'com',
      message: { authoritative: false },
    }),
    response('example.com', 'SOA', [soaData()], { message: { authoritative: false } }),
  ]) {
    const finding = only(nsNotAuthoritative, changeAnswer(factsOf(), 2, 'example.com', 'SOA', outcome))
    assert.equal(finding.severity, 'warning')
  }
  const mx = response('example.com', 'MX', [mxData(10, 'mx1.example.com')], { message: { authoritative: false } })
  assert.match(
    only(nsNotAuthoritative, changeAnswer(factsOf(), 2, 'example.com', 'MX', mx)).seen,
    /MX example\.com from hearsay/,
  )
})

test('all of them: an error each', () => {
  const facts = [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) => changeAnswer(changed, index, 'example.com', 'SOA', code(rcodes.refused)),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(nsNotAuthoritative, facts), Array(6).fill('error ns-not-authoritative'))
})

test('silence is another fault, and FORMERR to EDNS alone is too', () => {
  assert.deepEqual(outcomesOf(nsNotAuthoritative, changeAnswer(factsOf(), 2, 'example.com', 'SOA', silence)), [])
  const formErr = response('example.com', 'SOA', [], {
    authorities: [],
    message: { rcode: rcodes.formErr, edns: undefined },
  })
  const facts = changeServer(changeAnswer(factsOf(), 2, 'example.com', 'SOA', formErr), 2, (server) => ({
    ...server,
    asked: [
      ...server.asked,
      direct('example.com', 'SOA', response('example.com', 'SOA', [soaData()]), { edns: false }),
    ],
  }))
  assert.deepEqual(outcomesOf(nsNotAuthoritative, facts), [])
})

test('good servers are fine, and one that was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsNotAuthoritative, factsOf()), [])
  const asked = [direct('example.com', 'SOA', notExamined('not-public'))]
  assert.deepEqual(outcomesOf(nsNotAuthoritative, changeServer(factsOf(), 0, { asked })), [
    'not checked ns-not-authoritative: not-public',
  ])
})
