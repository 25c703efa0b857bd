/** What the parts of the faultless domain (`faultless.ts`) have in common: its hosts, and the records that are seen both ways. */
import { keyDigest } from '../certificate-maker.ts'
import { leafOf } from './certificates.ts'
import { tlsaData } from './records.ts'

export const exchangerPlaces = [
  { name: 'mx1.example.com', preference: 10, v4: '192.0.2.1', v6: '2001:db8:1::1' },
  { name: 'mx2.example.com', preference: 20, v4: '198.51.100.1', v6: '2001:db8:2::1' },
]

export const serverPlaces = [
  { name: 'ns1.example.com', v4: '192.0.2.53', v6: '2001:db8:1::53' },
  { name: 'ns2.example.com', v4: '198.51.100.53', v6: '2001:db8:2::53' },
  { name: 'ns3.example.com', v4: '203.0.113.53', v6: '2001:db8:3::53' },
]

export const spfRecord = 'v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all'

export const goodTlsa = (name: string) => tlsaData(3, 1, 1, keyDigest(leafOf(name)))
