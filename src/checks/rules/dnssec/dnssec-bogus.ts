/**
 * Validation fails for a name that the mail depends on, and every validating resolver answers SERVFAIL. Told once for each zone, with the
 * cause as far as the zone's own servers show it. The proof that there is nothing is told by `dnssec-denial-broken`.
 * Page: docs/checks/dnssec-bogus.md
 */
import { typeCodes } from '../../../dns/types.ts'
import type { WireName } from '../../../dns/wire-name.ts'
import { isInForce, keyTagOf } from '../../dnssec-facts.ts'
import type { Facts, NamedView, ZoneFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { domainSubject, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { listed } from '../../wording.ts'
import { bogusWord, isDenialBogus, whyNotBogus } from './bogus-view.ts'
import { bogusByZone } from './mail-path.ts'

export const dnssecBogus: Rule = {
  id: 'dnssec-bogus',
  title: 'DNSSEC validation fails',
  rfc: ['RFC 4035 §4.3', 'RFC 4035 §5'],
  needs: ['dnssec', 'name-servers', 'tlsa', 'mta-sts'],

  examine(facts) {
    const { sure, unsure } = bogusByZone(facts, (view) => !isDenialBogus(view))
    if (sure.size > 0) return [...sure].map(([apex, views]) => fault(apex, views, facts))
    return cannotTell(facts, unsure)
  },
}

/** Without a resolver that validates nobody knows. @param unsure  look-ups that failed, and not for certain by validation */
export function cannotTell(facts: Facts, unsure: readonly NamedView[]): Verdict[] {
  const { validation } = facts.vantage
  if (unsure.length > 0) {
    const unknown = { kind: 'undecided', subject: domainSubject(facts), reason: 'lookup-failed' } as const
    return [{ ...unknown, why: whyNotBogus(unsure) }]
  }
  if (validation === 'trusted' || validation === 'remote' || facts.mx.kind === 'no-such-name') return []
  const why =
    validation === 'none'
      ? 'The resolver does not validate DNSSEC.'
      : 'It was not found out whether the resolver validates DNSSEC.'
  return [undecided(domainSubject(facts), { kind: 'not-examined', reason: 'not-validating', why })]
}

function fault(apex: WireName, views: readonly NamedView[], facts: Facts): Verdict {
  const zone = facts.zones.find((one) => one.apex === apex)
  const names = views.map(({ type, name }) => `${type} ${plainName(name)}`)
  const words = views.flatMap(({ view }) => (view.kind === 'failed' ? (bogusWord(view) ?? []) : []))
  const cause = (zone && causeOf(zone, facts)) ?? (words[0] ? `The resolver says: ${words[0]}.` : '')
  return {
    kind: 'fault',
    severity: 'error',
    subject: { kind: 'zone', name: plainName(apex) },
    seen: `The resolver answers SERVFAIL to ${listed(names)}; without validation (CD) the answer comes. ${cause}`.trim(),
    why: 'To every sender whose resolver validates, these names cannot be looked up: the mail waits, and after some days it comes back.',
    remedy: {
      text: `Sign the zone ${plainName(apex)} anew, or correct the DS records at the registrar; if neither can be done at once, remove the DS records, which turns DNSSEC off for it after their TTL.`,
    },
    data: { zone: plainName(apex), names, causes: words },
  }
}

/** What the servers of the zone show: DS without a key, signatures that are over or missing. */
function causeOf(zone: ZoneFacts, { startedAtMs }: Facts): string | undefined {
  const messages = zone.servers.flatMap(({ asked }) =>
    asked.flatMap(({ type, edns, outcome }) =>
      edns && outcome.kind === 'response' ? [{ type, message: outcome.message }] : [],
    ),
  )
  const keys = messages.flatMap(({ message }) =>
    message.answers.flatMap(({ data }) => (data.type === 'DNSKEY' ? [data] : [])),
  )
  const tags = new Set(keys.map(keyTagOf))
  const ds = recordsOf(zone.ds).map(({ data }) => data)
  if (ds.length > 0 && keys.length > 0 && !ds.some(({ keyTag }) => tags.has(keyTag)))
    return `The DS records at the parent are for the key${ds.length > 1 ? 's' : ''} ${listed(ds.map(({ keyTag }) => String(keyTag)))}, and the zone has ${listed([...tags].map(String))}.`
  const signatures = messages.flatMap(({ message }) =>
    message.answers.flatMap(({ data }) => (data.type === 'RRSIG' ? [data] : [])),
  )
  const mx = messages.find(({ type, message }) => type === 'MX' && message.answers.length > 0)
  if (
    ds.length > 0 &&
    mx &&
    !mx.message.answers.some(({ data }) => data.type === 'RRSIG' && data.covered === typeCodes.MX)
  )
    return 'The MX records have no signature.'
  if (signatures.length > 0 && signatures.every((signature) => !isInForce(signature, startedAtMs)))
    return 'The signatures are over, or not yet valid.'
  return undefined
}
