/** The zone of the faultless domain: its delegation, and what each of its servers says to all that `collect` asks. */
import type { Direct, ServerFacts, ZoneFacts } from '../../../src/checks/facts.ts'
import type { RdataOf } from '../../../src/dns/rdata.ts'
import { rcodes } from '../../../src/dns/types.ts'
import { parentOf } from '../../../src/dns/wire-name.ts'
import { exchangerPlaces, goodTlsa, serverPlaces, spfRecord } from './faultless-places.ts'
import { ip, wire } from './names.ts'
import { aaaaData, aData, mxData, nsData, record, soaData, txtData } from './records.ts'
import { direct, response } from './servers.ts'
import { answer, noData } from './views.ts'

const dnskeyData: RdataOf<'DNSKEY'> = {
  type: 'DNSKEY',
  flags: 257,
  protocol: 3,
  algorithm: 13,
  key: Buffer.alloc(64, 9),
}

const servers = (): ServerFacts[] =>
  serverPlaces.flatMap(({ name, v4, v6 }) =>
    [v4, v6].map((address) => ({ name: wire(name), address: ip(address), asked: goodAnswers() })),
  )

/** What a good server of the zone says to everything that `collect` asks it. */
function goodAnswers(): Direct[] {
  const domain = 'example.com'
  const mx = response(
    domain,
    'MX',
    exchangerPlaces.map(({ preference, name }) => mxData(preference, name)),
  )
  const refused = response('waypost-77.example.net', 'A', [], {
    authorities: [],
    message: { authoritative: false, rcode: rcodes.refused },
  })
  return [
    direct(domain, 'SOA', response(domain, 'SOA', [soaData()])),
    direct(domain, 'MX', mx),
    direct(domain, 'MX', mx, { over: 'tcp' }),
    direct(
      domain,
      'NS',
      response(
        domain,
        'NS',
        serverPlaces.map(({ name }) => nsData(name)),
      ),
    ),
    direct(domain, 'CNAME', response(domain, 'CNAME', [])),
    direct(domain, 'TXT', response(domain, 'TXT', [txtData(spfRecord)])),
    direct(domain, 'DNSKEY', response(domain, 'DNSKEY', [dnskeyData])),
    direct(domain, 'HINFO', response(domain, 'HINFO', [])),
    ...exchangerPlaces.flatMap(({ name, v4, v6 }) => [
      direct(name, 'A', response(name, 'A', [aData(v4)])),
      direct(name, 'AAAA', response(name, 'AAAA', [aaaaData(v6)])),
      direct(name, 'CAA', response(name, 'CAA', [])),
      direct(`_25._tcp.${name}`, 'TLSA', response(`_25._tcp.${name}`, 'TLSA', [goodTlsa(name)])),
      direct(`_tcp.${name}`, 'TXT', response(`_tcp.${name}`, 'TXT', [])),
    ]),
    direct('waypost-77.example.net', 'A', refused, { recursion: true }),
  ]
}

export function zone(): ZoneFacts {
  const apex = wire('example.com')
  const referral = response('example.com', 'NS', [], {
    authorities: serverPlaces.map(({ name }) => nsData(name)),
    message: {
      authoritative: false,
      additionals: serverPlaces.flatMap(({ name, v4, v6 }) => [
        record(wire(name), aData(v4)),
        record(wire(name), aaaaData(v6)),
      ]),
    },
  })
  if (referral.kind !== 'response') throw new Error('a response is one')
  return {
    apex,
    serves: [apex, ...exchangerPlaces.map(({ name }) => wire(name))],
    delegation: {
      kind: 'delegated',
      parent: parentOf(apex),
      referral: referral.message,
      server: { name: wire('a.gtld-servers.net'), address: ip('192.0.2.200') },
    },
    nameServers: serverPlaces.map(({ name, v4, v6 }) => ({
      name: wire(name),
      atParent: true,
      atApex: true,
      glue: [ip(v4), ip(v6)],
      a: answer(name, [aData(v4)]),
      aaaa: answer(name, [aaaaData(v6)]),
    })),
    servers: servers(),
    ds: answer('example.com', [
      { type: 'DS', keyTag: 12_345, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 7) },
    ]),
    dnskey: answer('example.com', [dnskeyData]),
    nsec3param: noData('example.com'),
  }
}
