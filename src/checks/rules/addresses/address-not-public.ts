/**
 * An exchanger's address that not everybody reaches. A resolver inside a company may rightly show another one, so what the zone's own servers
 * say to the world counts before it. Page: docs/checks/address-not-public.md
 */
import { type IpAddress, isIpv6 } from '../../../base/ip.ts'
import type { ExchangerAddress, ExchangerFacts, Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { addressSubject, everyAddress, plainName, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { answerOf } from '../../server-answers.ts'
import { addressRecord, zoneName } from '../../wording.ts'

export const addressNotPublic: Rule = {
  id: 'address-not-public',
  title: 'address that not everybody reaches',
  rfc: ['RFC 6890 §2.2', 'RFC 6598', 'RFC 4193'],
  needs: [],

  examine(facts) {
    if (facts.examination.isPrivate) return []
    return everyAddress(facts).flatMap(({ exchanger, at }) => ofAddress(exchanger, at, facts))
  },
}

function ofAddress(exchanger: ExchangerFacts, at: ExchangerAddress, facts: Facts): Verdict[] {
  if (at.notPublic === undefined) return []
  const subject = addressSubject(exchanger, at.address)
  const name = plainName(exchanger.name)
  if (isLocalView(exchanger, at.address, facts)) {
    const why = `The resolver here says ${at.address}, and the name servers of ${name} say another address to the world: the exchanger was not looked at from outside.`
    return [{ kind: 'undecided', subject, reason: 'not-public', why }]
  }
  return [
    {
      kind: 'fault',
      severity: 'error',
      subject,
      seen: `${name} has the address ${at.address}, which is ${at.notPublic}.`,
      why: 'Senders cannot reach it: they wait until it fails, or find some machine in their own network.',
      remedy: {
        text: `Publish the public address of the mail server in place of it. For inside, keep the other in a zone that only the inside sees; or examine with --private.`,
        records: [
          `; remove: ${addressRecord(zoneName(exchanger.name), at.address)}`,
          `${zoneName(exchanger.name)} IN ${isIpv6(at.address) ? 'AAAA' : 'A'} <public address>`,
        ],
      },
      data: { exchanger: name, address: at.address, notPublic: at.notPublic },
    },
  ]
}

/** The authoritative servers answered, and none of them has this address. */
function isLocalView({ name, a, zone }: ExchangerFacts, address: IpAddress, facts: Facts): boolean {
  const owner = a.kind === 'answer' ? a.canonicalName : name
  const answers = (zoneNamed(facts, zone)?.servers ?? []).flatMap((server) => {
    const answer = answerOf(server, owner, isIpv6(address) ? 'AAAA' : 'A')
    return answer.kind === 'answer' || answer.kind === 'no-data' ? [answer.records.map(({ data }) => data.address)] : []
  })
  return answers.length > 0 && !answers.some((addresses) => addresses.includes(address))
}
