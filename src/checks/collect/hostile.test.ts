import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startCleanDomain } from '../../../test/lab/clean-domain.ts'
import type { LabFault } from '../../../test/lab/internet/words.ts'
import { labHost, labName } from '../../../test/lab/names.ts'
import type { LabRecords } from '../../../test/lab/records.ts'
import { contextOf } from '../../../test/unit/facts/facts.ts'
import { processorMs } from '../../../test/unit/processor-time.ts'
import { type Door, systemDoor } from '../../base/door.ts'
import { classCodes } from '../../dns/types.ts'
import type { Outcome } from '../finding.ts'
import { zoneNamed } from '../read-facts.ts'
import { dnssecNsecOmitsMx } from '../rules/dnssec/dnssec-nsec-omits-mx.ts'
import { runRules } from '../run-rules.ts'
import type { Progress } from './inquiry.ts'

const only =
  (records: LabRecords) =>
  <Z extends { readonly records: object }>(zone: Z) => ({
    ...zone,
    records: { ...zone.records, 'example.lab': records },
  })

test('thousands of MX records: all are facts, few are looked at, in bounded time', async (t) => {
  const many = Array.from({ length: 2_500 }, (_, index) => [index, `m${index}.example.lab`] as const)
  const lab = await startCleanDomain(t, { zone: only({ MX: many }) })
  const startMs = performance.now()
  const facts = await lab.examine()
  assert.ok(facts.mx.kind === 'answer' && facts.mx.records.length === 2_500)
  assert.equal(facts.exchangers.length, 2_500)
  assert.equal(facts.exchangers.filter(({ a }) => a.kind !== 'not-examined').length, 20)
  assert.ok(facts.spent.queries <= 300)
  assert.ok(performance.now() - startMs < 60_000)
})

test('a server that refers ever deeper, or to itself, ends', async (t) => {
  const lab = await startCleanDomain(t, {
    zones: () => ({
      deep: {
        servers: [
          {
            name: 'ns.deep',
            fault: ({ name }, right) => {
              const owner = labName(name)
              const target = labName('ns.deep')
              const set = { name: owner, class: classCodes.IN, ttlSeconds: 60, data: { type: 'NS', target } } as const
              return { ...right, authoritative: false, answers: [], authorities: [set] }
            },
          },
        ],
        records: { 'a.deep': { MX: [[10, 'mx1.example.lab']] } },
      },
    }),
    options: { dnsTries: 1, dnsTimeoutMs: 100 },
  })
  const facts = await lab.examine('a.deep', ['name-servers'])
  assert.equal(facts.mx.kind, 'answer')
  assert.ok(facts.spent.queries < 100, `${facts.spent.queries}`)
})

test('names of 255 octets and of any octets are looked up or left, and never too long', async (t) => {
  const label = 'x'.repeat(63)
  const long = `${label}.${label}.${label}.${'y'.repeat(40)}.example.lab`
  const lab = await startCleanDomain(t, {
    zone: only({
      MX: [
        [10, long],
        [20, '\\000\\027[31m.example.lab'],
        [30, '\\046\\046.example.lab'],
      ],
      TXT: ['v=spf1 include:%0d%0a.x include:..', '\u001b]0;x\u0007'],
    }),
  })
  const facts = await lab.examine()
  assert.deepEqual(
    facts.exchangers.map(({ host }) => host?.length),
    [long.length, undefined, undefined],
  )
  const [first] = facts.exchangers
  assert.ok(Array.isArray(first?.tlsa))
  assert.ok(facts.spent.queries > 10)
})

test('answers with other ids, from elsewhere, cut off, or in circles are no answers', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      servers: zone.servers.map((server, index) => ({
        ...server,
        fault: ({ type }, right) => {
          if (type !== 'MX') return undefined
          if (index === 0) return { id: (right.id + 1) & 0xffff }
          if (index === 1) return { isResponse: false }
          return { questions: [{ name: labName('other.lab'), type: 15, class: 1 }] }
        },
      })),
    }),
    options: { dnsTries: 1, dnsTimeoutMs: 150 },
  })
  const facts = await lab.examine('example.lab', ['name-servers'])
  const outcomes = zoneNamed(facts, facts.zone)?.servers.map(({ asked }) =>
    asked.filter(({ type }) => type === 'MX').map(({ over, outcome }) => `${over} ${outcome.kind}`),
  )
  for (const outcome of outcomes ?? []) assert.deepEqual([...new Set(outcome)].sort(), ['tcp malformed', 'udp silence'])
})

test('a resolver that sends rubbish, and one that is not there', async (t) => {
  const rubbish = createSocket('udp4')
  rubbish.on('message', (query, from) => {
    const reply = Buffer.concat([
      query.subarray(0, 2),
      Buffer.from([0x81, 0x80]),
      query.subarray(4, 6),
      Buffer.from([0, 9, 0, 0, 0, 0]),
      query.subarray(12),
    ])
    rubbish.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve) => rubbish.bind(0, '127.0.0.1', () => resolve()))
  t.after(() => rubbish.close())
  const at = (port: number) => ({ options: { resolvers: [{ address: '127.0.0.1' as never, port }] } })
  const lab = await startCleanDomain(t, at(rubbish.address().port))
  const facts = await lab.examine()
  assert.ok(facts.mx.kind === 'failed' && facts.mx.reason === 'malformed')
  assert.equal(facts.vantage.validation, 'not-examined')
  const gone = await startCleanDomain(t, at(1))
  const nothing = await gone.examine('example.lab', ['senders'])
  assert.ok(nothing.mx.kind === 'failed' && nothing.mx.reason === 'unreachable')
})

test('records without end below a policy record: long TXT and thousands of terms', async (t) => {
  const terms = Array.from({ length: 3_000 }, (_, index) => `a:h${index}.example.lab`).join(' ')
  const lab = await startCleanDomain(t, {
    zone: only({ MX: [[10, 'mx1.example.lab']], TXT: [`v=spf1 ${terms} -all`] }),
  })
  const { spf, spent } = await lab.examine('example.lab', ['senders'])
  assert.equal(spf.lookups.length, 20)
  assert.ok(spent.queries < 50)
})

test('the time of a domain is kept, though everything is silent', async (t) => {
  const lab = await startCleanDomain(t, {
    resolverFault: ({ type }) => (type === 'MX' ? undefined : 'silence'),
    exchangers: [{ greeting: 'silence' }, { greeting: 'silence' }],
    options: { timeoutMs: 800, dnsTimeoutMs: 5_000 },
  })
  const startMs = performance.now()
  const facts = await lab.examine()
  assert.ok(performance.now() - startMs < 30_000, `${performance.now() - startMs}`)
  assert.ok(facts.mx.kind === 'answer')
  assert.ok(facts.exchangers.every(({ a }) => a.kind !== 'answer'))
})

test('everything is answered with TC: few connections at once, and the time of the domain is kept', async (t) => {
  let [most, all] = [0, 0]
  const open = new Set<Socket>()
  const door: Door = {
    open(purpose, ...more) {
      const opening = systemDoor.open(purpose, ...more)
      if (purpose !== 'resolver' || opening.kind !== 'opened') return opening
      const { socket } = opening
      open.add(socket)
      all++
      most = Math.max(most, [...open].filter(({ destroyed }) => !destroyed).length)
      socket.once('close', () => open.delete(socket))
      return opening
    },
  }
  // Over TCP nobody answers either.
  const cut: LabFault = ({ over }, right) => (over === 'udp' ? { ...right, truncated: true, answers: [] } : 'silence')
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({ ...zone, servers: zone.servers.map((server) => ({ ...server, fault: cut })) }),
    resolverFault: (asked, right) => (asked.type === 'MX' || /^ns\d/.test(asked.name) ? undefined : cut(asked, right)),
    options: { timeoutMs: 5_000 },
    deps: { door },
  })
  const startMs = performance.now()
  const facts = await lab.examine()
  assert.ok(facts.mx.kind === 'answer')
  assert.ok(all > 32 && most <= 32, `${all} connections, ${most} at once`)
  assert.ok(performance.now() - startMs < 30_000)
})

test('servers of the tree that say nothing are not waited for twice, and it is told whom a person waits for', async (t) => {
  const lab = await startCleanDomain(t, {
    zones: () => ({ '.': { servers: [{ name: 'a.root.lab', fault: () => 'silence' }], records: {} } }),
    options: { dnsTimeoutMs: 200 },
  })
  const waits = new Set<string>()
  const progress = ({ waitsFor }: Progress) => {
    const { words } = waitsFor() ?? {}
    if (words) waits.add(words)
  }
  const facts = await lab.collector.collect(labHost('example.lab'), new Set(['name-servers']), { progress })
  const [root] = lab.internet.rootHints
  assert.equal(facts.zone, undefined)
  assert.equal(facts.zoneUnknown?.reason, 'depends-on-failed')
  assert.match(facts.zoneUnknown?.why ?? '', /no name server of the root that was asked said anything of use \(127\./)
  // Two rounds for the zone of the domain; those of the exchangers know by then.
  assert.equal(lab.internet.asked.filter((line) => line.startsWith(`${root} udp NS example.lab.`)).length, 2)
  assert.equal(lab.internet.asked.filter((line) => line.startsWith(`${root} udp NS mx`)).length, 0)
  assert.ok(waits.has(`the name server ${root}`), [...waits].join(', '))
})

test('an answer full of NSEC3 records that want much hashing comes through, and takes no time to judge', async (t) => {
  const nsec3 = (index: number) =>
    ({
      name: labName('x.example.lab'),
      class: classCodes.IN,
      ttlSeconds: 60,
      data: {
        type: 'NSEC3',
        algorithm: 1,
        flags: 0,
        iterations: index < 300 ? 2_500 : 150,
        salt: Buffer.of(index >> 8, index & 255),
        nextHash: Buffer.alloc(20),
        types: [],
      },
    }) as const
  const authorities = Array.from({ length: 1_300 }, (_, index) => nsec3(index))
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      servers: zone.servers.map((server) => ({
        ...server,
        fault: ({ type }, right) => (type === 'HINFO' ? { ...right, authorities } : right),
      })),
    }),
  })
  const facts = await lab.examine('example.lab', ['name-servers', 'dnssec'])
  const asked = facts.zones.flatMap(({ servers }) => servers).flatMap((server) => server.asked)
  const sizes = asked.flatMap(({ type, outcome }) =>
    type === 'HINFO' && outcome.kind === 'response' ? outcome.message.authorities.length : [],
  )
  assert.ok(sizes.includes(1_300), `${sizes}`)
  let outcomes: readonly Outcome[] = []
  const cost = processorMs(() => {
    outcomes = runRules([dnssecNsecOmitsMx], facts, contextOf())
  })
  assert.ok(cost < 200, `${cost} ms`)
  assert.ok(outcomes.length > 0 && outcomes.every(({ kind }) => kind === 'not-checked'))
})
