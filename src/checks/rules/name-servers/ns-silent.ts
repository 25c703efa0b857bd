/**
 * A name server that gives no answer to SOA over UDP. Resolvers ask another, after a wait; with all of them silent nobody finds the domain.
 * Page: docs/checks/ns-silent.md
 */
import type { ServerFacts, ZoneFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { directs, plainName, serverSubject } from '../../read-facts.ts'
import { serverText } from '../../wording.ts'
import { zoneRule } from './zone-rule.ts'

export const nsSilent = zoneRule({
  id: 'ns-silent',
  title: 'name server that does not answer',
  rfc: ['RFC 8906 §3.1.1', 'RFC 1034 §4.1'],

  examineZone(zone) {
    const silent = zone.servers.filter(isSilent)
    // Servers that could not be asked are no reason to say that all are silent.
    const isAll = silent.length === zone.servers.length
    return [
      ...silent.map((server) => ofSilent(zone, server, isAll)),
      ...zone.servers.flatMap((server) => notAsked(zone, server)),
    ]
  },
})

function ofSilent(zone: ZoneFacts, server: ServerFacts, isAll: boolean): Verdict {
  return {
    kind: 'fault',
    severity: isAll ? 'error' : 'warning',
    subject: serverSubject(zone, server),
    seen: `${serverText(server)} gives no answer over UDP to SOA ${plainName(zone.apex)}.`,
    why: isAll
      ? 'No name server of the zone answers, so no sender finds where the mail goes.'
      : 'Senders that ask this server first wait seconds for the next one, and one server less is left when another fails.',
    remedy: {
      text: `See that ${plainName(server.name)} runs and that UDP port 53 of ${server.address} is reachable, or take it out of the NS set of ${plainName(zone.apex)} and of its delegation.`,
    },
    data: { zone: plainName(zone.apex), server: plainName(server.name), address: server.address },
  }
}

function isSilent(server: ServerFacts): boolean {
  const asked = directs(server, { type: 'SOA', over: 'udp' }).filter(({ outcome }) => outcome.kind !== 'not-examined')
  return asked.length > 0 && asked.every(({ outcome }) => outcome.kind === 'silence' || outcome.kind === 'unreachable')
}

/** Once for each server: the other rules leave what was not asked out. */
function notAsked(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const skipped = server.asked.find(({ outcome }) => outcome.kind === 'not-examined')
  return skipped?.outcome.kind === 'not-examined' ? [undecided(serverSubject(zone, server), skipped.outcome)] : []
}
