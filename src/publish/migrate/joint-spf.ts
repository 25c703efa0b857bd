/**
 * The SPF record of a domain while two sides send for it: the live one with the terms of the new side in it, as long as receivers can evaluate
 * that (RFC 7208 §4.6.4). Called when a migration begins, before anything is published; the look-ups are the resolver's.
 */
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import type { Resolution } from '../../dns/resolution.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { hostFromName, nameFromHost } from '../../dns/wire-name.ts'
import { parseSpf, type SpfTerm } from '../../records/spf.ts'
import {
  countSpfLookups,
  maxSpfLookups,
  type SpfAnswer,
  type SpfCost,
  type SpfLookup,
  type SpfTrouble,
} from '../../records/spf-limits.ts'
import { txtText } from '../../records/txt.ts'

export type JointSpf =
  | { readonly kind: 'joint'; readonly text: string }
  /** Both may send already. */
  | { readonly kind: 'same' }
  | { readonly kind: 'impossible'; readonly why: string; readonly remedy: string }

/**
 * @param live   the record as it is
 * @param added  terms of the new side, such as `include:spf.example.net`; a `redirect=` counts as an include, because it would replace all
 */
export async function jointSpf(
  domain: HostName,
  live: string,
  added: readonly string[],
  resolver: Pick<Resolver, 'resolve'>,
): Promise<JointSpf> {
  const text = joinTerms(live, added)
  if (text === undefined)
    return impossible(`the SPF record of ${domain} is none: ${printable(live, 200)}`, 'Mend it first.')
  if (text === live) return { kind: 'same' }
  const joint = parseSpf(text)
  if (joint.kind !== 'spf')
    return impossible(
      `with the terms of the new side it would be no SPF record: ${joint.problems[0]?.message ?? ''}`,
      'See what --spf says.',
    )
  const cost = await countSpfLookups(domain, joint.record, lookupBy(resolver))
  const trouble = cost.troubles.find(({ kind }) => kind !== 'depends-on-message')
  if (trouble) return impossible(troubleText(trouble), 'Mend that first: receivers would reject every message.')
  if (cost.lookups <= maxSpfLookups) return { kind: 'joint', text }
  return impossible(
    `with both sides the SPF record of ${domain} would take ${cost.lookups} look-ups, and ${maxSpfLookups} are the most (RFC 7208 §4.6.4): ${costText(cost)}`,
    'Take out what sends no more, write some of the includes out as networks, or let one side send from a subdomain.',
  )
}

const impossible = (why: string, remedy: string): JointSpf => ({ kind: 'impossible', why, remedy })

/** The new terms in front of what ends the record, each once. Undefined: it is no SPF record. */
export function joinTerms(live: string, added: readonly string[]): string | undefined {
  const parsed = parseSpf(live)
  if (parsed.kind !== 'spf') return undefined
  const { terms } = parsed.record
  const known = new Set(terms.map(plain))
  const missing = [...new Set(added.map((term) => term.replace(/^redirect=/i, 'include:')))].filter(
    (term) => !known.has(term.toLowerCase()),
  )
  if (missing.length === 0) return live
  const end = terms.find(({ kind }) => kind === 'all' || kind === 'redirect' || kind === 'exp')
  if (end === undefined) return `${live.trimEnd()} ${missing.join(' ')}`
  return `${live.slice(0, end.at)}${missing.join(' ')} ${live.slice(end.at)}`
}

/** Without the sign that means the same as none. */
const plain = ({ text }: SpfTerm) => text.toLowerCase().replace(/^\+/, '')

const costText = ({ root }: SpfCost) =>
  root.steps.map(({ term, lookups }) => `${printable(term.text, 80)} ${lookups}`).join(', ')

function troubleText(trouble: SpfTrouble): string {
  const term = trouble.term === undefined ? trouble.domain : printable(trouble.term.text, 80)
  switch (trouble.kind) {
    case 'lookup-failed':
      return `what ${term} costs could not be told: ${printable(trouble.why, 200)}`
    case 'no-record':
      return `${term} leads to no SPF record`
    case 'several-records':
      return `${term} leads to several SPF records`
    case 'malformed':
      return `${term} leads to an SPF record that is none`
    case 'loop':
      return `${term} leads back to a record that includes it`
    case 'too-many-mx':
      return `${term} stands for more than ten exchangers`
    case 'no-name':
      return `${term} names no domain`
    default:
      return `${term} cannot be followed to its end`
  }
}

function lookupBy(resolver: Pick<Resolver, 'resolve'>): SpfLookup {
  return {
    txt: async (name) => told(await resolver.resolve(nameFromHost(name), 'TXT'), ({ strings }) => txtText(strings)),
    mx: async (name) =>
      told(
        await resolver.resolve(nameFromHost(name), 'MX'),
        ({ exchange }) => hostFromName(exchange) ?? ('.' as HostName),
      ),
    ipv4: async (name) => told(await resolver.resolve(nameFromHost(name), 'A'), ({ address }) => address),
    ipv6: async (name) => told(await resolver.resolve(nameFromHost(name), 'AAAA'), ({ address }) => address),
  }
}

function told<T extends 'TXT' | 'MX' | 'A' | 'AAAA', Value>(
  resolution: Resolution<T>,
  read: (data: Extract<Resolution<T>, { kind: 'answer' }>['records'][number]['data']) => Value,
): SpfAnswer<readonly Value[]> {
  if (resolution.kind === 'failed') return { kind: 'failed', why: resolution.why }
  if (resolution.kind !== 'answer') return { kind: 'none' }
  return { kind: 'found', value: resolution.records.map(({ data }) => read(data)) }
}
