/**
 * The address by IPv4 is found, and the question for IPv6 gets an error, NXDOMAIN or silence in place of "there is none". Senders lose
 * seconds, or the host. Page: docs/checks/aaaa-query-fails.md
 */
import { rcodeName } from '../../../dns/types.ts'
import type { ExchangerFacts, Facts, ServerFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { exchangerSubject, plainName, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { answerOf, isEdnsRefusal } from '../../server-answers.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, serverText } from '../../wording.ts'
import { isBogus } from '../dnssec/bogus-view.ts'

export const aaaaQueryFails: Rule = {
  id: 'aaaa-query-fails',
  title: 'look-up of the IPv6 address fails',
  rfc: ['RFC 4074', 'RFC 8906 §3.1.2'],
  needs: [],
  examine: (facts) => facts.exchangers.flatMap((exchanger) => ofExchanger(exchanger, facts)),
}

function ofExchanger(exchanger: ExchangerFacts, facts: Facts): Verdict[] {
  const { a, aaaa, name } = exchanger
  if (a.kind !== 'answer') return []
  const subject = exchangerSubject(exchanger)
  const host = plainName(name)
  const broken = brokenServers(exchanger, facts)
  const isOurs = aaaa.kind === 'failed' && (aaaa.reason === 'unreachable' || aaaa.reason === 'refused')
  const ofResolver =
    aaaa.kind === 'failed' && !isOurs && !isBogus(aaaa)
      ? [`The look-up of AAAA ${host} fails: ${aaaa.why}.`]
      : aaaa.kind === 'no-such-name'
        ? [`AAAA ${host} is answered with NXDOMAIN, as if the name did not exist.`]
        : []
  const seen = [...ofResolver, ...(broken.length > 0 ? [`${listed(broken, 4)} to AAAA ${host}.`] : [])]
  // Failed validation is another fault.
  if (seen.length === 0) return aaaa.kind === 'failed' && isBogus(aaaa) ? [] : undecidedBy(subject, 'AAAA', aaaa)
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject,
      seen: `A ${host} is answered well. ${seen.join(' ')}`,
      why:
        aaaa.kind === 'no-such-name'
          ? 'A resolver that has heard that the name does not exist gives no IPv4 address either (RFC 8020), and the host is lost.'
          : 'Senders that ask for both wait for it with each message; some put the mail back until both are answered.',
      remedy: {
        text: `Update the name servers of ${host}, or the load balancer that answers for it: a type without records is answered with NOERROR and no data.`,
      },
      data: { exchanger: host, servers: broken },
    },
  ]
}

/** Each as "ns1 … gives no answer". */
function brokenServers({ a, name, zone: apex }: ExchangerFacts, facts: Facts): readonly string[] {
  const zone = zoneNamed(facts, apex)
  const owner = a.kind === 'answer' ? a.canonicalName : name
  return (zone?.servers ?? []).flatMap((server) => {
    if (answerOf(server, owner, 'A').kind !== 'answer') return []
    const how = howBroken(server, owner)
    return how ? [`${serverText(server)} ${how}`] : []
  })
}

function howBroken(server: ServerFacts, owner: ExchangerFacts['name']): string | undefined {
  const answer = answerOf(server, owner, 'AAAA')
  if (answer.kind === 'silence') return 'gives no answer'
  if (answer.kind === 'no-such-name') return 'answers NXDOMAIN'
  return answer.kind === 'refused' && !isEdnsRefusal(answer.direct)
    ? `answers ${rcodeName(answer.message.rcode)}`
    : undefined
}
