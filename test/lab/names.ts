/** Names and addresses of tests, as the code has them. A text that is none is a bug of the test. */
import { type IpAddress, parseIp } from '../../src/base/ip.ts'
import { type HostName, parseName } from '../../src/dns/name.ts'
import { nameFromText, type WireName } from '../../src/dns/wire-name.ts'

export function labName(text: string): WireName {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no name: ${parsed.why}`)
  return parsed.name
}

export function labHost(text: string): HostName {
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no name: ${parsed.why}`)
  return parsed.name
}

export function labAddress(text: string): IpAddress {
  const address = parseIp(text)
  if (!address) throw new Error(`"${text}" is no address`)
  return address
}
