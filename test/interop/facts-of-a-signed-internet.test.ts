import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createCollector } from '../../src/checks/collect/collector.ts'
import { directs, plainName, zoneNamed } from '../../src/checks/read-facts.ts'
import type { Part } from '../../src/checks/rule.ts'
import { startLab } from '../lab/lab.ts'
import { labHost } from '../lab/names.ts'
import { run } from './harness/program.ts'
import { startSignedInternet } from './harness/signed-internet.ts'

const mail = `
@ MX 10 mx1
@ TXT "v=spf1 mx -all"
mx1 A 192.0.2.1
_25._tcp.mx1 TLSA 3 1 1 ${'ab'.repeat(32)}
_mta-sts TXT "v=STSv1; id=1"
`

const parts: ReadonlySet<Part> = new Set<Part>(['name-servers', 'dnssec', 'tlsa', 'wildcard', 'senders', 'caa'])

test('signed, unsigned, NSEC3 and expired zones of real servers are seen as dig and unbound see them', async (t) => {
  const lab = await startLab(t)
  const internet = await startSignedInternet(lab, [
    { name: '', servers: ['a.root.lab'], text: '' },
    { name: 'lab', servers: ['a.nic.lab'], text: '' },
    { name: 'good.lab', servers: ['ns1.good.lab', 'ns2.good.lab'], text: mail },
    { name: 'nsec3.lab', servers: ['ns1.nsec3.lab'], text: mail, nsec3: true },
    { name: 'open.lab', servers: ['ns1.open.lab'], text: mail, state: 'unsigned' },
    { name: 'expired.lab', servers: ['ns1.expired.lab'], text: mail, state: 'expired' },
  ])
  const collector = createCollector(
    {
      resolvers: [internet.resolver],
      rootHints: internet.rootHints,
      dnsPort: internet.port,
      isPrivate: true,
      probe: 'none',
      dnsPerSecond: 1000,
      // Six servers and a resolver share the machine with us.
      dnsTimeoutMs: 20_000,
      timeoutMs: 240_000,
      validation: { signed: labHost('lab'), broken: labHost('expired.lab') },
      knownExchanger: undefined,
    },
    { clock: systemClock, random: systemRandom, door: systemDoor },
  )
  lab.atEnd(() => collector.close())
  const dig = async (...question: string[]) => {
    const { stdout } = await run('/usr/bin/dig', [
      `@${internet.resolver.address}`,
      '-p',
      String(internet.port),
      '+dnssec',
      '+time=30',
      ...question,
    ])
    return { status: /status: (\w+)/.exec(stdout)?.[1], isSecure: /flags:[^;]* ad[ ;]/.test(stdout) }
  }
  const examine = (domain: string) => collector.collect(labHost(domain), parts)

  for (const domain of ['good.lab', 'nsec3.lab']) {
    const facts = await examine(domain)
    assert.ok(facts.mx.kind === 'answer', domain)
    assert.equal(facts.mx.trust, 'secure')
    assert.deepEqual(await dig('MX', domain), { status: 'NOERROR', isSecure: true })
    assert.equal(facts.vantage.validation, 'trusted')
    const [exchanger] = facts.exchangers
    assert.ok(exchanger && Array.isArray(exchanger.tlsa))
    assert.ok(exchanger.tlsa[0]?.view.kind === 'answer' && exchanger.tlsa[0].view.trust === 'secure')
    assert.ok(exchanger.aaaa.kind === 'no-data' && exchanger.aaaa.trust === 'secure')
    assert.ok(facts.wildcard.mx.kind === 'no-such-name' && facts.wildcard.mx.trust === 'secure')
    const zone = zoneNamed(facts, facts.zone) ?? assert.fail(domain)
    assert.equal(zone.delegation.kind, 'delegated')
    assert.deepEqual([zone.ds.kind, zone.dnskey.kind], ['answer', 'answer'])
    assert.equal(zone.nsec3param.kind, domain === 'nsec3.lab' ? 'answer' : 'no-data')
    assert.ok(zone.nameServers.every(({ atParent, atApex, glue }) => atParent && atApex && glue.length === 1))
    for (const server of zone.servers) {
      const [soa] = directs(server, { type: 'SOA', over: 'udp' })
      assert.ok(soa?.outcome.kind === 'response', plainName(server.name))
      assert.ok(soa.outcome.message.answers.some(({ data }) => data.type === 'RRSIG'))
      const [denial] = directs(server, { type: 'HINFO' })
      assert.ok(denial?.outcome.kind === 'response')
      const proofs = denial.outcome.message.authorities.map(({ data }) => data.type)
      assert.ok(proofs.includes(domain === 'nsec3.lab' ? 'NSEC3' : 'NSEC'))
      const [foreign] = directs(server, { recursion: true })
      assert.ok(foreign?.outcome.kind === 'response' && !foreign.outcome.message.recursionAvailable)
    }
  }

  const open = await examine('open.lab')
  assert.ok(open.mx.kind === 'answer' && open.mx.trust === 'insecure')
  assert.deepEqual(await dig('MX', 'open.lab'), { status: 'NOERROR', isSecure: false })
  assert.equal(zoneNamed(open, open.zone)?.ds.kind, 'no-data')

  const expired = await examine('expired.lab')
  assert.ok(expired.mx.kind === 'failed')
  assert.deepEqual([expired.mx.reason, expired.mx.unchecked], ['servfail', 'answer'])
  assert.ok(
    expired.mx.extendedErrors.some(({ code }) => code >= 6 && code <= 12),
    JSON.stringify(expired.mx.extendedErrors),
  )
  assert.equal((await dig('MX', 'expired.lab')).status, 'SERVFAIL')
  assert.equal(zoneNamed(expired, expired.zone)?.servers.length, 1)

  assert.equal((await examine('nothing.lab')).mx.kind, 'no-such-name')
})
