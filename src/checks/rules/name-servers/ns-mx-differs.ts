/**
 * The name servers disagree about the MX set: some have none, or another one. Order, letter case and TTL do not count.
 * Pages: docs/checks/ns-mx-presence-differs.md, docs/checks/ns-mx-data-differs.md
 */
import { nameFromHost } from '../../../dns/wire-name.ts'
import type { Facts, ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { domainSubject, plainName } from '../../read-facts.ts'
import { answerOf, isAuthoritative, mxKey, serialOf } from '../../server-answers.ts'
import { listed, serverText, zoneName } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsMxPresenceDiffers = zoneRule({
  id: 'ns-mx-presence-differs',
  title: 'MX records missing on some name servers',
  rfc: ['RFC 1034 §4.3.5'],

  examineZone(zone, facts) {
    const { sets, gaps } = setsOf(zone, facts)
    const having = sets.filter(({ records }) => records.length > 0)
    const lacking = sets.filter(({ records }) => records.length === 0)
    if (having.length === 0 || lacking.length === 0) return sets.length < 2 ? gaps : []
    const isMoving = new Set(sets.map(({ serial }) => serial)).size > 1
    return [
      {
        kind: 'fault',
        // Copies of different age: a transfer may be under way.
        severity: isMoving ? 'warning' : 'error',
        subject: domainSubject(facts),
        seen: `${told(lacking)} ${lacking.length > 1 ? 'have' : 'has'} no MX records of ${facts.domain}; ${told(having)} ${having.length > 1 ? 'have' : 'has'}.${isMoving ? ' Their serials differ, so a transfer may be under way.' : ''}`,
        why: 'Senders that happen to ask the wrong server go to the address of the domain, or give up at once: mail comes back as undeliverable.',
        remedy: remedyOf(lacking),
        data: { lacking: lacking.map(({ server }) => server.address), serials: serialsOf(sets) },
      },
    ]
  },
})

export const nsMxDataDiffers = zoneRule({
  id: 'ns-mx-data-differs',
  title: 'name servers have different MX records',
  rfc: ['RFC 1034 §4.3.5'],

  examineZone(zone, facts) {
    const { sets, gaps } = setsOf(zone, facts)
    const having = sets.filter(({ records }) => records.length > 0)
    const bySet = new Map<string, Answered[]>()
    for (const one of having) {
      const key = one.records.join('\n')
      bySet.set(key, [...(bySet.get(key) ?? []), one])
    }
    if (bySet.size < 2) return having.length < 2 ? gaps : []
    // Most have it right; of equals the newest serial.
    const groups = [...bySet.values()].sort((one, other) => other.length - one.length)
    const parts = groups.map((group) => `${told(group)}: ${listed(group[0]?.shown ?? [])}`)
    const isMoving = new Set(having.map(({ serial }) => serial)).size > 1
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: domainSubject(facts),
        seen: `The MX set of ${facts.domain} differs between its name servers. ${parts.join('. ')}.${isMoving ? ' Their serials differ, so a transfer may be under way.' : ''}`,
        why: 'Part of the senders goes to other exchangers than the rest, and which ones changes with every look-up.',
        remedy: remedyOf(groups.slice(1).flat()),
        data: { sets: groups.map((group) => [...(group[0]?.shown ?? [])]), serials: serialsOf(having) },
      },
    ]
  },
})

interface Answered {
  readonly server: ServerFacts
  readonly serial: number | undefined
  /** As they compare, sorted; none where it says that there are none. */
  readonly records: readonly string[]
  /** For people. */
  readonly shown: readonly string[]
}

/** Servers that speak for the zone. An alias is another matter (`alias-with-other-data`). */
function setsOf(zone: ZoneFacts, { domain }: Facts): { readonly sets: readonly Answered[]; readonly gaps: Verdict[] } {
  const name = nameFromHost(domain)
  const gaps: Verdict[] = []
  const sets = zone.servers.flatMap((server): Answered[] => {
    const answer = answerOf(server, name, 'MX')
    if (answer.kind === 'not-examined') gaps.push(...notAskedBy(zone, server, server.asked))
    if (!('records' in answer) || !isAuthoritative(answer) || answer.aliases.length > 0) return []
    const records = answer.kind === 'answer' ? answer.records.map(mxKey).sort() : []
    const shown =
      answer.kind === 'answer'
        ? answer.records.map(({ data }) => `${data.preference} ${zoneName(data.exchange)}`).sort()
        : []
    return [{ server, serial: serialOf(server, zone), records, shown }]
  })
  return { sets, gaps }
}

const told = (sets: readonly Answered[]) =>
  listed(sets.map(({ server, serial }) => `${serverText(server)}${serial === undefined ? '' : `, serial ${serial}`}`))

const serialsOf = (sets: readonly Answered[]) =>
  Object.fromEntries(sets.map(({ server, serial }) => [server.address, serial ?? null]))

const remedyOf = (wrong: readonly Answered[]) => ({
  text: `See that ${listed([...new Set(wrong.map(({ server }) => plainName(server.name)))])} transfer${wrong.length > 1 ? '' : 's'} the zone: raise the serial in its SOA record, send NOTIFY, and look into the logs. If the serials are to become equal by themselves, ask again after the refresh time of the SOA record.`,
})
