/**
 * The null MX: one MX record of preference 0 with the root as its target says that the domain takes no mail. Beside others it says nothing
 * that senders agree about. Pages: docs/checks/null-mx.md, null-mx-mixed.md, null-mx-preference.md
 */
import { rootWireName } from '../../../dns/wire-name.ts'
import type { Facts } from '../../facts.ts'
import type { Undecided } from '../../finding.ts'
import { domainSubject, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord } from '../../wording.ts'

export const nullMx: Rule = {
  id: 'null-mx',
  title: 'domain takes no mail',
  rfc: ['RFC 7505 §3'],
  needs: [],

  examine(facts) {
    const set = nullSet(facts)
    if (!('roots' in set)) return set
    const { roots, others } = set
    if (roots.length !== 1 || others.length > 0 || roots[0] !== 0) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject: domainSubject(facts),
        seen: `${facts.domain} has the null MX: "${mxRecord(facts.domain, 0, '.')}".`,
        why: 'Senders give up at once and tell their users that the domain takes no mail. That is right if it is meant.',
        remedy: {
          text: 'Nothing, where the domain is to take no mail. Otherwise put MX records of your mail server in its place.',
          records: [mxRecord(facts.domain, 10, `mx1.${facts.domain}`)],
        },
        data: { domain: facts.domain },
      },
    ]
  },
}

export const nullMxMixed: Rule = {
  id: 'null-mx-mixed',
  title: 'null MX beside other MX records',
  rfc: ['RFC 7505 §3'],
  needs: [],

  examine(facts) {
    const set = nullSet(facts)
    if (!('roots' in set)) return set
    const { roots, others } = set
    if (roots.length === 0 || roots.length + others.length === 1) return []
    const beside = others.length > 0 ? listed(others) : `${roots.length - 1} more of its kind`
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject: domainSubject(facts),
        seen: `${facts.domain} has an MX record with the target "." beside ${beside}.`,
        why: 'Some senders pass over the "." and deliver to the others; some refuse the whole domain, and their mail is lost.',
        remedy: {
          text: `Remove the record${roots.length > 1 ? 's' : ''} ${listed(roots.map((preference) => `"${mxRecord(facts.domain, preference, '.')}"`))} to take mail; or all the others to take none.`,
        },
        data: { domain: facts.domain, others: [...others] },
      },
    ]
  },
}

export const nullMxPreference: Rule = {
  id: 'null-mx-preference',
  title: 'null MX with a preference other than 0',
  rfc: ['RFC 7505 §3'],
  needs: [],

  examine(facts) {
    const set = nullSet(facts)
    if (!('roots' in set)) return set
    const [preference, ...more] = set.roots
    if (preference === undefined || preference === 0 || more.length > 0 || set.others.length > 0) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject: domainSubject(facts),
        seen: `${facts.domain} has one MX record, with the target "." and the preference ${preference}.`,
        why: 'Only preference 0 makes it a null MX by the letter. Most senders take it for one; others look for a host without a name, and try for days.',
        remedy: {
          text: 'Give it the preference 0.',
          records: [mxRecord(facts.domain, 0, '.')],
        },
        data: { domain: facts.domain, preference },
      },
    ]
  },
}

/** The preferences of the records with the root as target, and the targets of the others. */
function nullSet(
  facts: Facts,
): { readonly roots: readonly number[]; readonly others: readonly string[] } | Undecided[] {
  if (facts.mx.kind === 'failed' || facts.mx.kind === 'not-examined')
    return undecidedBy(domainSubject(facts), 'MX', facts.mx)
  const records = recordsOf(facts.mx)
  return {
    roots: records.filter(({ data }) => data.exchange === rootWireName).map(({ data }) => data.preference),
    others: records.filter(({ data }) => data.exchange !== rootWireName).map(({ data }) => plainName(data.exchange)),
  }
}
