/**
 * Each exchanger: its addresses with their reverse and an SMTP session each, its TLSA records, CAA, and whether its domain is registered.
 * Called by `collector.ts` with what the MX look-up said.
 */

import { getDomain } from 'tldts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import { type HostName, parseName } from '../../dns/name.ts'
import { foldName, nameFromHost, rootWireName, type WireName } from '../../dns/wire-name.ts'
import { judgeTarget } from '../../routing/target.ts'
import type { ExchangerAddress, ExchangerFacts, NamedView, SmtpFacts, TlsaLookup, View } from '../facts.ts'
import { recordsOf } from '../read-facts.ts'
import { ownNameIn, ownWordIn, sessionThatCounts } from '../read-sessions.ts'
import type { Part } from '../rule.ts'
import { type Inquiry, notExamined } from './inquiry.ts'
import { below } from './questions.ts'
import { collectBlocklists, collectReverse } from './reverse.ts'
import type { Sessions } from './sessions.ts'

export interface ExchangerWork {
  readonly domain: HostName
  readonly parts: ReadonlySet<Part>
  readonly inquiry: Inquiry
  readonly sessions: Sessions
  /** How an exchanger is asked: shared providers are always asked politely. */
  readonly probeOf: (host: HostName) => 'full' | 'polite' | 'none'
  /** Is told of each session that is over. */
  readonly onStep: (words: string) => void
}

export interface Target {
  readonly name: WireName
  readonly preferences: readonly number[]
  readonly isImplicit: boolean
}

/** Those looked at; a domain with more has another problem. Senders try five at most (RFC 5321 §5.1 leaves it to them). */
export const mostExchangers = 20
const mostAddressesAHost = 10

/** The distinct targets, best preference first, without the root; the domain itself where there is no MX (RFC 5321 §5.1). */
export function targetsOf(domain: HostName, mx: View<'MX'>): readonly Target[] {
  if (mx.kind === 'no-data') return [{ name: nameFromHost(domain), preferences: [0], isImplicit: true }]
  const byName = new Map<string, { name: WireName; preferences: number[] }>()
  for (const { data } of recordsOf(mx)) {
    if (data.exchange === rootWireName) continue
    const known = byName.get(foldName(data.exchange)) ?? { name: data.exchange, preferences: [] }
    known.preferences.push(data.preference)
    byName.set(foldName(data.exchange), known)
  }
  const targets = [...byName.values()].map(({ name, preferences }) => ({
    name,
    preferences: preferences.sort((one, other) => one - other),
    isImplicit: false,
  }))
  return targets.sort((one, other) => (one.preferences[0] ?? 0) - (other.preferences[0] ?? 0))
}

export function collectExchangers(targets: readonly Target[], work: ExchangerWork): Promise<readonly ExchangerFacts[]> {
  return Promise.all(targets.map((target, index) => collectExchanger(target, index < mostExchangers, work)))
}

async function collectExchanger(target: Target, isWanted: boolean, work: ExchangerWork): Promise<ExchangerFacts> {
  const { inquiry, parts } = work
  const judged = judgeTarget(target.name, inquiry.options.isPrivate)
  const host = judged.kind === 'host' ? judged.host : undefined
  const known = { ...target, host, zone: undefined }
  if (!host || !isWanted) {
    const why = host
      ? notExamined('budget-spent', `${mostExchangers} exchangers are looked at.`)
      : notExamined('depends-on-failed', 'The name cannot be that of a mail host.')
    return { ...known, a: why, aaaa: why, cname: why, registrable: why, tlsa: why, caa: why, addresses: [] }
  }
  const name = nameFromHost(host)
  const leftOut = notExamined('not-wanted', 'It was left out.')
  const [a, aaaa] = await Promise.all([viewFamily(name, 'A', inquiry), viewFamily(name, 'AAAA', inquiry)])
  const addresses = addressesOf(a, aaaa)
  const [cname, registrable, tlsa, caa, at] = await Promise.all([
    isAliased(a) || isAliased(aaaa) ? inquiry.view(name, 'CNAME') : notExamined('not-applicable', 'It is no alias.'),
    parts.has('registrable') ? registrableOf(host, inquiry) : leftOut,
    parts.has('tlsa') ? tlsaOf(name, a, aaaa, inquiry) : leftOut,
    parts.has('caa') ? caaOf(name, inquiry) : leftOut,
    Promise.all(addresses.slice(0, mostAddressesAHost).map((address) => collectAddress(address, host, work))),
  ])
  return { ...known, a, aaaa, cname, registrable, tlsa, caa, addresses: at }
}

function viewFamily<T extends 'A' | 'AAAA'>(name: WireName, type: T, inquiry: Inquiry): Promise<View<T>> | View<T> {
  const { families } = inquiry.options
  const isWanted = families === 'both' || (families === 'ipv6') === (type === 'AAAA')
  return isWanted ? inquiry.view(name, type) : notExamined('not-wanted', 'This family was left out.')
}

const addressesOf = (a: View<'A'>, aaaa: View<'AAAA'>): readonly IpAddress[] => [
  ...new Set([...recordsOf(a), ...recordsOf(aaaa)].map(({ data }) => data.address)),
]

const isAliased = (view: View) => view.kind !== 'not-examined' && view.aliases.length > 0

async function collectAddress(address: IpAddress, host: HostName, work: ExchangerWork): Promise<ExchangerAddress> {
  const { inquiry, parts } = work
  const leftOut = notExamined('not-wanted', 'It was left out.')
  const [reverse, smtp, blocklists] = await Promise.all([
    parts.has('reverse') ? collectReverse(address, inquiry) : leftOut,
    visit(address, host, work),
    parts.has('blocklists') && inquiry.options.blocklists.length > 0 ? collectBlocklists(address, inquiry) : leftOut,
  ])
  if (smtp.kind === 'probed') work.onStep(`${host} at ${address}: ${sessionStep(smtp)}`)
  const ownNames = smtp.kind === 'probed' ? await ownNamesOf(smtp, inquiry) : smtp
  return { address, notPublic: whyNotPublic(address), reverse, smtp, ownNames, blocklists }
}

function sessionStep(smtp: Extract<SmtpFacts, { kind: 'probed' }>): string {
  const { ehlo, ehloInTls } = sessionThatCounts(smtp)
  if (ehlo.kind !== 'reply') return 'it did not answer over SMTP'
  return ehloInTls.kind === 'reply' ? 'it answers over SMTP, and with TLS' : 'it answers over SMTP, without TLS'
}

function visit(address: IpAddress, host: HostName, { domain, parts, inquiry, sessions, probeOf }: ExchangerWork) {
  const howMuch = probeOf(host)
  if (howMuch === 'none' || !parts.has('smtp')) return notExamined('not-wanted', 'SMTP was left out.')
  return sessions.visit(address, host, { domain, probe: howMuch }, inquiry)
}

/** Of the session that the rules judge: whether the names exist by which the server calls itself there. */
async function ownNamesOf(smtp: Extract<SmtpFacts, { kind: 'probed' }>, inquiry: Inquiry) {
  const { greeting, ehlo, ehloInTls } = sessionThatCounts(smtp)
  const names = [greeting, ehlo, ehloInTls].flatMap((said) => ownNameIn(ownWordIn(said)) ?? [])
  return Promise.all(
    [...new Set(names)].map(async (name) => {
      const wire = nameFromHost(name)
      const [a, aaaa] = await Promise.all([inquiry.view(wire, 'A'), inquiry.view(wire, 'AAAA')])
      return { name, a, aaaa }
    }),
  )
}

async function registrableOf(host: HostName, inquiry: Inquiry): Promise<ExchangerFacts['registrable']> {
  const domain = getDomain(host, { allowPrivateDomains: false })
  const parsed = domain === null ? undefined : parseName(domain)
  if (parsed?.kind !== 'name') return notExamined('not-applicable', 'The name is below no public suffix.')
  return { domain: parsed.name, soa: await inquiry.view(nameFromHost(parsed.name), 'SOA') }
}

/**
 * RFC 7672 §2.2.3: at the end of the aliases first, where all of them are secure, then at the name itself. Insecure names are asked too, so
 * that an owner hears of TLSA records that no sender looks at.
 */
async function tlsaOf(
  name: WireName,
  a: View<'A'>,
  aaaa: View<'AAAA'>,
  inquiry: Inquiry,
): Promise<readonly TlsaLookup[]> {
  const end = [a, aaaa].find((view) => view.kind === 'answer')
  const target = end?.kind === 'answer' ? end.canonicalName : name
  const isAlias = foldName(target) !== foldName(name)
  const places = isAlias
    ? ([
        [target, 'target'],
        [name, 'original'],
      ] as const)
    : ([[name, 'target']] as const)
  const lookups = await Promise.all(
    places.map(async ([base, place]): Promise<TlsaLookup | undefined> => {
      const owner = below(base, '_25', '_tcp')
      return owner && { base, place, view: await inquiry.view(owner, 'TLSA') }
    }),
  )
  return lookups.filter((lookup) => lookup !== undefined)
}

/** RFC 8659 §3: from the name upwards to the first that has CAA. The root is not asked. */
async function caaOf(host: WireName, inquiry: Inquiry): Promise<readonly NamedView<'CAA'>[]> {
  const found: NamedView<'CAA'>[] = []
  for (let name = host; name !== rootWireName; name = name.slice(1 + name.charCodeAt(0)) as WireName) {
    const view = await inquiry.view(name, 'CAA')
    found.push({ name, type: 'CAA', view })
    if (view.kind === 'answer' || view.kind === 'not-examined') break
  }
  return found
}
