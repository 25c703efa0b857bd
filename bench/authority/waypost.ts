/**
 * The built-in server as it comes, with cookies and with the rate limit at work, but so high that it is not reached: one client asks here for
 * all. Started by `contenders.ts` as `node waypost.ts ADDRESS PORT DOMAINS`.
 */
import type { IpAddress } from '../../src/base/ip.ts'
import { startAuthority } from '../../test/lab/authority.ts'
import { zoneOf } from '../../test/lab/zone-lines.ts'
import { zones } from './load.ts'

const [address, port, domains] = process.argv.slice(2)
const sources = Array.from(zones(Number(domains)), ({ origin, lines }) => zoneOf(origin, lines))
const listen = [{ address: address as IpAddress, port: Number(port) }]
await startAuthority({ after: () => undefined }, sources, {
  listen,
  rateLimit: { perSecond: 1_000_000_000, slip: 2, exempt: [] },
})
