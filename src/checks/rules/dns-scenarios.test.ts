/**
 * Scenarios of zones, in the lab's small internet and by all that `waypost check` does: what must be told, and nothing beside it. Each begins
 * with a domain in which everything is right.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CleanWords, startCleanDomain } from '../../../test/lab/clean-domain.ts'
import type { LabFault, LabZoneWords } from '../../../test/lab/internet/words.ts'
import { labName } from '../../../test/lab/names.ts'
import { assertWritten } from '../../../test/unit/check-report.ts'
import { contextOf } from '../../../test/unit/facts/facts.ts'
import { rcodes } from '../../dns/types.ts'
import type { WireName } from '../../dns/wire-name.ts'
import { createRoots } from '../certificate.ts'
import { domainReport } from '../report/domain-report.ts'
import { runRules } from '../run-rules.ts'
import { addressRules } from './addresses/rules.ts'
import { dnssecRules } from './dnssec/rules.ts'
import { nameServerRules } from './name-servers/rules.ts'
import { recordRules } from './records/rules.ts'
import { redundancyRules } from './redundancy/rules.ts'

const rules = [...recordRules, ...nameServerRules, ...dnssecRules, ...redundancyRules, ...addressRules]

type Records = LabZoneWords['records']
type Zoned = NonNullable<CleanWords['zone']>

const domain = 'example.lab'

/** @param without  names whose records are taken away */
const records =
  (change: Records, without: readonly string[] = []): Zoned =>
  (zone) => ({
    ...zone,
    records: Object.fromEntries(
      Object.entries({ ...zone.records, ...change }).filter(([name]) => !without.includes(name)),
    ),
  })

/** The records of the domain itself. */
const apex =
  (change: Records[string]): Zoned =>
  (zone) => ({ ...zone, records: { ...zone.records, [domain]: { ...zone.records[domain], ...change } } })

const fault =
  (server: string, fault: LabFault): Zoned =>
  (zone) => ({ ...zone, servers: zone.servers.map((one) => (one.name === server ? { ...one, fault } : one)) })

interface Scenario {
  readonly words?: CleanWords
  readonly name?: string
  readonly tells: readonly string[]
}

/** Of IPv6 loopback has one address alone, so that the exchangers of the lab have none, and that is told each time. */
const scenarios: Readonly<Record<string, Scenario>> = {
  clean: { tells: [] },
  'no such domain': { name: 'nothing.lab', tells: ['error domain-not-found'] },
  'all servers fail': {
    words: {
      zone: (zone) => ({
        ...zone,
        state: 'dead',
        servers: zone.servers.map((one) => ({ ...one, fault: () => ({ rcode: rcodes.servFail, answers: [] }) })),
      }),
    },
    tells: ['error domain-lookup-fails', ...Array(3).fill('error ns-not-authoritative')],
  },
  // A fault of the resolver, or a rate limit: the zone's own servers answer.
  'the resolver alone fails': { words: { zone: (zone) => ({ ...zone, state: 'dead' }) }, tells: [] },
  bogus: { words: { zone: (zone) => ({ ...zone, state: 'bogus' }) }, tells: ['error dnssec-bogus'] },
  // The website's machine takes no mail, as is usual.
  'implicit MX': {
    words: { zone: apex({ MX: [] }) },
    tells: ['error exchanger-unreachable', 'warning mx-missing', 'warning single-exchanger', 'notice ptr-missing'],
  },
  nothing: { words: { zone: apex({ MX: [], A: [] }) }, tells: ['error no-mail-host'] },
  'null MX': { words: { zone: apex({ MX: [[0, '.']], TXT: ['v=spf1 -all'] }) }, tells: ['notice null-mx'] },
  'null MX with a preference': {
    words: { zone: apex({ MX: [[10, '.']], TXT: [] }) },
    tells: ['notice null-mx-preference'],
  },
  'null MX beside another': {
    words: {
      zone: apex({
        MX: [
          [0, '.'],
          [10, 'mx1.example.lab'],
        ],
      }),
    },
    tells: ['error null-mx-mixed', 'warning single-exchanger'],
  },
  'null MX that sends': {
    words: { zone: apex({ MX: [[0, '.']] }) },
    tells: ['notice null-mx', 'warning null-mx-but-sends'],
  },
  'all exchangers dead': {
    words: {
      zone: records({}, ['mx1.example.lab', 'mx2.example.lab', '_25._tcp.mx1.example.lab', '_25._tcp.mx2.example.lab']),
    },
    tells: ['error mx-target-unresolvable', 'error mx-target-unresolvable'],
  },
  'one of two dead': {
    words: { zone: records({}, ['mx2.example.lab', '_25._tcp.mx2.example.lab']) },
    tells: ['warning mx-target-unresolvable', 'warning single-exchanger'],
  },
  'address as a target': {
    words: {
      zone: apex({
        MX: [
          [10, '192.0.2.1'],
          [20, 'mx1.example.lab'],
        ],
      }),
    },
    tells: ['error mx-target-is-address', 'warning single-exchanger'],
  },
  'alias as a target': {
    words: {
      zone: (zone, at) => ({
        ...zone,
        records: {
          ...zone.records,
          'mx1.example.lab': { CNAME: 'host.example.lab' },
          'host.example.lab': { A: [at.mx1] },
        },
      }),
    },
    tells: ['warning mx-target-is-alias'],
  },
  'alias that loops': {
    words: {
      zone: records({ 'mx1.example.lab': { CNAME: 'a.example.lab' }, 'a.example.lab': { CNAME: 'mx1.example.lab' } }),
    },
    tells: ['warning mx-target-alias-broken'],
  },
  'alias that dangles': {
    words: { zone: records({ 'mx1.example.lab': { CNAME: 'gone.example.lab' } }) },
    tells: ['warning mx-target-alias-broken', 'warning single-exchanger'],
  },
  'a name that a wildcard gives MX': {
    words: { zone: records({ '*.example.lab': { MX: [[10, 'mx1.example.lab']] } }) },
    name: 'made-up.example.lab',
    tells: ['warning domain-by-wildcard', 'warning single-exchanger'],
  },
  'a name that a wildcard gives an address': {
    words: { zone: (zone, at) => ({ ...zone, records: { ...zone.records, '*.example.lab': { A: [at.mx1] } } }) },
    name: 'made-up.example.lab',
    tells: ['warning domain-by-wildcard', 'warning mx-missing', 'warning single-exchanger'],
  },
  'wildcard MX': {
    words: { zone: records({ '*.example.lab': { MX: [[10, 'mx1.example.lab']] } }) },
    tells: ['notice wildcard-mx'],
  },
  'TLSA hides a wildcard address': {
    words: {
      zone: (zone, at) => ({
        ...zone,
        records: { ...zone.records, 'mx2.example.lab': {}, '*.example.lab': { A: [at.mx2] } },
      }),
    },
    tells: ['warning mx-target-unresolvable', 'warning single-exchanger'],
  },
  'underscore in a target': {
    words: {
      zone: (zone, at) => ({
        ...zone,
        records: {
          ...zone.records,
          [domain]: {
            ...zone.records[domain],
            MX: [
              [10, '_mx.example.lab'],
              [20, 'mx2.example.lab'],
            ],
          },
          '_mx.example.lab': { A: [at.mx1] },
        },
      }),
    },
    tells: ['warning mx-target-not-hostname'],
  },
  'twelve aliases': {
    words: {
      zone: (zone, at) => ({
        ...zone,
        records: {
          ...zone.records,
          'mx1.example.lab': { CNAME: 'hop1.example.lab' },
          ...Object.fromEntries(
            Array.from({ length: 11 }, (_, hop) => [
              `hop${hop + 1}.example.lab`,
              { CNAME: `hop${hop + 2}.example.lab` },
            ]),
          ),
          'hop12.example.lab': { A: [at.mx1] },
        },
      }),
    },
    tells: ['warning mx-target-alias-broken'],
  },
  'domain is an alias': {
    words: {
      zone: (zone) => ({ ...zone, records: { ...zone.records, 'sales.example.lab': { CNAME: 'example.lab' } } }),
    },
    name: 'sales.example.lab',
    tells: ['notice domain-is-alias'],
  },
  'CNAME on one server, MX on the others': {
    words: {
      zone: (zone) => ({
        ...zone,
        records: {
          ...zone.records,
          'sales.example.lab': {
            MX: [
              [10, 'mx1.example.lab'],
              [20, 'mx2.example.lab'],
            ],
          },
        },
        servers: zone.servers.map((one) =>
          one.name === 'ns2.example.lab'
            ? { ...one, records: { ...zone.records, 'sales.example.lab': { CNAME: 'example.lab' } } }
            : one,
        ),
      }),
    },
    name: 'sales.example.lab',
    tells: ['error alias-with-other-data'],
  },
  'wildcard TXT': {
    words: {
      zone: records({ '*.example.lab': { TXT: ['v=spf1 -all'] } }, ['_mta-sts.example.lab', '_smtp._tls.example.lab']),
    },
    tells: ['warning wildcard-txt'],
  },
  'order, case and TTL differ': {
    words: {
      zone: fault('ns2.example.lab', ({ type }, right) =>
        type === 'MX'
          ? { answers: [...right.answers].reverse().map((one) => ({ ...one, ttlSeconds: 17 })) }
          : undefined,
      ),
    },
    tells: [],
  },
  'case differs': {
    words: {
      zone: fault('ns2.example.lab', ({ type }, right) =>
        type === 'MX'
          ? {
              answers: right.answers.map((one) =>
                one.data.type === 'MX'
                  ? { ...one, data: { ...one.data, exchange: one.data.exchange.toUpperCase() as WireName } }
                  : one,
              ),
            }
          : undefined,
      ),
    },
    tells: [],
  },
  'implicit MX with IPv6 alone': {
    words: { zone: apex({ MX: [], A: [], AAAA: ['::1'] }) },
    tells: [
      'error exchanger-unreachable',
      'error exchangers-no-ipv4',
      'warning mx-missing',
      'warning single-exchanger',
      'notice ptr-missing',
    ],
  },
  'MX not implemented by one server': {
    words: {
      zone: fault('ns2.example.lab', ({ type }) =>
        type === 'MX' ? { rcode: rcodes.notImp, answers: [], authorities: [] } : undefined,
      ),
    },
    tells: ['warning ns-not-authoritative'],
  },
  'other preferences on one server': {
    words: {
      zone: (zone) => ({
        ...zone,
        servers: zone.servers.map((one) =>
          one.name === 'ns3.example.lab'
            ? {
                ...one,
                records: {
                  ...zone.records,
                  [domain]: {
                    ...zone.records[domain],
                    MX: [
                      [10, 'mx1.example.lab'],
                      [30, 'mx2.example.lab'],
                    ],
                  },
                },
              }
            : one,
        ),
      }),
    },
    tells: ['warning ns-mx-data-differs'],
  },
  'TLSA dropped by one server of an unsigned zone': {
    words: {
      zone: (zone, at) =>
        fault('ns2.example.lab', ({ type }) => (type === 'TLSA' ? 'silence' : undefined))(
          { ...zone, isSigned: false },
          at,
        ),
    },
    tells: ['notice dnssec-missing', 'notice ns-type-breaks'],
  },
  'answers with other ids, and over TCP to another question': {
    words: {
      zone: fault('ns2.example.lab', ({ type, over }, right) =>
        type !== 'MX'
          ? undefined
          : over === 'udp'
            ? { id: right.id ^ 1 }
            : { questions: [{ name: labName('other.lab'), type: 15, class: 1 }] },
      ),
    },
    tells: ['warning dns-answer-malformed', 'warning ns-mx-silent'],
  },
  'old signatures on one server': {
    words: {
      zone: fault('ns2.example.lab', (_, right) => ({
        answers: right.answers.map((one) =>
          one.data.type === 'RRSIG'
            ? { ...one, data: { ...one.data, inception: 1_700_000_000, expiration: 1_710_000_000 } }
            : one,
        ),
      })),
    },
    tells: ['warning dnssec-server-unsigned'],
  },
  'forty exchangers, and no TCP on one server': {
    words: {
      zone: (zone) => ({
        ...zone,
        records: {
          ...zone.records,
          [domain]: {
            ...zone.records[domain],
            MX: Array.from(
              { length: 40 },
              (_, index) => [index, `a-long-name-of-an-exchanger-${index}.example.lab`] as const,
            ),
          },
        },
        servers: zone.servers.map((one) =>
          one.name === 'ns2.example.lab'
            ? { ...one, fault: ({ over }) => (over === 'tcp' ? 'silence' : undefined) }
            : one,
        ),
      }),
    },
    tells: ['error ns-tcp-fails', 'notice mx-too-many', ...Array(20).fill('error mx-target-unresolvable')],
  },
  'no TCP on one server': {
    words: { zone: fault('ns2.example.lab', ({ over }) => (over === 'tcp' ? 'silence' : undefined)) },
    tells: ['warning ns-tcp-fails'],
  },
  'recursion for everybody': {
    words: {
      zone: fault('ns2.example.lab', ({ name }) =>
        name.endsWith('.example.lab.') || name === 'example.lab.'
          ? undefined
          : { recursionAvailable: true, rcode: rcodes.nxDomain },
      ),
    },
    // The laboratory is on loopback, where nobody is a stranger.
    tells: ['notice ns-open-recursor'],
  },
  'forty exchangers': {
    words: {
      zone: apex({
        MX: Array.from(
          { length: 40 },
          (_, index) => [index, `a-long-name-of-an-exchanger-${index}.example.lab`] as const,
        ),
      }),
    },
    tells: ['notice mx-too-many', ...Array(20).fill('error mx-target-unresolvable')],
  },
  'an exchanger in an unsigned zone of somebody else': {
    words: {
      zone: (zone) => ({
        ...zone,
        records: {
          ...zone.records,
          [domain]: {
            ...zone.records[domain],
            MX: [
              [10, 'mx1.example.lab'],
              [20, 'mx.other.lab'],
            ],
          },
        },
      }),
      zones: (at) => ({
        'other.lab': {
          servers: [{ name: 'ns1.other.lab' }, { name: 'ns2.other.lab' }],
          isSigned: false,
          records: { 'mx.other.lab': { A: [at.mx2] } },
        },
      }),
    },
    tells: ['notice dnssec-missing-exchanger'],
  },
  'MX dropped by one server': {
    words: {
      zone: fault('ns2.example.lab', ({ type, over }) => (type === 'MX' && over === 'udp' ? 'silence' : undefined)),
    },
    tells: ['warning ns-mx-silent'],
  },
  'not authoritative': {
    words: { zone: fault('ns2.example.lab', () => ({ authoritative: false })) },
    tells: ['warning ns-not-authoritative'],
  },
  'one server without MX': {
    words: {
      zone: (zone) => ({
        ...zone,
        servers: zone.servers.map((one) =>
          one.name === 'ns3.example.lab'
            ? { ...one, records: { ...zone.records, [domain]: { ...zone.records[domain], MX: [] } } }
            : one,
        ),
      }),
    },
    tells: ['error ns-mx-presence-differs'],
  },
  'one server behind': {
    words: {
      zone: (zone) => ({
        ...zone,
        servers: zone.servers.map((one) =>
          one.name === 'ns3.example.lab'
            ? {
                ...one,
                serial: 0xffff_fff0,
                records: { ...zone.records, [domain]: { ...zone.records[domain], MX: [[10, 'mx1.example.lab']] } },
              }
            : one,
        ),
      }),
    },
    tells: ['warning ns-mx-data-differs', 'notice ns-serial-differs'],
  },
  'TLSA dropped by one server': {
    words: { zone: fault('ns2.example.lab', ({ type }) => (type === 'TLSA' ? 'silence' : undefined)) },
    tells: ['error ns-type-breaks'],
  },
  'NXDOMAIN above TLSA': {
    words: {
      zone: fault('ns2.example.lab', ({ type, name }) =>
        type === 'TXT' && name.startsWith('_tcp.') ? { rcode: rcodes.nxDomain } : undefined,
      ),
    },
    tells: ['warning ns-denies-empty-nonterminal'],
  },
  'EDNS not borne': {
    words: { zone: fault('ns2.example.lab', ({ edns }) => (edns ? 'silence' : undefined)) },
    tells: ['error ns-edns-breaks'],
  },
  'AAAA refused': {
    words: {
      zone: fault('ns2.example.lab', ({ type }) =>
        type === 'AAAA' ? { rcode: rcodes.servFail, authorities: [] } : undefined,
      ),
    },
    tells: ['warning aaaa-query-fails', 'warning aaaa-query-fails'],
  },
  'no signatures on one server': {
    words: {
      zone: fault('ns2.example.lab', (_, right) => ({
        answers: right.answers.filter(({ data }) => data.type !== 'RRSIG'),
      })),
    },
    tells: ['warning dnssec-server-unsigned'],
  },
  unsigned: { words: { zone: (zone) => ({ ...zone, isSigned: false }) }, tells: ['notice dnssec-missing'] },
  'two names, one address': {
    words: { zone: (zone, at) => ({ ...zone, records: { ...zone.records, 'mx2.example.lab': { A: [at.mx1] } } }) },
    tells: ['warning exchangers-same-address', 'warning single-exchanger'],
  },
  'first choice never answers': { words: { exchangers: [null] }, tells: ['warning first-choice-never-answers'] },
  'backup down': { words: { exchangers: [undefined, null] }, tells: ['warning exchanger-unreachable'] },
  'no reverse name': {
    words: { zones: () => ({ arpa: { servers: [{ name: 'a.root.lab' }], records: {} } }) },
    tells: ['notice ptr-missing', 'notice ptr-missing'],
  },
}

for (const [title, { words = {}, name = domain, tells }] of Object.entries(scenarios)) {
  test(title, async (t) => {
    const lab = await startCleanDomain(t, words)
    const facts = await lab.examine(name)
    const outcomes = runRules(rules, facts, contextOf({ roots: createRoots([lab.places.root.pem]) }))
    assertWritten(domainReport({ facts, outcomes }, rules))
    const told = outcomes.flatMap((outcome) =>
      outcome.kind === 'finding' && outcome.id !== 'exchangers-no-ipv6' ? [`${outcome.severity} ${outcome.id}`] : [],
    )
    assert.deepEqual([...told].sort(), [...tells].sort())
  })
}
