/**
 * A name server that cannot bear questions for TLSA or CAA: in a signed zone senders with DANE then defer the mail, in an unsigned one they
 * should not ask. Page: docs/checks/ns-type-breaks.md
 */
import { rcodeName } from '../../../dns/types.ts'
import { sameName, type WireName } from '../../../dns/wire-name.ts'
import type { ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import { answerOf, isEdnsRefusal, isHeard, type ServerAnswer } from '../../server-answers.ts'
import { listed, serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsTypeBreaks = zoneRule({
  id: 'ns-type-breaks',
  title: 'name server that breaks at TLSA or CAA',
  rfc: ['RFC 8906 §3.1.2', 'RFC 7672 §2.1.2', 'RFC 7672 §2.2.2'],
  needs: ['name-servers', 'tlsa', 'caa', 'dnssec'],
  examineZone: (zone) => zone.servers.flatMap((server) => ofServer(zone, server)),
})

function ofServer(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const soa = answerOf(server, zone.apex, 'SOA')
  // What it does to every question is told by `ns-silent` and `ns-not-authoritative`.
  if (!isHeard(server) || soa.kind !== 'answer') return []
  const questions = distinctQuestions(server)
  const broken = questions.flatMap(({ name, type }) => {
    const how = brokenHow(answerOf(server, name, type), name, type, server, zone)
    return how ? [`${how} to ${type} ${plainName(name)}`] : []
  })
  if (broken.length === 0) {
    const skipped = server.asked.filter(({ type }) => type === 'TLSA' || type === 'CAA')
    return notAskedBy(zone, server, skipped)
  }
  const isSigned = zone.ds.kind === 'answer'
  return [
    {
      kind: 'fault',
      severity: isSigned ? 'error' : 'notice',
      subject: serverSubject(zone, server),
      seen: `${serverText(server)} ${listed(broken, 4)}.`,
      why: isSigned
        ? 'The zone is signed, so senders with DANE ask for TLSA; when that fails they must not deliver to the host, and the mail waits.'
        : 'Some senders ask for TLSA all the same, and authorities ask for CAA before they issue a certificate: they take the failure for a reason to stop.',
      remedy: {
        text: `Update the server software of ${plainName(server.name)}, or whatever in front of it knows a few record types alone: types without records are answered with NOERROR and no data.`,
      },
      data: { server: plainName(server.name), address: server.address, broken },
    },
  ]
}

function distinctQuestions(server: ServerFacts) {
  const found: { readonly name: WireName; readonly type: 'TLSA' | 'CAA' }[] = []
  for (const { name, type } of server.asked)
    if ((type === 'TLSA' || type === 'CAA') && !found.some((one) => one.type === type && sameName(one.name, name)))
      found.push({ name, type })
  return found
}

/** Continues "ns1 …", before "to TLSA …". */
function brokenHow(
  answer: ServerAnswer,
  name: WireName,
  type: 'TLSA' | 'CAA',
  server: ServerFacts,
  zone: ZoneFacts,
): string | undefined {
  if (answer.kind === 'silence') return 'gives no answer'
  if (answer.kind === 'refused' && !isEdnsRefusal(answer.direct)) return `answers ${rcodeName(answer.message.rcode)}`
  // A record that another server has, or a host that this one has itself: then the name exists, and NXDOMAIN is wrong.
  if (answer.kind !== 'no-such-name') return undefined
  const isThere =
    type === 'CAA'
      ? answerOf(server, name, 'A').kind === 'answer' || answerOf(server, name, 'AAAA').kind === 'answer'
      : zone.servers.some((other) => answerOf(other, name, 'TLSA').kind === 'answer')
  return isThere ? 'answers NXDOMAIN, although the name exists,' : undefined
}
