/**
 * The proof that something does not exist is missing or does not hold, so that a look-up fails where "there is none" should come. An insecure
 * denial (opt-out, an alias into an unsigned zone) is normal. Page: docs/checks/dnssec-denial-broken.md
 */
import { typeCodes } from '../../../dns/types.ts'
import { foldName } from '../../../dns/wire-name.ts'
import { isDenialRecord } from '../../dnssec-facts.ts'
import type { Direct, Facts, NamedView, ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { isAuthoritative, readDirect } from '../../server-answers.ts'
import { listed, serverText } from '../../wording.ts'
import { isDenialBogus } from './bogus-view.ts'
import { cannotTell } from './dnssec-bogus.ts'
import { bogusByZone } from './mail-path.ts'

export const dnssecDenialBroken: Rule = {
  id: 'dnssec-denial-broken',
  title: 'proof of non-existence does not hold',
  rfc: ['RFC 4035 §5.4', 'RFC 5155 §8', 'RFC 7672 §2.1.2'],
  needs: ['dnssec', 'name-servers', 'tlsa', 'mta-sts'],

  examine(facts) {
    const { sure: failing } = bogusByZone(facts, (view) => !isDenialBogus(view))
    const { sure: broken, unsure } = bogusByZone(facts, isDenialBogus)
    // Where nothing in the zone validates, the denials are no fault of their own: `dnssec-bogus`.
    const seen = [...broken]
      .filter(([apex]) => !failing.has(apex))
      .map(([apex, views]) => ofViews(plainName(apex), views, facts))
    // What the resolver trips over is told once; servers by themselves where it does not (yet).
    const told = new Set([...failing.keys(), ...broken.keys()].map(plainName))
    const single = facts.zones.filter(({ apex }) => !told.has(plainName(apex))).flatMap((zone) => ofServers(zone))
    const verdicts = [...seen.map(({ verdict }) => verdict), ...single]
    return verdicts.length > 0 ? verdicts : cannotTell(facts, unsure)
  },
}

function ofViews(zone: string, views: readonly NamedView[], facts: Facts) {
  const names = views.map(({ type, name }) => `${type} ${plainName(name)}`)
  const servers = facts.zones
    .filter(({ apex }) => plainName(apex) === zone)
    .flatMap(({ servers }) => servers.filter((server) => unproven(server).length > 0).map(serverText))
  const verdict: Verdict = {
    kind: 'fault',
    severity: 'error',
    subject: { kind: 'zone', name: zone },
    seen: `The resolver answers SERVFAIL to ${listed(names)}; without validation (CD) it says that there is none.${servers.length > 0 ? ` ${listed(servers)} ${servers.length > 1 ? 'send' : 'sends'} no signed proof.` : ''}`,
    why: 'Senders that validate cannot tell "none" from an attack. When TLSA fails like this they must not deliver to the host, and the mail waits.',
    remedy: {
      text: `Sign the zone ${zone} anew so that NSEC or NSEC3 records cover all its names, and see that all its servers have the same copy and send the proof.`,
    },
    data: { zone, names },
  }
  return { zone, verdict }
}

function ofServers(zone: ZoneFacts): Verdict[] {
  if (zone.ds.kind !== 'answer') return []
  return zone.servers.flatMap((server): Verdict[] => {
    const broken = unproven(server)
    if (broken.length === 0) return []
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject: serverSubject(zone, server),
        seen: `${serverText(server)} says that there is no ${listed(broken, 4)}, and sends no signed NSEC or NSEC3 record with it, although the zone is signed.`,
        why: 'Resolvers that validate throw the answer away and ask another server; when all are like this, the look-up fails, and with TLSA the mail waits.',
        remedy: {
          text: `See that ${plainName(server.name)} has the whole signed copy of ${plainName(zone.apex)}, and software that knows DNSSEC.`,
        },
        data: { zone: plainName(zone.apex), server: plainName(server.name), names: broken },
      },
    ]
  })
}

/** Negative answers, asked for with DO, without a signed proof. */
function unproven(server: ServerFacts): readonly string[] {
  // RFC 4035 §3.1: a server that signs nothing at all is told by `dnssec-server-unsigned`.
  const isSigning = server.asked.some(
    ({ outcome }) => outcome.kind === 'response' && outcome.message.answers.some(({ data }) => data.type === 'RRSIG'),
  )
  return isSigning
    ? [...new Set(server.asked.filter(isUnproven).map(({ type, name }) => `${type} ${plainName(name)}`))]
    : []
}

function isUnproven(direct: Direct): boolean {
  const answer = readDirect(direct)
  if (!direct.edns || direct.recursion || (answer.kind !== 'no-data' && answer.kind !== 'no-such-name')) return false
  if (!isAuthoritative(answer) || answer.aliases.length > 0) return false
  const { authorities } = answer.message
  // A set of what is signed: an answer has room for a thousand denials and as many signatures.
  const signed = new Set(
    authorities.flatMap(({ name, data }) => (data.type === 'RRSIG' ? `${data.covered} ${foldName(name)}` : [])),
  )
  return !authorities.some(
    ({ name, data }) => isDenialRecord(data) && signed.has(`${typeCodes[data.type]} ${foldName(name)}`),
  )
}
