import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCleanDomain } from '../../../test/lab/clean-domain.ts'
import type { LabFault, LabZoneWords } from '../../../test/lab/internet/words.ts'
import { rcodes } from '../../dns/types.ts'
import type { Facts } from '../facts.ts'
import { directs, plainName, readingOf, zoneNamed } from '../read-facts.ts'
import type { Part } from '../rule.ts'

const dnsParts: readonly Part[] = ['name-servers', 'dnssec', 'wildcard', 'tlsa', 'registrable']

const withRecords =
  (records: LabZoneWords['records'], without: readonly string[] = []) =>
  (zone: LabZoneWords) => ({
    ...zone,
    records: Object.fromEntries(
      Object.entries({ ...zone.records, ...records }).filter(([name]) => !without.includes(name)),
    ),
  })

const withFault = (server: string, fault: LabFault) => (zone: LabZoneWords) => ({
  ...zone,
  servers: zone.servers.map((one) => (one.name === server ? { ...one, fault } : one)),
})

const serverNamed = (facts: Facts, name: string) => {
  const server = zoneNamed(facts, facts.zone)?.servers.find((one) => plainName(one.name) === name)
  return server ?? assert.fail(`${name} was not asked`)
}

const kinds = (facts: Facts, name: string, type: 'SOA' | 'MX', over: 'udp' | 'tcp' = 'udp') =>
  directs(serverNamed(facts, name), { type, over }).map(
    ({ edns, outcome }) =>
      `${edns ? 'edns' : 'plain'} ${outcome.kind === 'response' ? rcodeOf(outcome.message.rcode) : outcome.kind}`,
  )

const rcodeOf = (code: number) => Object.entries(rcodes).find(([, value]) => value === code)?.[0]

test('no such domain: nothing else is asked', async (t) => {
  const lab = await startCleanDomain(t)
  const facts = await lab.examine('nothing.lab')
  assert.equal(facts.mx.kind, 'no-such-name')
  assert.deepEqual([facts.exchangers, facts.zones, facts.spent.connections], [[], [], 0])
  assert.ok(facts.spent.queries <= 3)
})

test('a domain whose servers are dead is told from one that is bogus, by asking with CD', async (t) => {
  for (const [state, unchecked] of [
    ['dead', 'failed'],
    ['bogus', 'answer'],
  ] as const) {
    const lab = await startCleanDomain(t, { zone: (zone) => ({ ...zone, state }) })
    const facts = await lab.examine('example.lab', dnsParts)
    assert.ok(facts.mx.kind === 'failed')
    assert.deepEqual([facts.mx.reason, facts.mx.unchecked], ['servfail', unchecked])
    assert.deepEqual(
      facts.mx.extendedErrors.map(({ code }) => code),
      state === 'bogus' ? [6] : [],
    )
    assert.deepEqual(facts.exchangers, [])
    // The tree is walked from the root, so that the zone and its servers are known all the same.
    assert.equal(zoneNamed(facts, facts.zone)?.servers.length, 3)
  }
})

test('without MX the domain is its own exchanger; with a null MX there is none', async (t) => {
  const implicit = await startCleanDomain(t, { zone: withRecords({ 'example.lab': { A: ['127.0.0.9'] } }) })
  const facts = await implicit.examine('example.lab', dnsParts)
  assert.equal(facts.mx.kind, 'no-data')
  assert.deepEqual(
    facts.exchangers.map(({ name, isImplicit }) => [plainName(name), isImplicit]),
    [['example.lab', true]],
  )

  const nothing = await startCleanDomain(t, {
    zone: withRecords({ 'example.lab': { MX: [[0, '.']], A: ['127.0.0.9'] } }),
  })
  const none = await nothing.examine('example.lab')
  assert.ok(none.mx.kind === 'answer')
  assert.deepEqual([none.exchangers, none.a.kind], [[], 'answer'])

  const mixed = await startCleanDomain(t, {
    zone: withRecords({
      'example.lab': {
        MX: [
          [0, '.'],
          [10, 'mx1.example.lab'],
        ],
      },
    }),
  })
  const both = await mixed.examine('example.lab', ['smtp'])
  assert.deepEqual(
    both.exchangers.map(({ addresses }) => addresses[0]?.smtp.kind),
    ['probed'],
  )
})

test('targets that are no hosts are told, and not looked up', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({
      'example.lab': {
        MX: [
          [10, '192.0.2.1'],
          [10, 'MX1.Example.LAB'],
          [20, 'mx1.example.lab'],
          [30, 'b\\195\\188.example.lab'],
        ],
      },
    }),
  })
  const facts = await lab.examine('example.lab', ['tlsa'])
  assert.deepEqual(
    facts.exchangers.map(({ name, host, preferences }) => [plainName(name), host, preferences]),
    [
      ['192.0.2.1', undefined, [10]],
      ['mx1.example.lab', 'mx1.example.lab', [10, 20]],
      ['b\\195\\188.example.lab', undefined, [30]],
    ],
  )
  assert.ok(!lab.internet.resolved.some((question) => question.includes('192.0.2.1')))
})

test('an alias as target: followed, its first hop asked, both TLSA names tried', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone, { mx1 }) =>
      withRecords({ 'mx1.example.lab': { CNAME: 'real.example.lab' }, 'real.example.lab': { A: [mx1] } })(zone),
  })
  const [first] = (await lab.examine('example.lab', dnsParts)).exchangers
  assert.ok(first?.a.kind === 'answer')
  assert.deepEqual(first.a.aliases.map(plainName), ['real.example.lab'])
  assert.equal(first.cname.kind, 'answer')
  assert.ok(Array.isArray(first.tlsa))
  assert.deepEqual(
    first.tlsa.map(({ base, place, view }) => [plainName(base), place, view.kind]),
    [
      ['real.example.lab', 'target', 'no-such-name'],
      ['mx1.example.lab', 'original', 'answer'],
    ],
  )
})

test('aliases that loop or dangle say where they stop', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({
      'mx1.example.lab': { CNAME: 'loop.example.lab' },
      'loop.example.lab': { CNAME: 'mx1.example.lab' },
      'mx2.example.lab': { CNAME: 'gone.example.lab' },
    }),
  })
  const [loop, dangling] = (await lab.examine('example.lab', [])).exchangers
  assert.ok(loop?.a.kind === 'failed' && dangling?.a.kind === 'no-such-name')
  assert.deepEqual(loop.a.aliases.slice(0, 2).map(plainName), ['loop.example.lab', 'mx1.example.lab'])
  assert.deepEqual(dangling.a.aliases.map(plainName), ['gone.example.lab'])
})

test('AAAA that fails beside a good A is seen apart', async (t) => {
  const lab = await startCleanDomain(t, {
    resolverFault: ({ type, name }) =>
      type === 'AAAA' && name === 'mx1.example.lab.' ? { rcode: rcodes.servFail, authorities: [] } : undefined,
  })
  const facts = await lab.examine('example.lab', ['tlsa'])
  assert.deepEqual(
    facts.exchangers.map(({ a, aaaa, tlsa }) => [a.kind, aaaa.kind, Array.isArray(tlsa) && tlsa[0]?.view.kind]),
    [
      ['answer', 'failed', 'answer'],
      ['answer', 'no-data', 'answer'],
    ],
  )
})

test('a server that drops MX, one that says NOTIMP, one that is not authoritative, and one without TCP', async (t) => {
  const onMx =
    (say: Awaited<ReturnType<LabFault>>): LabFault =>
    ({ type }) =>
      type === 'MX' ? say : undefined
  const silent = await startCleanDomain(t, {
    zone: withFault('ns2.example.lab', onMx('silence')),
    options: { dnsTries: 1 },
  })
  const dropped = await silent.examine('example.lab', dnsParts)
  assert.deepEqual(kinds(dropped, 'ns2.example.lab', 'SOA'), ['edns noError'])
  assert.deepEqual(kinds(dropped, 'ns2.example.lab', 'MX'), ['edns silence', 'plain silence'])
  assert.deepEqual(kinds(dropped, 'ns1.example.lab', 'MX'), ['edns noError'])

  const notimp = await startCleanDomain(t, {
    zone: withFault('ns2.example.lab', onMx({ rcode: rcodes.notImp, answers: [] })),
  })
  assert.deepEqual(kinds(await notimp.examine('example.lab', dnsParts), 'ns2.example.lab', 'MX'), ['edns notImp'])

  const lame = await startCleanDomain(t, { zone: withFault('ns2.example.lab', onMx({ authoritative: false })) })
  const [mx] = directs(serverNamed(await lame.examine('example.lab', dnsParts), 'ns2.example.lab'), {
    type: 'MX',
    over: 'udp',
  })
  assert.ok(mx?.outcome.kind === 'response' && !mx.outcome.message.authoritative)

  const noTcp = await startCleanDomain(t, {
    zone: withFault('ns3.example.lab', ({ over }) => (over === 'tcp' ? 'silence' : undefined)),
    options: { dnsTries: 1 },
  })
  assert.deepEqual(kinds(await noTcp.examine('example.lab', dnsParts), 'ns3.example.lab', 'MX', 'tcp').slice(0, 1), [
    'edns silence',
  ])
})

test('a server that chokes on EDNS is asked without', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withFault('ns2.example.lab', ({ edns }) => (edns ? 'silence' : undefined)),
    options: { dnsTries: 1 },
  })
  assert.deepEqual(kinds(await lab.examine('example.lab', dnsParts), 'ns2.example.lab', 'SOA'), [
    'edns silence',
    'plain noError',
  ])
  const formErr: LabFault = ({ edns }) => (edns ? { rcode: rcodes.formErr, answers: [], edns: undefined } : undefined)
  const old = await startCleanDomain(t, { zone: withFault('ns2.example.lab', formErr) })
  assert.deepEqual(kinds(await old.examine('example.lab', dnsParts), 'ns2.example.lab', 'SOA'), [
    'edns formErr',
    'plain noError',
  ])
})

test('a silent server costs its tries and one word over TCP, no more', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withFault('ns2.example.lab', () => 'silence'),
    options: { dnsTimeoutMs: 100 },
  })
  const facts = await lab.examine('example.lab', dnsParts)
  const server = serverNamed(facts, 'ns2.example.lab')
  assert.deepEqual(
    server.asked.map(({ type, over, edns, outcome }) => `${type} ${over} ${edns} ${outcome.kind}`),
    ['SOA udp true silence', 'SOA udp false silence', 'SOA tcp true silence', 'SOA tcp false silence'],
  )
  assert.equal(facts.vantage.ipv4, 'works')
})

test('servers that have other records, or an older zone, are seen each by itself', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      servers: zone.servers.map((server) =>
        server.name === 'ns3.example.lab'
          ? { ...server, serial: 7, records: { ...zone.records, 'example.lab': { MX: [[5, 'old.example.lab']] } } }
          : server,
      ),
    }),
  })
  const facts = await lab.examine('example.lab', dnsParts)
  const preferences = ['ns1', 'ns2', 'ns3'].map((name) => {
    const [direct] = directs(serverNamed(facts, `${name}.example.lab`), { type: 'MX', over: 'udp' })
    const reading = direct && readingOf(direct)
    return reading?.kind === 'answer'
      ? reading.records.map(({ data }) => data.type === 'MX' && data.preference)
      : reading?.kind
  })
  assert.deepEqual(preferences, [[10, 20], [10, 20], [5]])
})

test('a truncated answer is asked for over TCP', async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => [index, `exchanger-number-${index}.example.lab`] as const)
  const lab = await startCleanDomain(t, { zone: withRecords({ 'example.lab': { MX: many } }) })
  const facts = await lab.examine('example.lab', dnsParts)
  assert.ok(facts.mx.kind === 'answer' && facts.mx.bytes > 1232)
  assert.equal(facts.exchangers.length, 60)
  const [udp] = directs(serverNamed(facts, 'ns1.example.lab'), { type: 'MX', over: 'udp' })
  assert.ok(udp?.outcome.kind === 'response' && udp.outcome.message.truncated)
  assert.deepEqual(kinds(facts, 'ns1.example.lab', 'MX', 'tcp')[0], 'edns noError')
})

test('a wildcard shows at a name that nobody has', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({ '*.example.lab': { MX: [[10, 'mx1.example.lab']], TXT: ['v=spf1 -all'] } }),
  })
  const { wildcard } = await lab.examine('example.lab', ['wildcard'])
  assert.deepEqual([wildcard.mx.kind, wildcard.txt.kind], ['answer', 'answer'])
})

test('a zone of exchangers elsewhere is found and asked about them', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({ 'example.lab': { MX: [[10, 'mx.provider.lab']] } }),
    zones: ({ mx1 }) => ({
      'provider.lab': {
        servers: [{ name: 'ns.provider.lab' }],
        isSigned: false,
        records: { 'mx.provider.lab': { A: [mx1] } },
      },
    }),
  })
  const facts = await lab.examine('example.lab', dnsParts)
  assert.deepEqual(
    facts.zones.map(({ apex, serves }) => [plainName(apex), serves.map(plainName)]),
    [
      ['example.lab', ['example.lab']],
      ['provider.lab', ['mx.provider.lab']],
    ],
  )
  const [exchanger] = facts.exchangers
  assert.equal(exchanger?.zone && plainName(exchanger.zone), 'provider.lab')
  assert.ok(exchanger?.a.kind === 'answer' && exchanger.a.trust === 'insecure')
  assert.ok(facts.mx.kind === 'answer' && facts.mx.trust === 'secure')
  assert.equal(facts.zones[1]?.ds.kind, 'no-data')
  assert.ok(
    facts.zones[1]?.servers[0]?.asked.some(
      ({ type, name }) => type === 'AAAA' && plainName(name) === 'mx.provider.lab',
    ),
  )
})

test('a zone of exchangers elsewhere is asked once for all domains of a run', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `d${index}.lab`)
  const records = { MX: [[10, 'mx1.example.lab']] as const }
  const lab = await startCleanDomain(t, {
    zones: () =>
      Object.fromEntries(
        names.map((name) => [name, { servers: [{ name: 'a.nic.lab' }], records: { [name]: records } }]),
      ),
    options: { dnsPerSecond: 20 },
  })
  const all = await Promise.all(names.map((name) => lab.examine(name, ['name-servers', 'dnssec', 'tlsa', 'caa'])))
  const servers = ['ns1', 'ns2', 'ns3'].map((name) => lab.internet.addressOf(`${name}.example.lab`))
  const asked = lab.internet.asked.filter((line) => servers.some((address) => line.startsWith(`${address} `)))
  assert.ok(asked.length > 20)
  // The walk down from above is none of it: it ends at whichever server it meets.
  const apart = asked.filter((line) => !line.includes(' NS '))
  assert.deepEqual(apart.sort(), [...new Set(apart)].sort())
  for (const facts of all) {
    const zone = facts.zones.find(({ apex }) => plainName(apex) === 'example.lab')
    assert.deepEqual(
      zone?.servers.map((server) => server.asked.every(({ outcome }) => outcome.kind === 'response')),
      [true, true, true],
    )
  }
})

test('a resolver that does not validate says nothing of security', async (t) => {
  const lab = await startCleanDomain(t, { validates: false })
  const facts = await lab.examine('example.lab', dnsParts)
  assert.equal(facts.vantage.validation, 'none')
  assert.ok(facts.mx.kind === 'answer' && facts.mx.trust === 'untold')
})

test('a delegation that names other servers than the zone does', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      servers: zone.servers.map((server) => ({
        ...server,
        fault: ({ type, name }, right) =>
          type === 'NS' && name === 'example.lab.' ? { answers: right.answers.slice(0, 2) } : undefined,
      })),
    }),
  })
  const facts = await lab.examine('example.lab', dnsParts)
  assert.deepEqual(
    zoneNamed(facts, facts.zone)?.nameServers.map(({ atParent, atApex }) => [atParent, atApex]),
    [
      [true, true],
      [true, true],
      [true, false],
    ],
  )
})

test('SPF: every look-up that the record needs is there, and loops end', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({
      'example.lab': {
        MX: [[10, 'mx1.example.lab']],
        TXT: ['v=spf1 a:mx1.example.lab mx include:a.example.lab include:%{d}.x redirect=b.example.lab'],
      },
      'a.example.lab': { TXT: ['v=spf1 include:example.lab include:a.example.lab exists:none.example.lab ~all'] },
      'b.example.lab': { TXT: ['v=spf1 -all'] },
    }),
  })
  const { spf } = await lab.examine('example.lab', ['senders'])
  assert.deepEqual(
    spf.lookups.map(({ type, name, view }) => `${type} ${plainName(name)} ${view.kind}`),
    [
      'A mx1.example.lab answer',
      'MX example.lab answer',
      'A mx1.example.lab answer',
      'TXT a.example.lab answer',
      'A none.example.lab no-such-name',
      'TXT b.example.lab answer',
    ],
  )
})

test('DMARC: parents are asked where the domain has no record, eight names at most', async (t) => {
  const deep = 'a.b.c.d.e.f.g.h.i.example.lab'
  const lab = await startCleanDomain(t, { zone: withRecords({ [deep]: { MX: [[10, 'mx1.example.lab']] } }) })
  const { dmarc } = await lab.examine(deep, ['senders'])
  assert.deepEqual(
    dmarc.walk.map(({ name }) => plainName(name)),
    [
      ...[`_dmarc.${deep}`, '_dmarc.e.f.g.h.i.example.lab', '_dmarc.f.g.h.i.example.lab', '_dmarc.g.h.i.example.lab'],
      ...['_dmarc.h.i.example.lab', '_dmarc.i.example.lab', '_dmarc.example.lab', '_dmarc.lab'],
    ],
  )
})

test('reports that go elsewhere: consent and destination are asked for', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: withRecords({
      '_dmarc.example.lab': { TXT: ['v=DMARC1; p=none; rua=mailto:a@example.lab,mailto:b@reports.other.lab!10m'] },
      '_smtp._tls.example.lab': { TXT: ['v=TLSRPTv1; rua=mailto:x@other.lab, https://r.lab/'] },
    }),
  })
  const facts = await lab.examine('example.lab', ['senders', 'tlsrpt'])
  assert.deepEqual(
    facts.dmarc.reportConsents.map(({ destination }) => destination),
    ['reports.other.lab'],
  )
  assert.ok(
    lab.internet.resolved.some((question) => question.includes('TXT example.lab._report._dmarc.reports.other.lab.')),
  )
  assert.deepEqual(
    facts.tlsRpt.destinations.map(({ domain, mx }) => [domain, mx.kind]),
    [['other.lab', 'no-such-name']],
  )
})
