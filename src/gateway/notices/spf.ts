/**
 * Asks SPF (RFC 7208) whether a client may send for a MAIL FROM: mailauth evaluates, our own resolver is asked, and time, questions and what
 * is handed over of an answer are counted here. Called by `sender-proof`. Only a pass that is narrow enough to prove anything counts (`narrow-spf`).
 */

import { type Clock, within } from '../../base/clock.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import { nextTurn } from '../../base/turn-end.ts'
import type { Resolution } from '../../dns/resolution.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { nameFromLabels, nameText, rootWireName, type WireName } from '../../dns/wire-name.ts'
import type { HostName, Mailbox } from '../../mail/address.ts'
import type { Client } from '../../mail/message.ts'
import { narrowedSpf } from './narrow-spf.ts'

export interface SpfDeps {
  readonly clock: Clock
  readonly resolver: () => Pick<Resolver, 'resolve'>
  /** Our own name, for macros. */
  readonly hostname: () => HostName
}

export type SpfAnswer = {
  /** The record has terms with the local part: the answer is good for this address alone. */
  readonly isOfAddress: boolean
} & (
  | { readonly kind: 'pass' }
  /** It passes, by what lets nearly everybody pass. */
  | { readonly kind: 'broad' }
  | { readonly kind: 'no-pass'; readonly result: string }
  /** temperror: DNS did not answer. */
  | { readonly kind: 'unanswered' }
)

/** RFC 7208 §4.6.4: twenty seconds at least. */
const evaluationMs = 20_000
/** RFC 7208 §4.6.4 lets ten terms ask, each `mx` for ten hosts, of both families: nobody honest needs as many. */
const mostQuestions = 100
/** RFC 7208 §4.6.4: an `mx` with more than ten hosts is a permanent error, and of ten names of a client the others are ignored. */
const mostExchangers = 11
const mostNames = 10
/**
 * Of one host, and of all hosts of an evaluation: mailauth parses each address again for each term that names it. The client's own is handed over
 * wherever it stands, so that only a prefix length behind `a` or `mx` may miss a network that none of the first ones is in.
 */
const mostOfHost = 100
const mostAddresses = 500
/** RFC 7208 §4.5: a second one is a permanent error. */
const mostRecords = 2
/**
 * Parsing a term takes longer than sending it, and ten records of 64 kB each may stand behind one sender. RFC 7208 §3.4 wants 512 octets; lists of
 * addresses in the wild have some thousand.
 */
const mostOctets = 8_192
const mostTerms = 300
/** RFC 7208 §4.6: a mechanism that nobody knows makes a permanent error of the record. */
const unreadable = 'v=spf1 longer-than-we-read'

export async function askSpf(sender: Mailbox, client: Client, deps: SpfDeps): Promise<SpfAnswer> {
  const real = await evaluate(sender, client, (record) => record, deps)
  if (real.kind !== 'pass') return real
  const isIpv6Client = isIpv6(client.address)
  // What was asked for is in the resolver's cache by now.
  const narrow = await evaluate(sender, client, (record) => narrowedSpf(record, isIpv6Client), deps)
  return narrow.kind === 'no-pass' ? { kind: 'broad', isOfAddress: real.isOfAddress } : narrow
}

async function evaluate(
  sender: Mailbox,
  client: Client,
  edit: (record: string) => string,
  { clock, resolver, hostname }: SpfDeps,
): Promise<SpfAnswer> {
  // Half a megabyte of libraries that a gateway without a refusal never needs.
  const { spf } = await import('mailauth/lib/spf/index.js')
  const untilMs = clock.monotonicMs() + evaluationMs
  const handing: Handing = { client: client.address, edit, addressesLeft: mostAddresses }
  let questions = 0
  const checking = spf({
    sender: sender.text,
    ip: client.address,
    helo: client.hello,
    mta: hostname(),
    strict: true,
    resolver: async (name: string, type: string) => {
      if (++questions > mostQuestions || clock.monotonicMs() > untilMs) throw new DnsSilence('ETIMEOUT')
      // What the cache knows comes at once: without this, all of an evaluation would be one turn.
      await nextTurn()
      // mailauth declares what it expects of TXT and A alone; MX come as `dns.resolve` gives them.
      return (await answer(resolver(), name, type, handing)) as string[]
    },
  })
  const checked = await within(checking, untilMs, clock)
  const isOfAddress = checked?.status.smtp?.mailfrom === sender.text
  switch (checked?.status.result) {
    case undefined:
    case 'temperror':
      return { kind: 'unanswered', isOfAddress: true }
    case 'pass':
      return { kind: 'pass', isOfAddress }
    default:
      return { kind: 'no-pass', result: String(checked?.status.result), isOfAddress }
  }
}

/** As `dns.resolve` of Node fails, which is what mailauth knows. */
class DnsSilence extends Error {
  readonly code: string
  constructor(code: string) {
    super(`DNS: ${code}`)
    this.code = code
  }
}

/** What of the answers to one evaluation is handed over. */
interface Handing {
  readonly client: IpAddress
  readonly edit: (record: string) => string
  addressesLeft: number
}

async function answer(
  resolver: Pick<Resolver, 'resolve'>,
  text: string,
  type: string,
  handing: Handing,
): Promise<unknown[]> {
  const parsed = nameFromLabels(text.replace(/\.$/, '').split('.'))
  if (parsed.kind === 'invalid') throw new DnsSilence('EBADNAME')
  const { name } = parsed
  switch (type) {
    case 'TXT':
      return recordsOf(await resolver.resolve(name, 'TXT'))
        .map(({ strings }) => Buffer.concat(strings).toString('latin1'))
        .filter((record) => isSpf.test(record))
        .slice(0, mostRecords)
        .map((record) => [handing.edit(readable(record))])
    case 'A':
      return handOver(recordsOf(await resolver.resolve(name, 'A')), handing)
    case 'AAAA':
      return handOver(recordsOf(await resolver.resolve(name, 'AAAA')), handing)
    case 'MX':
      return recordsOf(await resolver.resolve(name, 'MX'))
        .filter(({ exchange }) => exchange !== rootWireName)
        .sort((one, other) => one.preference - other.preference)
        .slice(0, mostExchangers)
        .map(({ preference, exchange }) => ({ priority: preference, exchange: bare(exchange) }))
    case 'PTR':
      return recordsOf(await resolver.resolve(name, 'PTR'))
        .slice(0, mostNames)
        .map(({ target }) => bare(target))
    default:
      throw new DnsSilence('ENODATA')
  }
}

/** At least one, which is all that `exists` asks for. */
function handOver(records: readonly { readonly address: IpAddress }[], handing: Handing): IpAddress[] {
  const most = Math.min(mostOfHost, Math.max(1, handing.addressesLeft))
  const own = records.findIndex(({ address }) => address === handing.client)
  const kept = records.filter((_, index) => index < most || index === own).map(({ address }) => address)
  handing.addressesLeft -= kept.length
  return kept
}

/** RFC 7208 §4.5. Other TXT records are not handed over: the explanation that `exp` leads to is read by nobody. */
const isSpf = /^v=spf1(?: |$)/i

function readable(record: string): string {
  const isLong = record.length > mostOctets || record.split(/\s+/, mostTerms + 2).length > mostTerms + 1
  return isLong ? unreadable : record
}

function recordsOf<T extends 'TXT' | 'A' | 'AAAA' | 'MX' | 'PTR'>(resolution: Resolution<T>) {
  switch (resolution.kind) {
    case 'answer':
      return resolution.records.map(({ data }) => data)
    case 'no-data':
      throw new DnsSilence('ENODATA')
    case 'no-such-name':
      throw new DnsSilence('ENOTFOUND')
    case 'failed':
      throw new DnsSilence('ESERVFAIL')
  }
}

const bare = (name: WireName) => nameText(name).replace(/(?<=.)\.$/, '')
