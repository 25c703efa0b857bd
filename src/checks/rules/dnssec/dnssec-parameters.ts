/**
 * How the zone is signed: algorithms that validators no longer take, and iterations of NSEC3 that they refuse.
 * Pages: docs/checks/dnssec-algorithm-weak.md, docs/checks/dnssec-nsec3-iterations.md
 */
import type { RdataOf } from '../../../dns/rdata.ts'
import type { ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, zoneName } from '../../wording.ts'
import { ofEveryZone } from '../name-servers/zone-rule.ts'

export const dnssecAlgorithmWeak: Rule = {
  id: 'dnssec-algorithm-weak',
  title: 'DNSSEC with a weak algorithm',
  rfc: ['RFC 8624 §3.1', 'RFC 8624 §3.3'],
  needs: ['dnssec', 'name-servers'],

  examine: (facts) =>
    ofEveryZone(facts, (zone): Verdict[] => {
      const subject = zoneSubject(zone)
      if (zone.ds.kind !== 'answer') return undecidedBy(subject, 'DS', zone.ds)
      const ds = recordsOf(zone.ds).map(({ data }) => data)
      const keys = recordsOf(zone.dnskey).map(({ data }) => data)
      const algorithms = weakIn([...ds, ...keys])
      const digests = [...new Set(ds.map(({ digestType }) => digestType))].flatMap(
        (digest) => weakDigests.get(digest) ?? [],
      )
      if (algorithms.length === 0 && digests.length === 0) return undecidedBy(subject, 'DNSKEY', zone.dnskey)
      const parts = [
        ...(algorithms.length > 0 ? [`keys of ${listed(algorithms)}`] : []),
        ...(digests.length > 0 ? [`DS records with ${listed(digests)}`] : []),
      ]
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject,
          seen: `The zone ${plainName(zone.apex)} has ${listed(parts)}.`,
          why: 'Newer validators treat such a zone as if it were not signed, and nothing fails: DANE is simply off, and nobody hears of it.',
          remedy: {
            text:
              algorithms.length > 0
                ? 'Change to algorithm 13 (ECDSA P-256): a rollover in which both sign for a while (RFC 6781 §4.1.4), then the DS record of the new key with SHA-256.'
                : 'Publish the DS record of the same key with SHA-256 (digest type 2) at the registrar, and remove the one with SHA-1.',
            records: ds
              .slice(0, 1)
              .map(
                ({ keyTag }) =>
                  `${zoneName(zone.apex)} IN DS ${algorithms.length > 0 ? '<key tag> 13' : `${keyTag} ${ds[0]?.algorithm ?? 13}`} 2 <digest>`,
              ),
          },
          data: { zone: plainName(zone.apex), algorithms, digests },
        },
      ]
    }),
}

export const dnssecNsec3Iterations: Rule = {
  id: 'dnssec-nsec3-iterations',
  title: 'NSEC3 with iterations',
  rfc: ['RFC 9276 §3.1', 'RFC 9276 §3.2'],
  needs: ['dnssec', 'name-servers'],

  examine: (facts) =>
    ofEveryZone(facts, (zone): Verdict[] => {
      const subject = zoneSubject(zone)
      if (zone.nsec3param.kind !== 'answer') return undecidedBy(subject, 'NSEC3PARAM', zone.nsec3param)
      // Where the zone counts as unsigned nobody looks at them.
      if (zone.ds.kind !== 'answer') return undecidedBy(subject, 'DS', zone.ds)
      const iterations = Math.max(...recordsOf(zone.nsec3param).map(({ data }) => data.iterations))
      if (iterations <= 0) return []
      const isMuch = iterations > 100
      return [
        {
          kind: 'fault',
          severity: isMuch ? 'warning' : 'notice',
          subject,
          seen: `The zone ${plainName(zone.apex)} uses NSEC3 with ${iterations} iteration${iterations > 1 ? 's' : ''}.`,
          why: isMuch
            ? 'Many validators take a proof with more than 100 iterations for unsigned, or answer SERVFAIL: then DANE is off, or look-ups fail.'
            : 'They protect nothing and cost work. The standard wants 0, and validators may refuse more.',
          remedy: {
            text: 'Sign with 0 iterations and without a salt, or with NSEC.',
            records: [`${zoneName(zone.apex)} IN NSEC3PARAM 1 0 0 -`],
          },
          data: { zone: plainName(zone.apex), iterations },
        },
      ]
    }),
}

const zoneSubject = ({ apex }: ZoneFacts) => ({ kind: 'zone', name: plainName(apex) }) as const

/** RFC 8624 §3.1: MUST NOT or NOT RECOMMENDED for signing. */
const weakAlgorithms: ReadonlyMap<number, string> = new Map([
  [1, 'RSAMD5 (1)'],
  [3, 'DSA (3)'],
  [5, 'RSASHA1 (5)'],
  [6, 'DSA-NSEC3-SHA1 (6)'],
  [7, 'RSASHA1-NSEC3-SHA1 (7)'],
  [12, 'ECC-GOST (12)'],
])

/** RFC 8624 §3.3. */
const weakDigests: ReadonlyMap<number, string> = new Map([
  [1, 'SHA-1 (1)'],
  [3, 'GOST (3)'],
])

const weakIn = (records: readonly (RdataOf<'DS'> | RdataOf<'DNSKEY'>)[]) =>
  [...new Set(records.map(({ algorithm }) => algorithm))].flatMap((algorithm) => weakAlgorithms.get(algorithm) ?? [])
