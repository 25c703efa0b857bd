/**
 * The parent and the zone name different servers, or the glue is other than the addresses. Resolvers follow the one or the other, so that
 * part of them is lost when only one is right. Page: docs/checks/ns-delegation-differs.md
 */
import { isAtOrBelow, sameName } from '../../../dns/wire-name.ts'
import type { NameServerName, ZoneFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { plainName, recordsOf } from '../../read-facts.ts'
import { isHeard } from '../../server-answers.ts'
import { listed, zoneName } from '../../wording.ts'
import { zoneRule } from './zone-rule.ts'

export const nsDelegationDiffers = zoneRule({
  id: 'ns-delegation-differs',
  title: 'delegation is not as the zone says',
  rfc: ['RFC 1034 §4.2.1', 'RFC 1034 §4.2.2', 'RFC 1912 §2.8'],
  examineZone: ofZone,
})

function ofZone(zone: ZoneFacts): Verdict[] {
  const { delegation, nameServers } = zone
  const subject = { kind: 'zone', name: plainName(zone.apex) } as const
  if (delegation.kind === 'not-examined')
    return delegation.reason === 'not-applicable' ? [] : [undecided(subject, delegation)]
  if (delegation.kind === 'failed')
    return [
      {
        kind: 'undecided',
        subject,
        reason: 'lookup-failed',
        why: `The delegation could not be asked for: ${delegation.why}.`,
      },
    ]
  if (delegation.kind === 'not-delegated' || nameServers.length === 0) return []
  // Where the zone's own NS set could not be had, nothing can be compared.
  if (!nameServers.some(({ atApex }) => atApex))
    return [
      {
        kind: 'undecided',
        subject,
        reason: 'lookup-failed',
        why: `The NS set of ${plainName(zone.apex)} itself could not be had.`,
      },
    ]
  const parentOnly = nameServers.filter(({ atParent, atApex }) => atParent && !atApex)
  const apexOnly = nameServers.filter(({ atParent, atApex }) => atApex && !atParent)
  const glue = nameServers.flatMap((one) => wrongGlue(one, zone))
  if (parentOnly.length + apexOnly.length + glue.length === 0) return []
  const names = (all: readonly NameServerName[]) => listed(all.map(({ name }) => plainName(name)))
  const apex = plainName(zone.apex)
  const parts = [
    ...(parentOnly.length > 0
      ? [`The delegation in ${plainName(delegation.parent)} names ${names(parentOnly)}, and the zone does not.`]
      : []),
    ...(apexOnly.length > 0 ? [`The zone names ${names(apexOnly)}, and the delegation does not.`] : []),
    ...glue,
  ]
  const isDead = (['atParent', 'atApex'] as const).some((side) => isSideDead(zone, side))
  return [
    {
      kind: 'fault',
      severity: isDead ? 'warning' : 'notice',
      subject,
      seen: parts.join(' '),
      why: isDead
        ? 'One of the two sides names only servers that do not answer: resolvers that follow it find nothing.'
        : 'Resolvers use the one list or the other, so that not all servers share the load, and a server that is gone may still be asked.',
      remedy: {
        text: `Make both the same: enter the NS set of ${apex}, and the addresses of name servers within it, at the registrar as they stand in the zone; or correct the zone.`,
        records: nameServers
          .filter(({ atApex }) => atApex)
          .map(({ name }) => `${zoneName(zone.apex)} IN NS ${zoneName(name)}`),
      },
      data: {
        zone: apex,
        parentOnly: parentOnly.map(({ name }) => plainName(name)),
        apexOnly: apexOnly.map(({ name }) => plainName(name)),
      },
    },
  ]
}

/** Glue stands for names within the zone alone; none is expected for others. */
function wrongGlue({ name, glue, a, aaaa, atParent }: NameServerName, zone: ZoneFacts): string[] {
  if (!atParent || glue.length === 0 || !isAtOrBelow(name, zone.apex)) return []
  // A family that could not be looked up says nothing.
  if ([a, aaaa].some(({ kind }) => kind === 'failed' || kind === 'not-examined')) return []
  const own = [...recordsOf(a), ...recordsOf(aaaa)].map(({ data }) => data.address)
  const extra = glue.filter((address) => !own.includes(address))
  const missing = own.filter((address) => !glue.includes(address))
  if (extra.length === 0 && missing.length === 0) return []
  return [
    `The glue of ${plainName(name)} is ${listed([...glue])}, and its address${own.length === 1 ? '' : 'es'} ${listed(own)}.`,
  ]
}

function isSideDead({ nameServers, servers }: ZoneFacts, side: 'atParent' | 'atApex'): boolean {
  const named = nameServers.filter((one) => one[side])
  const theirs = servers.filter(({ name }) => named.some((one) => sameName(one.name, name)))
  const asked = theirs.filter((server) => server.asked.some(({ outcome }) => outcome.kind !== 'not-examined'))
  return asked.length > 0 && asked.length === theirs.length && !asked.some(isHeard)
}
