/** How rules write lists, records and servers. Pure. */
import { type IpAddress, isIpv6 } from '../base/ip.ts'
import { foldName, nameText, type WireName } from '../dns/wire-name.ts'
import type { ServerFacts } from './facts.ts'
import { plainName } from './read-facts.ts'

/** `a, b and c`; what is more than `most` is counted. Each item is safe to print. */
export function listed(items: readonly string[], most = 8): string {
  const told = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items
  return told.length < 2 ? told.join('') : `${told.slice(0, -1).join(', ')} and ${told.at(-1)}`
}

/** A name as a line of a zone has it: `mx1.example.com.`, whatever its octets are. */
export const zoneName = (name: WireName): string => nameText(foldName(name))

/** A line of a zone. @param owner  without the final dot */
export const mxRecord = (owner: string, preference: number, target: string): string =>
  `${owner}. IN MX ${preference} ${target.endsWith('.') ? target : `${target}.`}`

/** A line of a zone. @param owner  with the final dot */
export const addressRecord = (owner: string, address: IpAddress): string =>
  `${owner} IN ${isIpv6(address) ? 'AAAA' : 'A'} ${address}`

export const serverText = ({ name, address }: ServerFacts): string => `${plainName(name)} (${address})`

/** `1 address`, `2 addresses`. */
export const counted = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`

/** `3 days`, `5 hours`, `12 minutes`, `7 seconds`: the largest unit that there is one of. */
export function duration(seconds: number): string {
  for (const [size, word] of units) if (seconds >= size) return counted(Math.round(seconds / size), word)
  return counted(Math.max(0, Math.round(seconds)), 'second')
}

const units = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const
