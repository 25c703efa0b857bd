/**
 * What a recursive server's message says about a question: pure, so that SERVFAIL, "no such name" and "no such data" are told apart in
 * one place (RFC 2308 §2). Called by the resolver.
 */
import type { DnsRecord, Message } from './message.ts'
import type { Rdata } from './rdata.ts'
import { classCodes, type RecordType, rcodeName, rcodes } from './types.ts'
import { foldName, isAtOrBelow, nameText, sameName, type WireName } from './wire-name.ts'

/** Why nothing is known. Always temporary: none of these says that a name or its data does not exist. */
export type FailureReason =
  | 'timeout' // no server answered in time
  | 'unreachable' // none could be sent to
  | 'servfail' // the server tried and could not find out; also what a failed DNSSEC validation looks like
  | 'refused' // the server does not work for us, or does not recurse
  | 'malformed' // what came cannot be read, or contradicts itself
  | 'error-code' // any other response code
  | 'cname-loop' // aliases that lead to each other, or too many of them

export interface Failure {
  readonly kind: 'failed'
  readonly reason: FailureReason
  /** In words, safe to print. */
  readonly why: string
}

export type Reading =
  | {
      /** `unfinished`: the aliases end at a name of which the message says nothing. */
      readonly kind: 'answer' | 'no-data' | 'no-such-name' | 'unfinished'
      readonly records: readonly DnsRecord[]
      /** The targets of the aliases that were followed, in order. */
      readonly aliases: readonly WireName[]
      /** The least of everything that was used; of a negative answer by RFC 2308 §5, 0 where it may not be kept. */
      readonly ttlSeconds: number
    }
  | Failure

/** RFC 1034 §5.2.2 wants loops noticed; more aliases than this is none that works anywhere. */
export const maxAliases = 16

/** @param before  folded names of the aliases that led here, `name` not among them */
export function readAnswer(
  message: Message,
  name: WireName,
  type: RecordType,
  before: ReadonlySet<string> = new Set(),
): Reading {
  const { rcode } = message
  // RFC 2308 §7.1: SERVFAIL says nothing about the name.
  if (rcode === rcodes.servFail) return failed('servfail', 'the server answered SERVFAIL')
  if (rcode === rcodes.refused) return failed('refused', 'the server answered REFUSED')
  if (rcode !== rcodes.noError && rcode !== rcodes.nxDomain)
    return failed('error-code', `the server answered ${rcodeName(rcode)}`)

  const aliases: WireName[] = []
  // What nearly every answer has no use for is made only when it has.
  let seen: Set<string> | undefined
  let byOwner: ReadonlyMap<string, readonly DnsRecord[]> | undefined
  let ttlSeconds = 0x7fffffff
  let owner = name
  for (;;) {
    const folded = foldName(owner)
    if ((seen ?? before).has(folded)) return failed('cname-loop', `the aliases loop at ${nameText(owner)}`)
    if ((seen ?? before).size > maxAliases) return failed('cname-loop', `more than ${maxAliases} aliases`)
    const here = byOwner ? (byOwner.get(folded) ?? []) : recordsOf(message.answers, folded)
    const records = here.filter((record) => record.data.type === type)
    if (records.length > 0) {
      return { kind: 'answer', records, aliases, ttlSeconds: leastTtl(records, ttlSeconds) }
    }
    const cnames = here.filter((record) => record.data.type === 'CNAME')
    const [cname] = cnames
    if (cname?.data.type !== 'CNAME') break
    const { target } = cname.data
    // RFC 2181 §10.1: a name has one alias; servers that run in a circle may repeat it.
    if (cnames.some(({ data }) => data.type === 'CNAME' && !sameName(data.target, target)))
      return failed('malformed', `${nameText(owner)} has two aliases`)
    ttlSeconds = leastTtl(cnames, ttlSeconds)
    seen ??= new Set(before)
    seen.add(folded)
    byOwner ??= group(message.answers)
    owner = target
    aliases.push(owner)
  }
  return negative(message, owner, aliases, ttlSeconds)
}

function negative(message: Message, owner: WireName, aliases: readonly WireName[], ttlSeconds: number): Reading {
  const soa = message.authorities.find((record) => record.data.type === 'SOA' && isAtOrBelow(owner, record.name))
  const negativeTtl = soa?.data.type === 'SOA' ? Math.min(soa.ttlSeconds, soa.data.minimumSeconds, ttlSeconds) : 0
  const rest = { records: [], aliases, ttlSeconds: negativeTtl }
  // RFC 2308 §2.1: the code says it, "regardless of the presence of NS or SOA records". RFC 6604 §3: of the end of the aliases.
  if (message.rcode === rcodes.nxDomain) return { kind: 'no-such-name', ...rest }
  if (soa) return { kind: 'no-data', ...rest }
  if (aliases.length > 0) return { kind: 'unfinished', records: [], aliases, ttlSeconds }
  // RFC 2308 §2.2: name servers without SOA are a referral. A recursive server gives none.
  if (message.authorities.some((record) => record.data.type === 'NS') && !message.authoritative)
    return failed('refused', 'the server answered with a referral: it does not recurse')
  return { kind: 'no-data', ...rest }
}

/** @param folded  the owner */
const recordsOf = (records: readonly DnsRecord[], folded: WireName): readonly DnsRecord[] =>
  records.filter(
    (record) => record.class === classCodes.IN && (record.name === folded || foldName(record.name) === folded),
  )

function group(records: readonly DnsRecord[]): ReadonlyMap<string, readonly DnsRecord<Rdata>[]> {
  const byOwner = new Map<string, DnsRecord[]>()
  for (const record of records) {
    if (record.class !== classCodes.IN) continue
    const owner = foldName(record.name)
    const known = byOwner.get(owner)
    if (known) known.push(record)
    else byOwner.set(owner, [record])
  }
  return byOwner
}

const leastTtl = (records: readonly DnsRecord[], atMost: number) =>
  records.reduce((least, record) => Math.min(least, record.ttlSeconds), atMost)

const failed = (reason: FailureReason, why: string): Failure => ({ kind: 'failed', reason, why })
