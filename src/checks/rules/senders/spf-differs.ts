/** Name servers of the domain that give different SPF records: mail passes or not by which of them was asked. Page: docs/checks/spf-differs.md */
import { printable } from '../../../base/printable.ts'
import { nameFromHost } from '../../../dns/wire-name.ts'
import { selectSpf } from '../../../records/spf.ts'
import type { Facts, ServerFacts } from '../../facts.ts'
import type { Subject } from '../../finding.ts'
import { directs, plainName, readingOf, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { noZone } from '../name-servers/zone-rule.ts'

export const spfDiffers: Rule = {
  id: 'spf-differs',
  title: 'name servers with different SPF records',
  rfc: ['RFC 1034 §4.3.5'],
  needs: ['name-servers', 'senders'],
  examine(facts) {
    const zone = zoneNamed(facts, facts.zone)
    const subject: Subject = { kind: 'record', name: facts.domain, type: 'TXT' }
    const { txt } = facts.spf
    if (!zone) return noZone(facts)
    // One server has nobody to differ from; the rules about name servers say why there are none.
    if (zone.servers.length < 2) return []
    const known = zone.servers.flatMap((server) => {
      const policy = policyAt(facts, server)
      return policy === undefined ? [] : [{ server, policy }]
    })
    if (known.length < 2) {
      const why = 'Fewer than two name servers have said what their TXT records are.'
      return txt.kind === 'not-examined' ? [] : [{ kind: 'undecided', subject, reason: 'no-answer', why }]
    }
    const byPolicy = Map.groupBy(known, ({ policy }) => policy)
    if (byPolicy.size < 2) return []
    const told = [...byPolicy].slice(0, 5).map(([policy, at]) => {
      const servers = at.map(({ server }) => `${plainName(server.name)} (${server.address})`).slice(0, 10)
      return `${policy === '' ? 'none' : `"${printable(policy, 200)}"`} from ${servers.join(', ')}`
    })
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `The name servers of ${plainName(zone.apex)} give different SPF records: ${told.join('; ')}.`,
        why: 'Mail of the domain passes or fails by which server a receiver happens to ask.',
        remedy: {
          text: 'See that every server has loaded the newest zone: compare the serial numbers, and the log of transfers.',
        },
        data: { policies: byPolicy.size },
      },
    ]
  },
}

/** Without regard to case and order; undefined where the server has not answered. */
function policyAt(facts: Facts, server: ServerFacts): string | undefined {
  const asked = directs(server, { name: nameFromHost(facts.domain), type: 'TXT' })
  for (const direct of asked) {
    // RFC 2181 §9: what is truncated says nothing.
    if (direct.outcome.kind !== 'response' || direct.outcome.message.truncated) continue
    const reading = readingOf(direct)
    if (reading?.kind !== 'answer' && reading?.kind !== 'no-data' && reading?.kind !== 'no-such-name') continue
    const texts = reading.records.flatMap(({ data }) =>
      data.type === 'TXT' ? [Buffer.concat(data.strings).toString('latin1')] : [],
    )
    const selected = selectSpf(texts)
    if (selected.kind === 'none') return ''
    const found = selected.kind === 'one' ? [selected.text] : selected.texts
    return found
      .map((text) => text.trim().toLowerCase())
      .sort()
      .join(' + ')
  }
  return undefined
}
