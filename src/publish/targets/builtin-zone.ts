/**
 * A zone of the built-in server where it is kept: a file in the state folder, and what a new one begins with. Used by `create-target.ts`, which changes
 * it like other zone files, and by `builtin/`, which serves it.
 */
import { join } from 'node:path'
import type { DnsRecord } from '../../dns/message.ts'
import type { HostName } from '../../dns/name.ts'
import { classCodes } from '../../dns/types.ts'
import { hostFromName, nameFromHost, nameText, parentOf, type WireName } from '../../dns/wire-name.ts'
import { writeZone } from '../../dns/zone-text/write.ts'
import type { PublisherOptions } from '../options.ts'

/** Below the state folder. */
export const builtinFolder = (state: string): string => join(state, 'dns')

export const builtinZonePath = (folder: string, zone: WireName): string => join(folder, builtinZoneFile(zone))

export const builtinZoneFile = (zone: WireName): string =>
  `${(hostFromName(zone) ?? nameText(zone)).replace(/\.$/, '')}.zone`

export interface NewZone {
  readonly zone: WireName
  /** At least one; the first is the primary. */
  readonly nameServers: readonly HostName[]
  readonly hostmaster: WireName | undefined
  readonly negativeTtlSeconds: number
  /** Since 1970. */
  readonly nowMs: number
}

/** RIPE-203, with a negative TTL of its own: it bounds how long a missing TLSA or policy stays missing. */
const timers = { refreshSeconds: 86_400, retrySeconds: 7_200, expireSeconds: 3_600_000 }
const nsTtlSeconds = 86_400

/** What a new zone of this publisher is. */
export const newZoneOf = (
  zone: WireName,
  { nameServers, hostmaster, negativeTtl }: Extract<PublisherOptions, { type: 'builtin' }>,
  hostname: HostName,
  nowMs: number,
): NewZone => ({
  ...{ zone, nameServers: nameServers ?? [hostname], hostmaster, nowMs },
  negativeTtlSeconds: Math.floor(negativeTtl / 1000),
})

export const newZoneText = (zone: NewZone): string => writeZone(newZoneRecords(zone), zone.zone)

/** What a zone begins with: SOA and NS. */
export function newZoneRecords({ zone, nameServers, hostmaster, negativeTtlSeconds, nowMs }: NewZone): DnsRecord[] {
  const hosts = nameServers.map(nameFromHost)
  const [primary] = hosts
  if (primary === undefined) throw new RangeError('a zone without a name server')
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')
  const soa = {
    type: 'SOA',
    primary,
    mailbox: hostmaster ?? hostmasterOf(zone),
    serial: Number(day) * 100,
    ...timers,
    minimumSeconds: negativeTtlSeconds,
  } as const
  const record = { name: zone, class: classCodes.IN, ttlSeconds: nsTtlSeconds }
  return [
    { ...record, ttlSeconds: negativeTtlSeconds, data: soa },
    ...hosts.map((target) => ({ ...record, data: { type: 'NS', target } as const })),
  ]
}

function hostmasterOf(zone: WireName): WireName {
  const name = `\x0ahostmaster${zone}` as WireName
  return name.length <= 255 ? name : (`\x0ahostmaster${parentOf(zone)}` as WireName)
}
