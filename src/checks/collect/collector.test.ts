import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCleanDomain } from '../../../test/lab/clean-domain.ts'
import { contextOf } from '../../../test/unit/facts/facts.ts'
import { rcodes } from '../../dns/types.ts'
import { createRoots, trustOf } from '../certificate.ts'
import { directs, everyAddress, plainName, readingOf, textsOf, zoneNamed } from '../read-facts.ts'
import { allRules } from '../rules/all.ts'
import { runRules } from '../run-rules.ts'

test('a domain with everything right: each fact is there, each question asked once', async (t) => {
  // Patience, so that a busy machine makes nobody ask twice.
  const probeLimits = { connectMs: 30_000, greetingMs: 30_000, commandMs: 30_000 }
  const lab = await startCleanDomain(t, { options: { dnsTimeoutMs: 20_000, timeoutMs: 120_000, probeLimits } })
  const facts = await lab.examine()

  assert.ok(facts.mx.kind === 'answer' && facts.mx.trust === 'secure')
  assert.deepEqual(
    facts.exchangers.map(({ name, preferences, isImplicit }) => [plainName(name), preferences, isImplicit]),
    [
      ['mx1.example.lab', [10], false],
      ['mx2.example.lab', [20], false],
    ],
  )
  for (const exchanger of facts.exchangers) {
    assert.equal(exchanger.zone && plainName(exchanger.zone), 'example.lab')
    assert.ok(Array.isArray(exchanger.tlsa) && exchanger.tlsa[0]?.view.kind === 'answer')
    assert.ok(Array.isArray(exchanger.caa) && exchanger.caa.length === 3)
    assert.ok('domain' in exchanger.registrable && exchanger.registrable.soa.kind === 'answer')
  }
  for (const { exchanger, at } of everyAddress(facts)) {
    assert.ok('ptr' in at.reverse && at.reverse.ptr.kind === 'answer')
    assert.deepEqual(
      at.reverse.forward.map(({ name, view }) => [plainName(name), view.kind]),
      [[plainName(exchanger.name), 'answer']],
    )
    assert.ok(at.smtp.kind === 'probed')
    const [session] = at.smtp.sessions
    assert.ok(session.handshake.kind === 'secured')
    assert.equal(trustOf(session.handshake.chain, createRoots([lab.places.root.pem])).kind, 'trusted')
    const answers = session.recipients.map(
      ({ purpose, said }) => `${purpose} ${said.kind === 'reply' && said.reply.code}`,
    )
    assert.deepEqual(answers.slice(0, 5), [
      'postmaster 250',
      'bare-postmaster 250',
      'abuse 250',
      'unknown 550',
      'foreign 550',
    ])
    assert.deepEqual(
      session.extras.map(({ purpose, handshake }) => `${purpose} ${handshake.kind}`),
      ['without-sni secured', 'tls-1.2 secured', 'old-tls failed', 'other-key failed'],
    )
    assert.ok(Array.isArray(at.ownNames) && at.ownNames[0]?.a.kind === 'answer')
  }
  const zone = zoneNamed(facts, facts.zone)
  assert.ok(zone && zone.delegation.kind === 'delegated')
  assert.equal(plainName(zone.delegation.parent), 'lab')
  assert.equal(zone.ds.kind, 'answer')
  assert.deepEqual(
    zone.nameServers.map(({ name, atParent, atApex, glue }) => [plainName(name), atParent, atApex, glue.length]),
    [
      ['ns1.example.lab', true, true, 1],
      ['ns2.example.lab', true, true, 1],
      ['ns3.example.lab', true, true, 1],
    ],
  )
  for (const server of zone.servers) {
    for (const over of ['udp', 'tcp'] as const) {
      const [direct] = directs(server, { type: 'MX', over })
      assert.equal(direct && readingOf(direct)?.kind, 'answer')
    }
    const [foreign] = directs(server, { recursion: true })
    assert.ok(foreign?.outcome.kind === 'response' && foreign.outcome.message.rcode === rcodes.refused)
    const [denial] = directs(server, { type: 'HINFO' })
    assert.ok(denial?.outcome.kind === 'response')
    const nsec = denial.outcome.message.authorities.find(({ data }) => data.type === 'NSEC')
    assert.ok(nsec?.data.type === 'NSEC' && nsec.data.types.includes(15))
    assert.equal(directs(server, { type: 'TLSA' }).length, 2)
  }
  assert.ok(facts.mtaSts.https.kind === 'response')
  assert.match(facts.mtaSts.https.body.toString(), /^version: STSv1\n/)
  assert.deepEqual([facts.mtaSts.https.status, facts.mtaSts.https.contentType], [200, 'text/plain'])
  assert.deepEqual(lab.policyHost.requests, ['GET /.well-known/mta-sts.txt HTTP/1.1 mta-sts.example.lab'])
  assert.match(textsOf(facts.tlsRpt.txt)[0]?.toString() ?? '', /^v=TLSRPTv1/)
  assert.match(textsOf(facts.spf.txt)[0]?.toString() ?? '', /^v=spf1/)
  assert.equal(facts.dmarc.walk.length, 1)
  assert.deepEqual([facts.wildcard.mx.kind, facts.wildcard.txt.kind], ['no-such-name', 'no-such-name'])
  assert.deepEqual(facts.vantage, { ipv4: 'works', ipv6: 'not-examined', port25: 'open', validation: 'trusted' })

  // Each question to the resolver and to each server went out once.
  assert.deepEqual(repeated(lab.internet.resolved), [])
  assert.deepEqual(repeated(lab.internet.asked.filter((question) => !/ (NS|A) /.test(question))), [])
  assert.ok(facts.spent.queries < 120, `${facts.spent.queries} queries`)
  assert.equal(facts.spent.connections, 11)
  for (const exchanger of lab.exchangers) assert.ok(!exchanger?.commands.some((line) => /^DATA/i.test(line)))
  const outcomes = runRules(allRules, facts, contextOf({ roots: createRoots([lab.places.root.pem]) }))
  // Of IPv6 loopback has one address alone, so the exchangers of the lab have none.
  assert.deepEqual(
    outcomes.map(({ id }) => id),
    ['exchangers-no-ipv6'],
  )
})

function repeated(questions: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const question of questions) counts.set(question, (counts.get(question) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([question]) => question)
}
