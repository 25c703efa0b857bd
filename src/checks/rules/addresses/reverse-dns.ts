/**
 * Reverse DNS of the exchangers' addresses: a name, and one that leads back. It matters where the machine sends as well.
 * Pages: docs/checks/ptr-missing.md, docs/checks/ptr-not-confirmed.md
 */
import type { ExchangerAddress, ExchangerFacts } from '../../facts.ts'
import { type Subject, undecided, type Verdict } from '../../finding.ts'
import { addressSubject, everyAddress, isAbsent, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { addressRecord, listed, zoneName } from '../../wording.ts'

export const ptrMissing: Rule = {
  id: 'ptr-missing',
  title: 'address without reverse DNS',
  rfc: ['RFC 1912 §2.1'],
  needs: ['reverse'],

  examine: (facts) =>
    everyAddress(facts).flatMap(({ exchanger, at }): Verdict[] => {
      const subject = addressSubject(exchanger, at.address)
      if ('kind' in at.reverse) return notExamined(subject, at)
      if (!isAbsent(at.reverse.ptr)) return undecidedBy(subject, 'PTR', at.reverse.ptr)
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `${at.address} of ${plainName(exchanger.name)} has no PTR record.`,
          why: 'A machine that only takes mail hardly misses it. As a sender it would be refused by many receivers.',
          remedy: {
            text: `Have the PTR record of ${at.address} set to ${plainName(exchanger.name)}, where the address comes from: in the panel of the hosting company, or in the reverse zone.`,
            records: [`${reverseOwner(at)} IN PTR ${zoneName(exchanger.name)}`],
          },
          data: { exchanger: plainName(exchanger.name), address: at.address },
        },
      ]
    }),
}

export const ptrNotConfirmed: Rule = {
  id: 'ptr-not-confirmed',
  title: 'reverse DNS does not lead back',
  rfc: ['RFC 1912 §2.1'],
  needs: ['reverse'],

  examine: (facts) => everyAddress(facts).flatMap(({ exchanger, at }) => ofAddress(exchanger, at)),
}

function ofAddress(exchanger: ExchangerFacts, at: ExchangerAddress): Verdict[] {
  const subject = addressSubject(exchanger, at.address)
  if ('kind' in at.reverse) return notExamined(subject, at)
  const { ptr, forward } = at.reverse
  // Without a name it is `ptr-missing`.
  if (ptr.kind !== 'answer') return undecidedBy(subject, 'PTR', ptr)
  // Any of several names will do.
  if (forward.some(({ view }) => recordsOf(view).some(({ data }) => data.address === at.address))) return []
  const gaps = undecidedBy(subject, 'the address', ...forward.map(({ view }) => view))
  if (gaps.length > 0) return gaps
  if (recordsOf(ptr).length > forward.length) {
    const why = `${at.address} has ${recordsOf(ptr).length} PTR records, and ${forward.length} of them were looked up.`
    return [{ kind: 'undecided', subject, reason: 'budget-spent', why }]
  }
  const names = forward.map(({ name }) => plainName(name))
  const back = forward.flatMap(({ view }) => recordsOf(view).map(({ data }) => data.address))
  const [first] = forward
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `The PTR record of ${at.address} says ${listed(names)}; ${back.length > 0 ? `that has the address ${listed(back, 4)}` : 'that has no such address'}.`,
      why: 'A name that does not lead back proves nothing, and receivers count it as none. A machine that only takes mail hardly misses it.',
      remedy: {
        text: `Give ${names[0] ?? 'the name'} the address ${at.address}, or have the PTR record set to ${plainName(exchanger.name)}.`,
        records: [
          ...(first ? [addressRecord(zoneName(first.name), at.address)] : []),
          `${reverseOwner(at)} IN PTR ${zoneName(exchanger.name)}`,
        ],
      },
      data: { exchanger: plainName(exchanger.name), address: at.address, names },
    },
  ]
}

function notExamined(subject: Subject, { reverse }: ExchangerAddress): Verdict[] {
  return 'kind' in reverse && reverse.reason !== 'not-applicable' ? [undecided(subject, reverse)] : []
}

/** The name of the PTR record, as it was asked for. */
function reverseOwner({ address, reverse }: ExchangerAddress): string {
  return 'kind' in reverse || reverse.ptr.kind === 'not-examined'
    ? `<reverse of ${address}>`
    : zoneName(reverse.ptr.name)
}
