/**
 * A domain in which everything is right: `example.com` is signed, has three dual-stack name servers and two dual-stack exchangers in its own
 * zone, DANE, MTA-STS in enforce, TLSRPT, SPF and DMARC.
 */
import type { Facts } from '../../../src/checks/facts.ts'
import { parseDmarc } from '../../../src/records/dmarc.ts'
import { intermediate, leafOf } from './certificates.ts'
import { exchangerAt } from './faultless-exchanger.ts'
import { exchangerPlaces, spfRecord } from './faultless-places.ts'
import { zone } from './faultless-zone.ts'
import { collectedMs, host, ip, wire } from './names.ts'
import { aData, mxData, txtData } from './records.ts'
import { secured } from './sessions.ts'
import { answer, noData, noSuchName, notExamined } from './views.ts'

const stsPolicy =
  'version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 2419200\r\n'
const dmarcRecord = 'v=DMARC1; p=reject; rua=mailto:dmarc@example.com'

function parsedDmarc() {
  const parsed = parseDmarc(dmarcRecord)
  if (parsed.kind === 'invalid') throw new Error('the fixture has no DMARC')
  return parsed.record
}

export function faultless(): Facts {
  const domain = 'example.com'
  return {
    domain: host(domain),
    startedAtMs: collectedMs,
    tookMs: 1500,
    examination: { probe: 'full', smtpPort: 25, isPrivate: true, families: 'both' },
    vantage: { ipv4: 'works', ipv6: 'works', port25: 'open', validation: 'trusted' },
    mx: answer(
      domain,
      exchangerPlaces.map(({ preference, name }) => mxData(preference, name)),
    ),
    a: answer(domain, [aData('203.0.113.80')]),
    aaaa: noData(domain),
    exchangers: exchangerPlaces.map(exchangerAt),
    zone: wire(domain),
    zones: [zone()],
    wildcard: {
      name: wire(`waypost-3c1d.${domain}`),
      mx: noSuchName(`waypost-3c1d.${domain}`),
      txt: noSuchName(`waypost-3c1d.${domain}`),
    },
    spf: {
      txt: answer(domain, [txtData(spfRecord)]),
      lookups: [],
      cost: {
        root: { domain: host(domain), record: undefined, steps: [], lookups: 0 },
        lookups: 0,
        voidLookups: 0,
        depth: 1,
        troubles: [],
      },
    },
    dkim: { parent: noData(`_domainkey.${domain}`), selectors: notExamined('not-wanted', 'No selectors were named.') },
    dmarc: {
      walk: [
        {
          name: wire(`_dmarc.${domain}`),
          type: 'TXT',
          view: answer(`_dmarc.${domain}`, [txtData(dmarcRecord)]),
        },
      ],
      discovery: {
        kind: 'found',
        asked: [{ domain: host(domain), found: 'record' }],
        at: host(domain),
        record: parsedDmarc(),
      },
      reportConsents: [],
    },
    bimi: noSuchName(`default._bimi.${domain}`),
    mtaSts: {
      txt: answer(`_mta-sts.${domain}`, [txtData('v=STSv1; id=20260101')]),
      a: answer(`mta-sts.${domain}`, [aData('203.0.113.80')]),
      aaaa: noData(`mta-sts.${domain}`),
      https: {
        kind: 'response',
        address: ip('203.0.113.80'),
        handshake: secured([leafOf('mta-sts.example.com'), intermediate]),
        status: 200,
        contentType: 'text/plain; charset=utf-8',
        location: undefined,
        body: Buffer.from(stsPolicy),
        bodyEnd: 'whole',
        tookMs: 120,
      },
    },
    tlsRpt: {
      txt: answer(`_smtp._tls.${domain}`, [txtData(`v=TLSRPTv1; rua=mailto:tls@${domain}`)]),
      destinations: [],
    },
    spent: { queries: 90, connections: 11 },
  }
}
