/**
 * Whether the zones are signed at all: not, signed without a DS at the parent, or the domain signed and its exchangers' zones not.
 * Pages: docs/checks/dnssec-missing.md, dnssec-island.md, dnssec-missing-exchanger.md
 */
import { sameName } from '../../../dns/wire-name.ts'
import type { Verdict } from '../../finding.ts'
import { isAbsent, plainName, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, zoneName } from '../../wording.ts'
import { noZone, ofEveryZone } from '../name-servers/zone-rule.ts'

export const dnssecIsland: Rule = {
  id: 'dnssec-island',
  title: 'zone is signed, and its parent does not say so',
  rfc: ['RFC 4033 §2', 'RFC 4035 §5.1'],
  needs: ['dnssec', 'name-servers'],

  examine: (facts) =>
    ofEveryZone(facts, (zone): Verdict[] => {
      const apex = plainName(zone.apex)
      const subject = { kind: 'zone', name: apex } as const
      if (zone.dnskey.kind !== 'answer') return undecidedBy(subject, 'DNSKEY', zone.dnskey)
      if (!isAbsent(zone.ds)) return undecidedBy(subject, 'DS', zone.ds)
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `The zone ${apex} has keys (DNSKEY), and its parent has no DS record for them.`,
          why: 'Without a DS record the zone counts as unsigned: the signatures are made for nobody, and DANE is off.',
          remedy: {
            text: `Enter the DS record of the key signing key of ${apex} at the registrar.`,
            records: [`${zoneName(zone.apex)} IN DS <key tag> <algorithm> 2 <digest>`],
          },
          data: { zone: apex },
        },
      ]
    }),
}

export const dnssecMissing: Rule = {
  id: 'dnssec-missing',
  title: 'domain is not signed',
  rfc: ['RFC 7672 §2.2.1'],
  needs: ['dnssec', 'name-servers'],

  examine(facts) {
    const zone = zoneNamed(facts, facts.zone)
    if (!zone) return noZone(facts)
    const apex = plainName(zone.apex)
    const subject = { kind: 'zone', name: apex } as const
    // With keys and no DS it is `dnssec-island`.
    if (zone.ds.kind === 'answer' || zone.dnskey.kind === 'answer') return []
    if (!isAbsent(zone.ds) || !isAbsent(zone.dnskey)) return undecidedBy(subject, 'DS', zone.ds, zone.dnskey)
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `The zone ${apex} is not signed with DNSSEC.`,
        why: 'Who can forge DNS answers can send the mail to another exchanger. DANE needs a signed zone; MTA-STS protects without one.',
        remedy: {
          text: `Turn DNSSEC on where the zone is kept, and enter the DS record at the registrar. Until then publish MTA-STS.`,
        },
        data: { zone: apex },
      },
    ]
  },
}

export const dnssecMissingExchanger: Rule = {
  id: 'dnssec-missing-exchanger',
  title: 'domain is signed, and an exchanger’s zone is not',
  rfc: ['RFC 7672 §2.2.2'],
  needs: ['dnssec', 'name-servers'],

  examine(facts) {
    const own = zoneNamed(facts, facts.zone)
    if (!own) return noZone(facts)
    if (own.ds.kind !== 'answer') return undecidedBy({ kind: 'zone', name: plainName(own.apex) }, 'DS', own.ds)
    return ofEveryZone(facts, (zone): Verdict[] => {
      const apex = plainName(zone.apex)
      const subject = { kind: 'zone', name: apex } as const
      const hosts = facts.exchangers.filter((one) => one.zone !== undefined && sameName(one.zone, zone.apex))
      if (zone === own || zone.ds.kind === 'answer' || hosts.length === 0) return []
      if (!isAbsent(zone.ds)) return undecidedBy(subject, 'DS', zone.ds)
      const names = listed(hosts.map(({ name }) => plainName(name)))
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `The domain ${facts.domain} is signed, and the zone ${apex} with ${names} is not.`,
          why: 'DANE is impossible at these exchangers, although the domain has done its part.',
          remedy: {
            text: `Ask who runs ${apex} for DNSSEC and TLSA records; some providers have other host names in a signed zone. Until then MTA-STS protects the way there.`,
          },
          data: { zone: apex, exchangers: hosts.map(({ name }) => plainName(name)) },
        },
      ]
    })
  },
}
