/** Names, addresses and the moment of the facts that rules are tested with. A text that is none of these is a bug of the test. */
import { type IpAddress, parseIp } from '../../../src/base/ip.ts'
import { type HostName, parseName } from '../../../src/dns/name.ts'
import { nameFromText, type WireName } from '../../../src/dns/wire-name.ts'

/** When the facts were collected: 2026-03-01 12:00 UTC. */
export const collectedMs = Date.UTC(2026, 2, 1, 12)

/** A name of a test, or a bug in it. */
export function wire(text: string): WireName {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no name: ${parsed.why}`)
  return parsed.name
}

export function host(text: string): HostName {
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no host name: ${parsed.why}`)
  return parsed.name
}

export function ip(text: string): IpAddress {
  const parsed = parseIp(text)
  if (!parsed) throw new Error(`"${text}" is no address`)
  return parsed
}
