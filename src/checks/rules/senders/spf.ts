/**
 * SPF of the domain (RFC 7208): absent (spf-missing), several (spf-ambiguous), not to be read (spf-malformed), too dear
 * (spf-too-many-lookups, spf-void-lookups), open to everybody (spf-open). Pages: docs/checks/spf-….md
 */
import { printable } from '../../../base/printable.ts'
import { parseSpf, type SpfRecord, selectSpf } from '../../../records/spf.ts'
import {
  maxSpfLookups,
  maxSpfVoidLookups,
  type SpfCost,
  type SpfNode,
  type SpfTrouble,
} from '../../../records/spf-limits.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Severity, Subject, Undecided, Verdict } from '../../finding.ts'
import { isNullMx } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { latin1TextsOf, whyNoText } from './unknown-text.ts'

const subjectOf = (facts: Facts): Subject => ({ kind: 'record', name: facts.domain, type: 'TXT' })

/** The record that receivers take, where there is exactly one (RFC 7208 §4.5). */
export const spfOf = (facts: Facts) => selectSpf(latin1TextsOf(facts.spf.txt))

function overText(facts: Facts, examine: () => readonly Verdict[]): readonly Verdict[] {
  const unknown = whyNoText(subjectOf(facts), facts.spf.txt)
  return unknown ? [unknown] : examine()
}

const fault = (facts: Facts, severity: Severity, words: Pick<Fault, 'seen' | 'why' | 'remedy' | 'data'>): Fault => ({
  kind: 'fault',
  severity,
  subject: subjectOf(facts),
  ...words,
})

const everyCheckFails =
  'Receivers answer every check with a permanent error: to some of them that is as if anybody might send, to others a reason to refuse mail of the domain.'

export const spfMissing: Rule = {
  id: 'spf-missing',
  title: 'no SPF',
  rfc: ['RFC 7208 §4.5'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () => {
      if (spfOf(facts).kind !== 'none' || facts.mx.kind === 'no-such-name') return []
      const isSilent = isNullMx(facts)
      return [
        fault(facts, 'notice', {
          seen: `There is no SPF record ("v=spf1") at ${facts.domain}.`,
          why: 'Receivers cannot tell mail of this domain from forged mail, and large ones refuse mail without SPF or DKIM. What is forged in its name comes back here as notices.',
          remedy: {
            text: isSilent
              ? 'The domain takes no mail; if it sends none either, say so.'
              : 'Name who sends for the domain; if nobody does, "v=spf1 -all".',
            records: [`${facts.domain}. IN TXT "v=spf1 ${isSilent ? '' : 'mx '}-all"`],
          },
        }),
      ]
    }),
}

export const spfAmbiguous: Rule = {
  id: 'spf-ambiguous',
  title: 'several SPF records',
  rfc: ['RFC 7208 §3.2', 'RFC 7208 §4.5'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () => {
      const found = spfOf(facts)
      if (found.kind !== 'several') return []
      const told = found.texts.slice(0, 4).map((text) => `"${printable(text, 200)}"`)
      return [
        fault(facts, 'warning', {
          seen: `There are ${found.texts.length} SPF records at ${facts.domain}: ${told.join(', ')}.`,
          why: everyCheckFails,
          remedy: {
            text: 'Put the terms of all of them into one record, with one "all" at its end, and take the others out.',
          },
          data: { count: found.texts.length },
        }),
      ]
    }),
}

export const spfMalformed: Rule = {
  id: 'spf-malformed',
  title: 'SPF record that cannot be evaluated',
  rfc: ['RFC 7208 §4.6', 'RFC 7208 §4.6.1', 'RFC 7208 §5.2', 'RFC 7208 §6'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () => {
      const found = spfOf(facts)
      if (found.kind !== 'one') return []
      const parsed = parseSpf(found.text)
      const wrong =
        parsed.kind === 'invalid'
          ? parsed.problems.map(({ message, column }) => `${message} (at ${column})`)
          : (facts.spf.cost?.troubles ?? []).flatMap(troubleText)
      if (wrong.length === 0) return []
      return [
        fault(facts, 'warning', {
          seen: `SPF of ${facts.domain}, "${printable(found.text, 500)}", cannot be evaluated: ${wrong.slice(0, 5).join('; ')}.`,
          why: everyCheckFails,
          remedy: {
            text:
              parsed.kind === 'invalid'
                ? 'Correct or take out what is named; also what stands behind "all" counts.'
                : 'Take the include or redirect out, or ask who keeps its record to mend it.',
          },
          data: { wrong: wrong.slice(0, 20) },
        }),
      ]
    }),
}

/** Those that are permanent errors of receivers, behind an include or a redirect; the rest has rules of its own, or is nobody's fault. */
function troubleText({ kind, domain, term }: SpfTrouble): string[] {
  const where = `"${printable(term?.text ?? '', 100)}" of ${domain}`
  if (kind === 'no-record') return [`${where} leads to no SPF record`]
  if (kind === 'several-records') return [`${where} leads to several SPF records`]
  if (kind === 'malformed') return [`${where} leads to a record with syntax errors`]
  return kind === 'loop' ? [`${where} leads back to itself`] : []
}

export const spfTooManyLookups: Rule = {
  id: 'spf-too-many-lookups',
  title: 'SPF record that asks too much',
  rfc: ['RFC 7208 §4.6.4'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () =>
      overCost(facts, (cost) => {
        const tooManyHosts = cost.troubles.filter(({ kind }) => kind === 'too-many-mx')
        if (cost.lookups <= maxSpfLookups && tooManyHosts.length === 0) return unfinished(facts, cost)
        const hosts = tooManyHosts.map(
          ({ term, domain }) => `"${printable(term?.text ?? '', 100)}" of ${domain} has more than ten exchangers`,
        )
        const counted =
          cost.lookups > maxSpfLookups
            ? [`it takes ${cost.lookups} look-ups of ${maxSpfLookups}: ${treeText(cost.root)}`]
            : []
        return [
          fault(facts, 'warning', {
            seen: `SPF of ${facts.domain} is beyond the limit for receivers: ${[...counted, ...hosts].join('; ')}.`,
            why: everyCheckFails,
            remedy: {
              text: 'Take out includes of services that no longer send for the domain, name addresses by ip4 and ip6, which cost nothing, or let services send from a subdomain with a record of its own.',
            },
            data: { lookups: cost.lookups },
          }),
        ]
      }),
    ),
}

export const spfVoidLookups: Rule = {
  id: 'spf-void-lookups',
  title: 'SPF record that asks for what does not exist',
  rfc: ['RFC 7208 §4.6.4'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () =>
      overCost(facts, (cost) => {
        if (cost.voidLookups <= maxSpfVoidLookups) return unfinished(facts, cost)
        return [
          fault(facts, 'warning', {
            seen: `SPF of ${facts.domain} asks ${cost.voidLookups} times for names that do not exist or have no such data; receivers bear ${maxSpfVoidLookups}: ${treeText(cost.root)}.`,
            why: everyCheckFails,
            remedy: { text: 'Take out the terms whose names are gone.' },
            data: { voidLookups: cost.voidLookups },
          }),
        ]
      }),
    ),
}

/** Where the record cannot be read, that is told by itself. */
const overCost = (facts: Facts, judge: (cost: SpfCost) => readonly Verdict[]): readonly Verdict[] =>
  facts.spf.cost && spfOf(facts).kind === 'one' ? judge(facts.spf.cost) : []

/** Under the limit as far as it was counted. */
function unfinished(facts: Facts, { troubles }: SpfCost): readonly Undecided[] {
  const failed = troubles.find(({ kind }) => kind === 'lookup-failed')
  if (!failed) return []
  const why = `What "${printable(failed.term?.text ?? '', 100)}" of ${failed.domain} leads to could not be looked up.`
  return [{ kind: 'undecided', subject: subjectOf(facts), reason: 'lookup-failed', why }]
}

/** `include:a.example 4 (include:b.example 2, mx 1), a 1` */
function treeText(node: SpfNode, depth = 0): string {
  const steps = node.steps.slice(0, 12).map(({ term, lookups, child }) => {
    const below = child && child.steps.length > 0 && depth < 2 ? ` (${treeText(child, depth + 1)})` : ''
    return `${printable(term.text, 80)} ${lookups}${below}`
  })
  return [...steps, ...(node.steps.length > 12 ? ['…'] : [])].join(', ') || 'nothing'
}

export const spfOpen: Rule = {
  id: 'spf-open',
  title: 'SPF that lets anybody send',
  rfc: ['RFC 7208 §4.7', 'RFC 7208 §5.1', 'RFC 7208 §5.2'],
  needs: ['senders'],
  examine: (facts) =>
    overText(facts, () =>
      overCost(facts, ({ root }) => {
        const found = spfOf(facts)
        const parsed = found.kind === 'one' ? parseSpf(found.text) : undefined
        const end = parsed?.kind === 'spf' ? endOf(parsed.record, root) : 'fails'
        if (end === 'fails') return []
        const how = {
          pass: 'ends with "+all", its own or that of an include',
          neutral: 'ends with "?all"',
          nothing: 'has neither "all" nor a redirect',
        }[end]
        return [
          fault(facts, 'notice', {
            seen: `SPF of ${facts.domain}, "${printable(found.kind === 'one' ? found.text : '', 500)}", ${how}.`,
            why:
              end === 'pass'
                ? 'Anybody may send in the name of the domain, and receivers are told that it is right.'
                : 'It says nothing about mail from elsewhere, so forged mail passes as well.',
            remedy: {
              text: 'End the record with "~all" or "-all".',
              records: [`${facts.domain}. IN TXT "v=spf1 … -all"`],
            },
            data: { end },
          }),
        ]
      }),
    ),
}

/** What the record says of a sender whom nothing names. */
function endOf(record: SpfRecord, node: SpfNode | undefined, depth = 0): 'pass' | 'neutral' | 'nothing' | 'fails' {
  if (depth > 20) return 'fails'
  for (const term of record.terms) {
    if (term.kind === 'all') return term.qualifier === 'pass' || term.qualifier === 'neutral' ? term.qualifier : 'fails'
    if (term.kind !== 'include' || term.qualifier !== 'pass') continue
    // Inside an include only a pass counts (RFC 7208 §5.2).
    const child = node?.steps.find((step) => step.term.at === term.at)?.child
    if (child?.record && endOf(child.record, child, depth + 1) === 'pass') return 'pass'
  }
  const redirect = record.terms.find(({ kind }) => kind === 'redirect')
  if (!redirect) return 'nothing'
  const target = node?.steps.find((step) => step.term.at === redirect.at)?.child
  // Where it leads to is not known, or is an error that another rule tells.
  return target?.record ? endOf(target.record, target, depth + 1) : 'fails'
}
