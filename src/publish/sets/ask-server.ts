/**
 * One server asked for one set: what it answers with authority. Used where a target is read by questions, and to see whether a change has
 * arrived. The resolver would not do: it asks whom it likes, and remembers.
 */
import { rdataCode } from '../../dns/rdata.ts'
import type { NameServer } from '../../dns/servers.ts'
import type { Transport } from '../../dns/transport.ts'
import { rcodeName, rcodes, typeCodes } from '../../dns/types.ts'
import { maxNameOctets, sameName, type WireName } from '../../dns/wire-name.ts'
import { distinct, type SetContent, type SetName, sameRecords } from './record-set.ts'

export type ServerSaid =
  /** `content` undefined: it has no such set, whether the name exists or is an alias. */
  | { readonly kind: 'set'; readonly content: SetContent | undefined }
  /** It answers, and not for this zone: no authority, or REFUSED. */
  | { readonly kind: 'not-its-zone'; readonly why: string }
  /** No answer, or none that can be read. `why` in words of ours and codes. */
  | { readonly kind: 'silent'; readonly why: string }

/** @param timeoutMs  for UDP, and once more for TCP */
export async function askServer(
  transport: Transport,
  server: NameServer,
  { name, code }: SetName,
  timeoutMs: number,
): Promise<ServerSaid> {
  const exchanged = await transport.exchange(server, name, code, timeoutMs)
  if (exchanged.kind !== 'response') return { kind: 'silent', why: exchanged.why }
  const { message } = exchanged
  if (message.rcode !== rcodes.noError && message.rcode !== rcodes.nxDomain)
    return { kind: 'not-its-zone', why: rcodeName(message.rcode) }
  const answers = message.answers.filter((record) => sameName(record.name, name))
  const those = answers.filter((record) => rdataCode(record.data) === code)
  if (those.length === 0) {
    const isAlias = answers.some((record) => record.data.type === 'CNAME')
    // RFC 2308 §2.1, §2.2: only the zone's SOA makes "there is none" of it; a referral has NS there, and no AA.
    if (!message.authoritative && !isAlias) return { kind: 'not-its-zone', why: 'no authority for it' }
    return { kind: 'set', content: undefined }
  }
  if (!message.authoritative) return { kind: 'not-its-zone', why: 'an answer without authority' }
  const ttlSeconds = Math.max(...those.map((record) => record.ttlSeconds))
  return { kind: 'set', content: { ttlSeconds, data: distinct(those.map((record) => record.data)) } }
}

/** The serial that it serves the zone with, if it does. */
export async function askSerial(
  transport: Transport,
  server: NameServer,
  zone: WireName,
  timeoutMs: number,
): Promise<number | undefined> {
  const said = await askServer(transport, server, { name: zone, code: typeCodes.SOA }, timeoutMs)
  const soa = said.kind === 'set' ? said.content?.data[0] : undefined
  return soa?.type === 'SOA' ? soa.serial : undefined
}

/**
 * Whether this answer was made from a wildcard, so that the name has nothing of its own. A name that exists stops wildcards above it
 * (RFC 4592 §3.3.1), so that one below it which nobody has is then answered with nothing.
 */
export async function isFromWildcard(
  transport: Transport,
  server: NameServer,
  set: SetName & SetContent,
  timeoutMs: number,
): Promise<boolean> {
  const name = `\x15_waypost-asks-nothing${set.name}` as WireName
  if (name.length > maxNameOctets) return false
  const said = await askServer(transport, server, { name, code: set.code }, timeoutMs)
  return said.kind === 'set' && said.content !== undefined && sameRecords(said.content.data, set.data)
}
