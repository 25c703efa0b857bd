import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { direct, silence } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts, ZoneFacts } from '../../facts.ts'
import { runRules } from '../../run-rules.ts'
import { nameServerRules } from './rules.ts'

const rule = nameServerRules.find(({ id }) => id === 'exchanger-zone-faulty') ?? assert.fail()

/** mx2 is in the zone of somebody else; so are copies of the fixture's servers. */
function elsewhere(change: (zone: ZoneFacts) => ZoneFacts): Facts {
  const facts = changeExchanger(factsOf(), 1, { zone: wire('provider.net') })
  const own = facts.zones[0] ?? assert.fail()
  const foreign: ZoneFacts = { ...own, apex: wire('provider.net'), serves: [], servers: [] }
  return { ...facts, zones: [own, change(foreign)] }
}

const server = (outcome: typeof silence) => ({
  name: wire('ns.provider.net'),
  address: (factsOf().zones[0] ?? assert.fail()).servers[0]?.address ?? assert.fail(),
  asked: [direct('provider.net', 'SOA', outcome)],
})

test('a fault in the zone of an exchanger is told as there, with who can mend it', () => {
  const facts = elsewhere((zone) => ({ ...zone, servers: [server(silence)] }))
  const [finding] = runRules([rule], facts, contextOf())
  assert.ok(finding?.kind === 'finding')
  assert.equal(finding.severity, 'error')
  assert.deepEqual([finding.data.check, finding.rfc], ['ns-silent', ['RFC 8906 §3.1.1', 'RFC 1034 §4.1']])
  assert.match(finding.seen, /zone of mx2\.example\.com/)
  assert.match(finding.remedy.text, /^Tell who runs the zone provider\.net/)
  assert.deepEqual(outcomesOf(nameServerRules, facts), [
    'error exchanger-zone-faulty',
    'not checked exchanger-zone-faulty: no-answer',
  ])
})

test('the domain’s own zone is told by the rules themselves', () => {
  assert.deepEqual(outcomesOf(rule, factsOf()), [])
})

test('what could not be asked is told once, and an exchanger whose zone was not found too', () => {
  const facts = elsewhere((zone) => ({ ...zone, servers: [server(notExamined('not-public'))] }))
  assert.deepEqual(
    outcomesOf(rule, facts).filter((line) => line.includes('not-public')),
    ['not checked exchanger-zone-faulty: not-public'],
  )
  assert.deepEqual(outcomesOf(rule, changeExchanger(factsOf(), 1, { zone: undefined })), [
    'not checked exchanger-zone-faulty: depends-on-failed',
  ])
})
