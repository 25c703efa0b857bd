/**
 * How long the MX set may be kept, as its own servers say: a resolver, and a cache in front of a server, count down. Page:
 * docs/checks/mx-ttl-extreme.md
 */
import { nameFromHost } from '../../../dns/wire-name.ts'
import { domainSubject, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { answerOf, isAuthoritative } from '../../server-answers.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { duration } from '../../wording.ts'
import { noZone } from '../name-servers/zone-rule.ts'

const leastSeconds = 60
/** RFC 8767 §4: what resolvers should keep at most. */
const mostSeconds = 7 * 86_400

export const mxTtlExtreme: Rule = {
  id: 'mx-ttl-extreme',
  title: 'MX records are kept for too short or too long',
  rfc: ['RFC 8767 §4', 'RFC 1912 §2.2'],
  needs: ['name-servers'],

  examine(facts) {
    const subject = domainSubject(facts)
    if (facts.mx.kind !== 'answer') return undecidedBy(subject, 'MX', facts.mx)
    const zone = zoneNamed(facts, facts.zone)
    if (!zone) return noZone(facts)
    const ttls = zone.servers.flatMap((server) => {
      const answer = answerOf(server, nameFromHost(facts.domain), 'MX')
      return answer.kind === 'answer' && isAuthoritative(answer)
        ? answer.records.map(({ ttlSeconds }) => ttlSeconds)
        : []
    })
    if (ttls.length === 0) {
      // Behind an alias the records are of another zone.
      if (facts.mx.aliases.length > 0) return []
      return [
        {
          kind: 'undecided',
          subject,
          reason: 'no-answer',
          why: 'No name server of the zone gave the MX records itself.',
        },
      ]
    }
    const ttl = Math.max(...ttls)
    if (ttl >= leastSeconds && ttl <= mostSeconds) return []
    const isShort = ttl < leastSeconds
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `The name servers of ${facts.domain} let its MX records be kept for ${duration(ttl)} (TTL ${ttl}).`,
        why: isShort
          ? 'Senders ask again for nearly every message: each name server that is slow or down is felt at once.'
          : 'A change of the exchangers takes as long to reach everybody; resolvers cut it to a week at most.',
        remedy: {
          text: `Set the TTL of the MX records to ${isShort ? 'an hour' : 'a day or less'}; shorten it to some minutes only around a move.`,
          settings: [`TTL ${isShort ? 3600 : 86_400}`],
        },
        data: { ttlSeconds: ttl },
      },
    ]
  },
}
