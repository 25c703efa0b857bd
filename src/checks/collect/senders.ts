/** What lets the domain send: SPF, DKIM, DMARC, BIMI. Only gathered; the rules read the records. */

import { getDomain } from 'tldts'
import { type HostName, isWithin, parseName } from '../../dns/name.ts'
import { nameFromHost, type WireName } from '../../dns/wire-name.ts'
import { type DmarcAnswer, discoverDmarcByTree } from '../../records/dmarc-discovery.ts'
import type { DkimFacts, DmarcFacts, NamedView, View } from '../facts.ts'
import { textsOf } from '../read-facts.ts'
import { type Inquiry, notExamined } from './inquiry.ts'
import { below } from './questions.ts'

export async function collectDkim(domain: WireName, inquiry: Inquiry): Promise<DkimFacts> {
  const { dkimSelectors } = inquiry.options
  const [parent, selectors] = await Promise.all([
    seeBelow(domain, ['_domainkey'], inquiry),
    Promise.all(
      dkimSelectors.map(async (selector) => ({
        selector,
        txt: await seeBelow(domain, [...selector.split('.'), '_domainkey'], inquiry),
      })),
    ),
  ])
  const none = notExamined('not-wanted', 'Selectors cannot be listed, and none were named.')
  return { parent, selectors: dkimSelectors.length > 0 ? selectors : none }
}

/** RFC 9989 §4.10: the domain itself; where it has no record that counts, its parents, one after the other. */
export async function collectDmarc(domain: HostName, inquiry: Inquiry): Promise<DmarcFacts> {
  const walk: NamedView<'TXT'>[] = []
  const discovery = await discoverDmarcByTree(domain, async (host) => {
    const name = nameFromHost(host)
    const view = await inquiry.view(name, 'TXT')
    walk.push({ name, type: 'TXT', view })
    return dmarcAnswer(view)
  })
  const [own] = walk
  const reportConsents = await Promise.all(
    (own ? foreignDestinations(own.view, domain) : []).map(async (destination) => ({
      destination,
      txt: await seeBelow(nameFromHost(destination), [...domain.split('.'), '_report', '_dmarc'], inquiry),
    })),
  )
  return { walk, discovery, reportConsents }
}

/** What a view says to the walk. */
export function dmarcAnswer(view: View<'TXT'>): DmarcAnswer {
  if (view.kind === 'answer') return { kind: 'found', texts: textsOf(view).map((text) => text.toString('latin1')) }
  if (view.kind === 'failed' || view.kind === 'not-examined') return { kind: 'failed', why: view.why }
  return { kind: 'none' }
}

export function seeBelow(
  name: WireName,
  labels: readonly string[],
  inquiry: Inquiry,
): Promise<View<'TXT'>> | View<'TXT'> {
  const whole = below(name, ...labels)
  return whole ? inquiry.view(whole, 'TXT') : notExamined('not-applicable', 'The name would be too long for DNS.')
}

const mostDestinations = 5

/** RFC 9990: who gets reports of another organisation must have agreed. */
function foreignDestinations(view: View<'TXT'>, domain: HostName): readonly HostName[] {
  const own = getDomain(domain) ?? domain
  return mailtoDomains(view, /^v=DMARC1\b/i).filter((one) => (getDomain(one) ?? one) !== own && !isWithin(one, domain))
}

/** RFC 5321 §4.5.3.1.1 has 64; escaped as a URI has it, each octet takes three. */
const longestLocalPart = 192
const longestDomain = 255

/** The domains of `mailto:` destinations in records that begin so, each once. */
export function mailtoDomains(view: View<'TXT'>, begins: RegExp): readonly HostName[] {
  const domains = new Set<HostName>()
  for (const text of view.kind === 'answer' ? textsOf(view).map((octets) => octets.toString('latin1')) : []) {
    if (!begins.test(text)) continue
    // Cut where a destination ends, so that no octet is looked at once for each "mailto:" before it: a TXT may have 64 KiB.
    for (const piece of text.split(/[,;\s]/)) {
      const domain = destinationOf(piece)
      const parsed = domain === undefined ? undefined : parseName(domain)
      if (parsed?.kind === 'name') domains.add(parsed.name)
      if (domains.size === mostDestinations) return [...domains]
    }
  }
  return [...domains]
}

/** What stands behind the `@` of a `mailto:`, up to a size limit (`!`) or what a URI adds (`?`). */
function destinationOf(piece: string): string | undefined {
  const at = piece.indexOf('@')
  if (at < 0 || !/mailto:/i.test(piece.slice(Math.max(0, at - longestLocalPart - 'mailto:'.length), at)))
    return undefined
  const domain = /^[^!?]*/.exec(piece.slice(at + 1, at + 2 + longestDomain))?.[0] ?? ''
  return domain.length > longestDomain ? undefined : domain
}
