/**
 * Judges the name in an MX record before it is looked up: what cannot be a mail host is dropped, what is odd is noted. Pure; called by
 * `exchangers.ts`.
 */
import { parseIp } from '../base/ip.ts'
import { type HostName, isHostName } from '../dns/name.ts'
import { hostFromName, nameText, type WireName } from '../dns/wire-name.ts'

export type Target =
  | { readonly kind: 'host'; readonly host: HostName; readonly notes: readonly string[] }
  /** `text` is the name as DNS has it, safe to print. */
  | { readonly kind: 'unusable'; readonly text: string; readonly why: string }

/** @param isPrivate  hosts within private networks are meant */
export function judgeTarget(exchange: WireName, isPrivate: boolean): Target {
  const written = nameText(exchange)
  const text = written === '.' ? written : written.slice(0, -1)
  const unusable = (why: string): Target => ({ kind: 'unusable', text, why })
  // RFC 5321 §5.1 and RFC 1035 §3.3.9: an exchange is a host name. Programs that take an address here do not agree on "127.1".
  if (parseIp(text.replaceAll('\\', ''))) return unusable('an IP address where a host name must be (RFC 1035 §3.3.9)')
  const host = hostFromName(exchange)
  if (host === undefined) return unusable('not a host name')
  // RFC 3696 §2: no top-level domain is a number, so this is an address in some spelling.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/.test(host)) return unusable('ends in a number, so that it reads as an address')
  // RFC 6761 §6.3: "localhost" is the machine that asks.
  if (!isPrivate && /(^|\.)localhost(\.localdomain)?$/.test(host))
    return unusable('"localhost" is every machine itself')
  return { kind: 'host', host, notes: [...oddities(host)] }
}

function* oddities(host: HostName): Generator<string> {
  if (!host.includes('.')) yield 'a single label: looked up as it is, never with a search domain'
  if (host.includes('_')) yield 'an underscore, which host names do not have (RFC 1123 §2.1)'
  else if (!isHostName(host)) yield 'a label begins or ends with a hyphen (RFC 1123 §2.1)'
}
