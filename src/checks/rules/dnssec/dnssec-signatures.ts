/**
 * Signatures as each authoritative server sends them: near their end everywhere, or missing and over on some servers alone.
 * Pages: docs/checks/dnssec-signature-ends-soon.md, docs/checks/dnssec-server-unsigned.md
 */
import type { Rrsig } from '../../../dns/rdata.ts'
import { typeCodes, typeName } from '../../../dns/types.ts'
import { isInForce, secondsLeft, signaturesOver } from '../../dnssec-facts.ts'
import type { Facts, ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { isAuthoritative, readDirect } from '../../server-answers.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { duration, listed, serverText } from '../../wording.ts'
import { ofEveryZone } from '../name-servers/zone-rule.ts'

const soonSeconds = 3 * 86_400
/** Online signers use lives of a day or two: what is left is compared with its own life as well. */
const soonShare = 0.25

export const dnssecSignatureEndsSoon: Rule = {
  id: 'dnssec-signature-ends-soon',
  title: 'DNSSEC signature ends soon',
  rfc: ['RFC 6781 §4.4.2.2'],
  needs: ['dnssec', 'name-servers'],

  examine: (facts) =>
    ofEveryZone(facts, (zone): Verdict[] => {
      const subject = { kind: 'zone', name: plainName(zone.apex) } as const
      if (zone.ds.kind !== 'answer') return undecidedBy(subject, 'DS', zone.ds)
      const ending = zone.servers
        .flatMap((server) => signaturesOf(server).map((signature) => ({ server, signature })))
        .filter(({ signature }) => endsSoon(signature, facts))
        .sort(
          (one, other) =>
            secondsLeft(one.signature, facts.startedAtMs) - secondsLeft(other.signature, facts.startedAtMs),
        )
      const [first] = ending
      if (!first) return []
      const left = secondsLeft(first.signature, facts.startedAtMs)
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject,
          seen: `The signature over ${typeName(first.signature.covered)} in the zone ${plainName(zone.apex)} ends in ${duration(left)}, as ${serverText(first.server)} sends it.`,
          why: 'When it is over, every resolver that validates takes the records for forged, and mail from there waits.',
          remedy: {
            text: `Look why the zone is not signed anew: the signer does not run, its keys cannot be read, or the server does not get the new copy.`,
          },
          data: {
            zone: plainName(zone.apex),
            type: typeName(first.signature.covered),
            secondsLeft: left,
            server: first.server.address,
          },
        },
      ]
    }),
}

export const dnssecServerUnsigned: Rule = {
  id: 'dnssec-server-unsigned',
  title: 'name server without signatures',
  rfc: ['RFC 4035 §3.1'],
  needs: ['dnssec', 'name-servers'],

  examine: (facts) =>
    ofEveryZone(facts, (zone): Verdict[] => {
      if (zone.ds.kind !== 'answer') return undecidedBy({ kind: 'zone', name: plainName(zone.apex) }, 'DS', zone.ds)
      const judged = zone.servers.map((server) => ({
        server,
        bad: unsignedIn(server, facts),
        isGood: signsWell(server, facts),
      }))
      // With all of them like this validation fails everywhere: `dnssec-bogus`.
      if (!judged.some(({ bad, isGood }) => isGood && bad.length === 0)) return []
      return judged.flatMap(({ server, bad }) => (bad.length > 0 ? [unsignedFault(zone, server, bad)] : []))
    }),
}

function unsignedFault(zone: ZoneFacts, server: ServerFacts, bad: readonly string[]): Verdict {
  return {
    kind: 'fault',
    severity: 'warning',
    subject: serverSubject(zone, server),
    seen: `${serverText(server)} ${listed(bad, 4)}; other servers of ${plainName(zone.apex)} sign well.`,
    why: 'Validation fails for senders that happen to ask this server: some of the mail waits, and which changes with every look-up.',
    remedy: {
      text: `See that ${plainName(server.name)} gets the signed zone: force a transfer, look into its log, and update software that does not know DNSSEC. Until then take it out of the NS set.`,
    },
    data: { zone: plainName(zone.apex), server: plainName(server.name), address: server.address, what: [...bad] },
  }
}

/** Answers with records, asked for with DO. */
const positive = (server: ServerFacts) =>
  server.asked.flatMap((direct) => {
    const answer = readDirect(direct)
    if (!direct.edns || answer.kind !== 'answer' || !isAuthoritative(answer) || answer.aliases.length > 0) return []
    return [{ direct, signatures: signaturesOver(answer.message.answers, direct.name, typeCodes[direct.type]) }]
  })

/** Each continues "ns1 …". */
function unsignedIn(server: ServerFacts, { startedAtMs }: Facts): readonly string[] {
  const found = positive(server).flatMap(({ direct: { type, name }, signatures }) => {
    const what = `${type} ${plainName(name)}`
    if (signatures.length === 0) return [`sends ${what} without a signature`]
    return signatures.some((signature) => isInForce(signature, startedAtMs))
      ? []
      : [`sends ${what} with a signature that is over`]
  })
  return [...new Set(found)]
}

const signsWell = (server: ServerFacts, { startedAtMs }: Facts) =>
  positive(server).some(({ signatures }) => signatures.some((signature) => isInForce(signature, startedAtMs)))

const signaturesOf = (server: ServerFacts): readonly Rrsig[] =>
  server.asked.flatMap(({ outcome }) =>
    outcome.kind === 'response' && outcome.message.authoritative
      ? [...outcome.message.answers, ...outcome.message.authorities].flatMap(({ data }) =>
          data.type === 'RRSIG' ? [data] : [],
        )
      : [],
  )

function endsSoon(signature: Rrsig, { startedAtMs }: Facts): boolean {
  const left = secondsLeft(signature, startedAtMs)
  // One that is over is another fault.
  if (left < 0) return false
  const life = (signature.expiration - signature.inception) >>> 0
  return (left < soonSeconds && left < life * soonShare) || left < signature.originalTtlSeconds
}
