/** An exchanger of the faultless domain, with its addresses and sessions. */
import type { ExchangerAddress, ExchangerFacts } from '../../../src/checks/facts.ts'
import { type exchangerPlaces, goodTlsa } from './faultless-places.ts'
import { host, ip, wire } from './names.ts'
import { aaaaData, aData, ptrData, soaData } from './records.ts'
import { session } from './sessions.ts'
import { answer, noData, notExamined } from './views.ts'

export function exchangerAt({ name, preference, v4, v6 }: (typeof exchangerPlaces)[number]): ExchangerFacts {
  const address = (text: string): ExchangerAddress => ({
    address: ip(text),
    notPublic: undefined,
    reverse: {
      ptr: answer(reverseName(text), [ptrData(name)]),
      forward: [
        { name: wire(name), view: text.includes(':') ? answer(name, [aaaaData(text)]) : answer(name, [aData(text)]) },
      ],
    },
    smtp: { kind: 'probed', sessions: [session(name, text)], probe: 'full', isShared: false },
    ownNames: [{ name: host(name), a: answer(name, [aData(v4)]), aaaa: answer(name, [aaaaData(v6)]) }],
    blocklists: notExamined('not-wanted', 'No lists were named.'),
  })
  return {
    name: wire(name),
    host: host(name),
    preferences: [preference],
    isImplicit: false,
    a: answer(name, [aData(v4)]),
    aaaa: answer(name, [aaaaData(v6)]),
    cname: notExamined('not-applicable', 'It is no alias.'),
    zone: wire('example.com'),
    registrable: { domain: host('example.com'), soa: answer('example.com', [soaData()]) },
    tlsa: [{ base: wire(name), place: 'target', view: answer(`_25._tcp.${name}`, [goodTlsa(name)]) }],
    caa: [
      { name: wire(name), type: 'CAA', view: noData(name) },
      { name: wire('example.com'), type: 'CAA', view: noData('example.com') },
      { name: wire('com'), type: 'CAA', view: noData('com') },
    ],
    addresses: [address(v4), address(v6)],
  }
}

/** `192.0.2.1` → `1.2.0.192.in-addr.arpa`; of IPv6 a stand-in, because rules never take it apart. */
const reverseName = (text: string) =>
  text.includes(':') ? `${text.replaceAll(':', '-')}.ip6.arpa` : `${text.split('.').reverse().join('.')}.in-addr.arpa`
