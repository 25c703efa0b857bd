/**
 * What is live of a domain as text of waypost.yaml: a provider's name where the catalogue has the very set, hosts where it has not. What is written is
 * what a plan finds nothing to change about. Pure; called by `waypost import dns` and `waypost init`.
 */

import { printable } from '../../base/printable.ts'
import { type HostName, withoutDoubledOrigin } from '../../dns/name.ts'
import { recognise } from '../../records/catalogue/recognise.ts'
import { recordsFor } from '../../records/catalogue/records-for.ts'
import { sameExchangers } from '../sets/mx-set.ts'
import type { LiveDomain, LiveExchanger, LiveMx } from './live-domain.ts'

/** The longest TTL that can be declared: 7 days. */
const mostTtlSeconds = 604_800

/** @returns lines of the entry under `domains:`, indented by two blanks */
export function declarationLines(live: LiveDomain, publisher: string | undefined): string[] {
  const { domain, mx, texts, notes, isSecondHand } = live
  const lines = [`  ${key(domain)}:`]
  for (const note of notes) lines.push(`    # ${printable(note, 300)}`)
  if (mx === undefined)
    lines.push('    # It has no MX records: its mail goes to its own address, if that has a server (RFC 5321 §5.1).')
  else lines.push(...exchangerLines(mx, domain))
  const ttlSeconds = isSecondHand ? undefined : mx?.ttlSeconds
  if (isSecondHand)
    lines.push(
      '    # Its own name servers could not be asked. A resolver said this, and what it has left of the TTLs says nothing: write the TTL here.',
      '    # ttl: 1h',
    )
  if (ttlSeconds !== undefined && ttlSeconds > mostTtlSeconds)
    lines.push(`    # The live TTL is ${ttlSeconds} s; the longest that makes sense is a week.`)
  if (ttlSeconds !== undefined) lines.push(`    ttl: ${spanWord(Math.min(ttlSeconds, mostTtlSeconds))}`)
  const asIs = texts.filter((text) => text.isShared || ttlSeconds === undefined || text.ttlSeconds === ttlSeconds)
  const others = texts.filter((text) => !asIs.includes(text))
  if (asIs.length > 0) lines.push('    records:')
  // An entry that declares nothing would be one that takes mail.
  else if (mx === undefined) lines.push('    records: {} # none yet')
  for (const { kind, text } of asIs) lines.push(`      ${kind}: ${quoted(text)}`)
  if (others.length > 0) lines.push('    # These have a TTL of their own, which declaring them would change:')
  for (const { kind, text, ttlSeconds: own } of others) lines.push(`    #   ${kind}: ${quoted(text)}   (${own} s)`)
  lines.push(
    publisher === undefined
      ? '    # publish: where the records are kept, a name under publishers:'
      : `    publish: ${publisher}`,
  )
  return lines
}

function exchangerLines({ exchangers }: LiveMx, domain: HostName): string[] {
  if (exchangers.every(({ host }) => host === '.'))
    return ['    exchangers: none # a null MX: it takes no mail (RFC 7505)']
  // RFC 7505 §3: beside others it says nothing.
  const named = exchangers.filter(({ host }) => host !== '.')
  const dropped = named.length < exchangers.length ? ['    # A null MX stood beside these, where it says nothing.'] : []
  const recognised = recognise(named)
  if (recognised.kind === 'unknown') return [...dropped, '    exchangers:', ...listLines(named, domain)]
  const { provider, parameters, completeness } = recognised
  const given = Object.entries(parameters)
  const published = recordsFor(provider.id, parameters)
  // Only where the catalogue would publish the very same, number for number.
  if (completeness === 'complete' && published.kind === 'records' && sameExchangers(published.records, named)) {
    const value =
      given.length === 0
        ? provider.id
        : `{ provider: ${provider.id}, ${given.map(([name, word]) => `${name}: ${quoted(word)}`).join(', ')} }`
    return [...dropped, `    exchangers: ${value} # ${printable(provider.name, 100)}`]
  }
  const what = {
    complete: 'with numbers or a form of its own',
    partial: `of which some are missing: ${recognised.missing.map(({ host }) => host).join(', ')}`,
    mixed: 'among others',
    'not-compared': 'in a form that is not known here',
  }[completeness]
  return [
    ...dropped,
    `    # These are hosts of ${printable(provider.name, 100)}, ${what}.`,
    '    exchangers:',
    ...listLines(named, domain),
  ]
}

const listLines = (exchangers: readonly LiveExchanger[], domain: HostName): string[] =>
  exchangers
    .toSorted((one, other) => one.preference - other.preference || (one.host < other.host ? -1 : 1))
    .map(({ preference, host, addresses }) => {
      const also = addresses ? `, addresses: [${addresses.map((address) => `"${address}"`).join(', ')}]` : ''
      const undoubled = withoutDoubledOrigin(host, domain)
      const doubt = undoubled ? ` # ends in ${domain} twice: is ${undoubled} meant? A final dot is missing then` : ''
      return `      - { preference: ${preference}, host: ${quoted(host)}${also} }${doubt}`
    })

/** Names such as `null.example` need no quotes; one that begins with a digit, or has nothing but letters, may. */
const key = (domain: string) => (/^[a-z][a-z0-9-]*\.[a-z0-9.-]*[a-z]$/.test(domain) ? domain : quoted(domain))

/** `${` stands for a secret from the environment; escaped as YAML has it, it is what it is. */
const quoted = (text: string) => JSON.stringify(text).replaceAll('${', '\\u0024{')

/** `1h`, `90s`. */
export function spanWord(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const)
    if (seconds > 0 && seconds % size === 0) return `${seconds / size}${unit}`
  return `${seconds}s`
}
