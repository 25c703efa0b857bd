/**
 * From servers with a fault to findings, over real DNS, SMTP and HTTPS on loopback: what each scenario must bring, and that it brings nothing
 * else. The faultless domain has two exchangers, DANE, MTA-STS in enforce, TLSRPT, SPF and DMARC.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { type CleanWords, startCleanDomain } from '../../../test/lab/clean-domain.ts'
import type { LabZoneWords } from '../../../test/lab/internet/words.ts'
import { makeCertificate } from '../../../test/unit/certificate-maker.ts'
import { assertWritten } from '../../../test/unit/check-report.ts'
import { contextOf } from '../../../test/unit/facts/facts.ts'
import { assertSafe, subjectText } from '../../../test/unit/outcomes.ts'
import { createRoots } from '../certificate.ts'
import { domainReport } from '../report/domain-report.ts'
import { runRules } from '../run-rules.ts'
import { daneRules } from './dane/rules.ts'
import { mtaStsRules } from './mta-sts/rules.ts'
import { senderRules } from './senders/rules.ts'
import { smtpRules } from './smtp/rules.ts'
import { tlsRules } from './tls/rules.ts'
import { tlsRptRules } from './tlsrpt/rules.ts'

const rules = [...smtpRules, ...tlsRules, ...daneRules, ...mtaStsRules, ...tlsRptRules, ...senderRules]
const keywords = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'SMTPUTF8']
const helloWithout = `250-mx1.example.lab\r\n${keywords
  .slice(0, -1)
  .map((one) => `250-${one}\r\n`)
  .join('')}250 ${keywords.at(-1)}`

/** @param gone  names whose records are taken away */
const at =
  (records: LabZoneWords['records'], gone: readonly string[] = []) =>
  (zone: LabZoneWords): LabZoneWords => ({
    ...zone,
    records: Object.fromEntries(
      Object.entries({ ...zone.records, ...records }).filter(([name]) => !gone.includes(name)),
    ),
  })
const without = (name: string) => at({}, [name])
/** No policy of any kind. */
const bare = (zone: LabZoneWords) => ({
  ...at({}, [
    ...['_mta-sts.example.lab', 'mta-sts.example.lab', '_smtp._tls.example.lab'],
    ...['_25._tcp.mx1.example.lab', '_25._tcp.mx2.example.lab'],
  ])(zone),
  isSigned: false,
})
const takesAll = (path: string) => (/^[^@].*@example\.lab$/i.test(path) ? '250 2.1.5 ok' : undefined)
const takesAny = (path: string) => (/^(?:postmaster|abuse)/i.test(path) ? '250 2.1.5 ok' : '550 5.1.1 nobody')
const policy = (...lines: string[]) => ['version: STSv1', ...lines, 'max_age: 2419200', ''].join('\n')
const day = 86_400_000
/** The keys of the lab's exchangers are numbered by the length of their names. */
const sameKey = { keyNumber: 'mx1.example.lab'.length }

/** Writes as long as it is read. */
function flood(socket: Socket, chunk: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
}

interface Scenario {
  readonly name: string
  readonly words: CleanWords
  /** Default: example.lab. */
  readonly domain?: string
  /** Findings, each with its severity, about mx1 (`1`), mx2 (`2`) or the rest. */
  readonly finds: readonly string[]
}

const scenarios: readonly Scenario[] = [
  { name: 'everything right', words: {}, finds: [] },
  { name: 'banner-421', words: { exchangers: [{ greeting: '421 4.7.0 too many connections' }] }, finds: [] },
  {
    name: 'banner-554',
    words: { exchangers: [undefined, { greeting: '554 5.7.1 no' }] },
    finds: ['warning smtp-greeting-refuses 2'],
  },
  { name: 'greylist', words: { exchangers: [{ rcpt: () => '451 4.7.1 greylisted' }] }, finds: [] },
  {
    name: 'no-starttls under enforce and TLSA',
    words: { exchangers: [{ ehlo: helloWithout }] },
    finds: ['error dane-no-starttls 1', 'error smtp-no-starttls 1', 'error sts-exchanger-unverified 1'],
  },
  {
    name: 'no-starttls without a policy',
    words: { exchangers: [{ ehlo: helloWithout }], zone: bare },
    finds: ['notice sts-missing', 'warning smtp-no-starttls 1'],
  },
  {
    name: 'starttls-then-close',
    words: { exchangers: [{ startTls: 'close' }] },
    finds: ['error smtp-starttls-refused 1'],
  },
  {
    name: 'unsigned, without TLSA: nothing is missed',
    words: {
      zone: (zone) => ({ ...at({}, ['_25._tcp.mx1.example.lab', '_25._tcp.mx2.example.lab'])(zone), isSigned: false }),
    },
    finds: [],
  },
  {
    name: 'AAAA that fails: DANE is judged on A',
    words: {
      resolverFault: ({ type, name }) =>
        type === 'AAAA' && name.startsWith('mx') ? { rcode: 2, answers: [], authorities: [] } : undefined,
      zone: at({ '_25._tcp.mx1.example.lab': { TLSA: [[3, 1, 1, Buffer.alloc(32, 1)]] } }),
    },
    finds: ['error dane-mismatch 1'],
  },
  {
    name: 'tlsa-plus-next',
    words: {
      zone: (zone) => {
        const [now] = zone.records['_25._tcp.mx1.example.lab']?.TLSA ?? []
        return at({ '_25._tcp.mx1.example.lab': { TLSA: [...(now ? [now] : []), [3, 1, 1, Buffer.alloc(32, 1)]] } })(
          zone,
        )
      },
    },
    finds: [],
  },
  {
    name: 'tlsa-short-digest',
    words: { zone: at({ '_25._tcp.mx1.example.lab': { TLSA: [[3, 1, 1, Buffer.alloc(20, 1)]] } }) },
    finds: ['warning dane-unusable 1'],
  },
  {
    name: 'sts-space',
    words: { zone: at({ '_mta-sts.example.lab': { TXT: ['v=STSv1 ; id=1'] } }) },
    finds: ['warning sts-record-ambiguous'],
  },
  {
    name: 'sts-alias',
    words: {
      zone: at({ '_mta-sts.example.lab': { CNAME: 'sts.example.lab' }, 'sts.example.lab': { TXT: ['v=STSv1; id=1'] } }),
    },
    finds: [],
  },
  {
    name: 'sts-70k',
    words: { policy: { policy: `${policy('mode: enforce', 'mx: *.example.lab')}${'#'.repeat(70_000)}` } },
    finds: ['warning sts-policy-unreachable'],
  },
  {
    name: 'sts-wild-deep',
    words: { policy: { policy: policy('mode: enforce', 'mx: *.lab') } },
    finds: ['error sts-exchanger-uncovered 1', 'error sts-exchanger-uncovered 2'],
  },
  {
    name: 'sts-crlf, duplicates and unknown fields',
    words: {
      policy: {
        policy: policy('mode: enforce', 'mode: none', 'mx: *.example.lab', 'colour: green').replaceAll('\n', '\r\n'),
      },
    },
    finds: [],
  },
  {
    name: 'a greeting without end',
    words: { exchangers: [{ greeting: (socket) => void flood(socket, Buffer.alloc(65_536, 'x')) }] },
    finds: ['warning smtp-reply-malformed 1'],
  },
  {
    name: 'a greeting of a million lines',
    words: { exchangers: [{ greeting: (socket) => void flood(socket, Buffer.from('220-x\r\n'.repeat(8_192))) }] },
    finds: ['warning smtp-reply-malformed 1'],
  },
  {
    name: 'a policy of a gigabyte',
    words: {
      policy: {
        answer: (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n')
          flood(socket, Buffer.from(`${policy('mode: enforce', 'mx: *.example.lab')}\n`.repeat(500)))
        },
      },
    },
    finds: ['warning sts-policy-unreachable'],
  },
  {
    // The lab's policy host has a certificate for another name alone, which is told; everything else fits in A-labels.
    name: 'idn',
    domain: 'bücher.lab',
    words: {
      exchangers: [{ rcpt: takesAny }, { rcpt: takesAny }],
      zones: ({ mx1, mx2, web }) => ({
        'xn--bcher-kva.lab': {
          servers: [{ name: 'ns1.example.lab' }, { name: 'ns2.example.lab' }],
          records: {
            'xn--bcher-kva.lab': {
              MX: [
                [10, 'mx1.example.lab'],
                [20, 'mx2.example.lab'],
              ],
              TXT: [`v=spf1 ip4:${mx1} ip4:${mx2} -all`],
            },
            '_mta-sts.xn--bcher-kva.lab': { TXT: ['v=STSv1; id=1'] },
            'mta-sts.xn--bcher-kva.lab': { A: [web] },
            '_smtp._tls.xn--bcher-kva.lab': { TXT: ['v=TLSRPTv1; rua=mailto:tls@xn--bcher-kva.lab'] },
            's1._domainkey.xn--bcher-kva.lab': { TXT: ['v=DKIM1; k=ed25519; p='] },
            '_dmarc.xn--bcher-kva.lab': { TXT: ['v=DMARC1; p=reject'] },
          },
        },
      }),
    },
    finds: ['warning sts-policy-certificate'],
  },
  {
    name: 'starttls-454',
    words: { exchangers: [{ startTls: '454 4.7.0 TLS not available' }] },
    finds: ['error smtp-starttls-refused 1'],
  },
  {
    name: 'wrong-host',
    words: { exchangers: [undefined, { rcpt: () => '550 5.7.1 relaying denied' }] },
    finds: ['warning smtp-domain-refused 2'],
  },
  {
    name: 'relay',
    words: { exchangers: [{ rcpt: (path) => (path.endsWith('@prober.lab') ? '250 2.1.5 ok' : undefined) }] },
    finds: ['error open-relay 1'],
  },
  {
    name: 'accept-all',
    words: { exchangers: [{ rcpt: takesAll }, { rcpt: takesAll }] },
    finds: ['warning accepts-unknown-recipient 1', 'warning accepts-unknown-recipient 2'],
  },
  {
    name: 'backup-accepts',
    words: { exchangers: [undefined, { rcpt: takesAll }] },
    finds: ['warning backup-accepts-unknown 2'],
  },
  {
    name: 'bounce-refused',
    words: { exchangers: [{ mail: (path) => (/^<?>?$/.test(path) ? '550 5.1.8 who are you' : undefined) }] },
    finds: ['error smtp-bounces-refused 1'],
  },
  {
    name: 'postmaster-550',
    words: { exchangers: [{ rcpt: (path) => (/^postmaster/i.test(path) ? '550 5.1.1 nobody' : undefined) }] },
    finds: ['warning smtp-postmaster-refused 1'],
  },
  {
    name: 'self-signed with a key that TLSA names, under enforce',
    words: { exchangers: [{ chain: [makeCertificate({ name: 'mx1.example.lab', ...sameKey })] }] },
    finds: ['error sts-exchanger-unverified 1', 'error tls-certificate-untrusted 1'],
  },
  {
    name: 'the same without MTA-STS',
    words: {
      exchangers: [{ chain: [makeCertificate({ name: 'mx1.example.lab', ...sameKey })] }],
      zone: without('_mta-sts.example.lab'),
    },
    finds: [],
  },
  {
    name: 'sni-only',
    words: { exchangers: [{ needsServerName: true }] },
    finds: ['notice tls-sni-required 1'],
  },
  {
    name: 'old TLS beside new',
    words: { exchangers: [{ tls: { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } }] },
    finds: ['notice tls-old-offered 1'],
  },
  {
    name: 'tlsa-stale',
    words: { zone: at({ '_25._tcp.mx1.example.lab': { TLSA: [[3, 1, 1, Buffer.alloc(32, 1)]] } }) },
    finds: ['error dane-mismatch 1'],
  },
  {
    name: 'tlsa-usage-1',
    words: { zone: at({ '_25._tcp.mx1.example.lab': { TLSA: [[1, 1, 1, Buffer.alloc(32, 1)]] } }) },
    finds: ['warning dane-unusable 1'],
  },
  {
    name: 'TLSA at one exchanger only',
    words: { zone: without('_25._tcp.mx2.example.lab') },
    finds: ['warning dane-some-exchangers 2'],
  },
  {
    name: 'sts-two-records',
    words: { zone: at({ '_mta-sts.example.lab': { TXT: ['v=STSv1; id=1', 'v=STSv1; id=2'] } }) },
    finds: ['warning sts-record-ambiguous'],
  },
  {
    name: 'sts-301',
    words: { policy: { status: '301 Moved Permanently', headers: ['Location: https://www.example.lab/'] } },
    finds: ['warning sts-policy-redirects'],
  },
  { name: 'sts-404', words: { policy: { status: '404 Not Found' } }, finds: ['warning sts-policy-unreachable'] },
  {
    name: 'sts-html',
    words: { policy: { policy: '<!DOCTYPE html><p>Hello', headers: ['Content-Type: text/html'] } },
    finds: ['warning sts-policy-malformed', 'warning sts-policy-media-type'],
  },
  {
    name: 'sts-expired',
    words: {
      policy: {
        chain: [
          makeCertificate({
            name: 'mta-sts.example.lab',
            notBeforeMs: Date.now() - 9 * day,
            notAfterMs: Date.now() - day,
          }),
        ],
      },
    },
    finds: ['warning sts-policy-certificate'],
  },
  {
    name: 'sts-backup-uncovered',
    words: { policy: { policy: policy('mode: enforce', 'mx: mx1.example.lab') } },
    finds: ['error sts-exchanger-uncovered 2'],
  },
  {
    name: 'spf-11',
    words: {
      zone: at({
        'example.lab': {
          MX: [
            [10, 'mx1.example.lab'],
            [20, 'mx2.example.lab'],
          ],
          TXT: [`v=spf1 ${'a:mx1.example.lab '.repeat(11)}-all`],
        },
      }),
    },
    finds: ['warning spf-too-many-lookups'],
  },
  {
    name: 'dmarc-two',
    words: { zone: at({ '_dmarc.example.lab': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } }) },
    finds: ['warning dmarc-ambiguous'],
  },
]

for (const { name, words, domain, finds } of scenarios) {
  test(name, async (t) => {
    const lab = await startCleanDomain(t, words)
    const facts = await lab.examine(domain)
    const outcomes = runRules(rules, facts, contextOf({ roots: createRoots([lab.places.root.pem]) }))
    assertWritten(domainReport({ facts, outcomes }, rules))
    for (const outcome of outcomes) assertSafe(outcome)
    const { mx1, mx2 } = lab.places
    const places: Readonly<Record<string, string>> = {
      [mx1]: ' 1',
      [mx2]: ' 2',
      'mx1.example.lab': ' 1',
      'mx2.example.lab': ' 2',
    }
    const found = outcomes.flatMap((outcome) =>
      outcome.kind === 'finding'
        ? [`${outcome.severity} ${outcome.id}${places[subjectText(outcome.subject)] ?? ''}`]
        : [],
    )
    assert.deepEqual(found.sort(), [...finds])
  })
}
