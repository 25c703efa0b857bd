/**
 * A name server that answers a plain query and not the same one with EDNS. FORMERR is the lawful answer of an old server; silence costs every
 * sender seconds, and without EDNS there is no DNSSEC. Page: docs/checks/ns-edns-breaks.md
 */
import { rcodeName, rcodes } from '../../../dns/types.ts'
import type { Direct, ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Severity, Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsEdnsBreaks = zoneRule({
  id: 'ns-edns-breaks',
  title: 'name server that does not bear EDNS',
  rfc: ['RFC 6891 §7', 'RFC 8906 §3.2.1'],
  needs: ['name-servers', 'dnssec'],
  examineZone: (zone) => zone.servers.flatMap((server) => ofServer(zone, server)),
})

function ofServer(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const broken = server.asked.find((direct) => isBrokenBy(direct, server))
  if (!broken) {
    const isHeard = server.asked.some(({ outcome }) => outcome.kind !== 'not-examined')
    return isHeard ? [] : notAskedBy(zone, server, server.asked)
  }
  const { outcome } = broken
  const code = outcome.kind === 'response' ? outcome.message.rcode : undefined
  const how = code === undefined ? 'gives no answer' : `answers ${rcodeName(code)}`
  const isSigned = zone.ds.kind === 'answer'
  // RFC 4035 §3: a server of a signed zone has to have EDNS.
  const severity: Severity = isSigned ? 'error' : code === rcodes.formErr ? 'notice' : 'warning'
  return [
    {
      kind: 'fault',
      severity,
      subject: serverSubject(zone, server),
      seen: `${serverText(server)} ${how} to ${broken.type} ${plainName(broken.name)} with EDNS, and answers the same without.`,
      why: isSigned
        ? 'The zone is signed, and signatures come with EDNS alone: validating resolvers take the answers of this server for forged.'
        : code === undefined
          ? 'Resolvers ask with EDNS first, wait in vain, and ask again; many no longer do.'
          : 'Resolvers have to ask twice, and it can never serve a signed zone.',
      remedy: {
        text: `Update the server software of ${plainName(server.name)}, and let the firewall in front of it pass packets with EDNS and of more than 512 octets.`,
      },
      ...(isSigned ? { rfc: ['RFC 6891 §7', 'RFC 4035 §3'] } : {}),
      data: { server: plainName(server.name), address: server.address, code: code ?? null },
    },
  ]
}

/** Only where the same question without EDNS was answered. */
function isBrokenBy(direct: Direct, server: ServerFacts): boolean {
  const { edns, outcome } = direct
  if (!edns) return false
  const isError =
    outcome.kind === 'response' &&
    [rcodes.formErr, rcodes.notImp, rcodes.badVers].some((code) => code === outcome.message.rcode)
  if (outcome.kind !== 'silence' && !isError) return false
  return server.asked.some(
    (other) =>
      !other.edns &&
      other.name === direct.name &&
      other.type === direct.type &&
      other.over === direct.over &&
      other.outcome.kind === 'response' &&
      [rcodes.noError, rcodes.nxDomain].some(
        (code) => other.outcome.kind === 'response' && code === other.outcome.message.rcode,
      ),
  )
}
