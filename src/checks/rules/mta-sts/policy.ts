/**
 * The policy itself (RFC 8461 §3.2): not to be read (sts-policy-malformed), with lines that match nothing (sts-pattern-invalid,
 * sts-pattern-unused), an age out of range (sts-max-age), a mode that protects nobody (sts-mode-weak), or changed without a new id (sts-id-stale).
 * Pages: docs/checks/sts-….md
 */
import { createHash } from 'node:crypto'
import { printable } from '../../../base/printable.ts'
import type { ParsedStsPolicy, StsPolicy } from '../../../records/mta-sts.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Subject, Undecided, Verdict } from '../../finding.ts'
import type { Rule } from '../../rule.ts'
import { maxAgeOf, mostMaxAgeSeconds, stsDocumentOf, stsRecordOf } from '../../sts-policy.ts'
import { overPolicyHost } from './policy-host.ts'

export const policySubject = (facts: Facts): Subject => ({
  kind: 'record',
  name: `mta-sts.${facts.domain}`,
  type: 'policy',
})

/** Asks `judge` of the policy's text where it was fetched whole. */
function overDocument(
  facts: Facts,
  judge: (document: ParsedStsPolicy, body: Buffer) => Fault | undefined,
): readonly Verdict[] {
  return overPolicyHost(facts, (https) => {
    const document = stsDocumentOf(facts)
    return document && https.kind === 'response' ? judge(document, https.body) : undefined
  })
}

/** The same, where it can be read. */
export function overPolicy(
  facts: Facts,
  judge: (policy: StsPolicy, document: Extract<ParsedStsPolicy, { kind: 'policy' }>) => readonly Verdict[],
): readonly Verdict[] {
  const verdicts = overPolicyHost(facts, () => undefined)
  if (verdicts.length > 0 || stsRecordOf(facts).kind !== 'one') return verdicts
  const document = stsDocumentOf(facts)
  if (document?.kind === 'policy') return judge(document.policy, document)
  const why = 'The policy was not fetched, or cannot be read.'
  const undecided: Undecided = { kind: 'undecided', subject: policySubject(facts), reason: 'depends-on-failed', why }
  return facts.mtaSts.https.kind === 'not-examined' ? [] : [undecided]
}

export const stsPolicyMalformed: Rule = {
  id: 'sts-policy-malformed',
  title: 'MTA-STS policy that cannot be read',
  rfc: ['RFC 8461 §3.2'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overDocument(facts, (document, body) => {
      if (document.kind === 'policy') return undefined
      const problems = document.problems.slice(0, 5).map(({ line, message }) => `line ${line}: ${message}`)
      return {
        kind: 'fault',
        severity: 'warning',
        subject: policySubject(facts),
        seen: `The policy at mta-sts.${facts.domain}, which begins with "${printable(body.toString('latin1'), 80)}", is not valid: ${problems.join('; ')}.`,
        why: 'Senders that come new act as if there were no MTA-STS; those that know an older policy go on with it until it ends.',
        remedy: {
          text: 'Write the policy in this form, one exchanger a line.',
          settings: [
            'version: STSv1',
            'mode: enforce',
            ...facts.exchangers.slice(0, 20).flatMap(({ host }) => (host ? [`mx: ${host}`] : [])),
            'max_age: 2419200',
          ],
        },
        data: { problems },
      }
    }),
}

export const stsPatternInvalid: Rule = {
  id: 'sts-pattern-invalid',
  title: 'line of the MTA-STS policy that matches nothing',
  rfc: ['RFC 8461 §3.2', 'RFC 8461 §4.1'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicy(facts, (_, { badPatterns }) => {
      if (badPatterns.length === 0) return []
      const told = badPatterns.slice(0, 5).map(({ line, message }) => `line ${line}: ${message}`)
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject: policySubject(facts),
          seen: `The policy at mta-sts.${facts.domain} has "mx" lines that match no exchanger: ${told.join('; ')}.`,
          why: 'The exchanger that is meant is not covered, and a strict sender refuses the whole policy for such a line.',
          remedy: {
            text: 'Write host names with A-labels and without a final dot; "*." may stand for the whole first label alone.',
            settings: facts.exchangers.slice(0, 20).flatMap(({ host }) => (host ? [`mx: ${host}`] : [])),
          },
        },
      ]
    }),
}

export const stsPatternUnused: Rule = {
  id: 'sts-pattern-unused',
  title: 'MTA-STS policy names a host that is no exchanger',
  rfc: ['RFC 8461 §8.1'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicy(facts, ({ patterns }) => {
      const { mx } = facts
      if (mx.kind === 'failed' || mx.kind === 'not-examined') {
        return [
          {
            kind: 'undecided',
            subject: policySubject(facts),
            reason: 'lookup-failed',
            why: 'The exchangers are not known.',
          },
        ]
      }
      const hosts = new Set(facts.exchangers.map(({ host }) => host))
      const unused = patterns.filter(({ host, isWildcard }) => !isWildcard && !hosts.has(host)).map(({ host }) => host)
      if (unused.length === 0) return []
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: policySubject(facts),
          seen: `The policy at mta-sts.${facts.domain} names ${unused.slice(0, 10).join(', ')}, which ${unused.length > 1 ? 'are' : 'is'} in no MX record.`,
          why: 'That is right while exchangers move. Afterwards it is a door: who gets hold of that name may stand as an exchanger with a good certificate.',
          remedy: {
            text: 'Take the lines out when the move is over, and change the id of the record.',
            settings: unused.slice(0, 10).map((host) => `mx: ${host} (remove)`),
          },
          data: { unused: unused.slice(0, 100) },
        },
      ]
    }),
}

const daySeconds = 86_400

export const stsMaxAge: Rule = {
  id: 'sts-max-age',
  title: 'MTA-STS policy with an odd age',
  rfc: ['RFC 8461 §3.2'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overDocument(facts, (_, body) => {
      const text = maxAgeOf(body)
      if (text === undefined) return undefined
      const isNumber = /^\d{1,10}$/.test(text)
      const seconds = Number(text)
      // Whoever wants to be rid of MTA-STS says none, and a short age with it (RFC 8461 §8.3).
      const document = stsDocumentOf(facts)
      const isLeaving = document?.kind === 'policy' && document.policy.mode === 'none'
      if (isNumber && seconds <= mostMaxAgeSeconds && (seconds >= daySeconds || isLeaving)) return undefined
      const isWrong = !isNumber || seconds > mostMaxAgeSeconds
      return {
        kind: 'fault',
        severity: isWrong ? 'warning' : 'notice',
        subject: policySubject(facts),
        seen: `The policy at mta-sts.${facts.domain} has max_age "${printable(text, 40)}".`,
        why: isWrong
          ? `It must be a number of seconds up to ${mostMaxAgeSeconds}, a year; senders may refuse the whole policy.`
          : 'Senders forget so short a policy between two messages, and an attacker who hides the policy host once is rid of it.',
        remedy: {
          text: 'Let it live for weeks; a new id makes senders fetch a new policy before that.',
          settings: ['max_age: 2419200'],
        },
        data: { maxAge: text.slice(0, 40) },
      }
    }),
}

export const stsModeWeak: Rule = {
  id: 'sts-mode-weak',
  title: 'MTA-STS that enforces nothing',
  rfc: ['RFC 8461 §5'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicy(facts, ({ mode }) => {
      if (mode === 'enforce') return []
      const isTesting = mode === 'testing'
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: policySubject(facts),
          seen: `The MTA-STS policy of ${facts.domain} is in mode ${mode}.`,
          why: isTesting
            ? 'Senders report what fails and deliver all the same, so nobody is protected yet.'
            : 'This is the proper way out of MTA-STS, and as if there were none.',
          remedy: isTesting
            ? {
                text: 'When the reports (TLSRPT) show no failures, change to enforce, and change the id of the record.',
                settings: ['mode: enforce'],
              }
            : {
                text: 'Change to enforce, or take the record and the policy out when every copy has ended.',
                settings: ['mode: enforce'],
              },
          data: { mode },
        },
      ]
    }),
}

export const stsIdStale: Rule = {
  id: 'sts-id-stale',
  title: 'MTA-STS policy changed without a new id',
  rfc: ['RFC 8461 §3.1', 'RFC 8461 §8.1'],
  needs: ['mta-sts'],
  examine(facts, { previousPolicy }) {
    // Without history there is nothing to compare.
    if (!previousPolicy) return []
    return overDocument(facts, (_, body) => {
      const found = stsRecordOf(facts)
      if (found.kind !== 'one' || found.parsed.kind !== 'record' || found.parsed.record.id !== previousPolicy.id)
        return undefined
      if (createHash('sha256').update(body).digest('hex') === previousPolicy.policySha256.toLowerCase())
        return undefined
      const id = new Date(facts.startedAtMs).toISOString().slice(0, 19).replace(/[-:]/g, '')
      return {
        kind: 'fault',
        severity: 'warning',
        subject: policySubject(facts),
        seen: `The policy at mta-sts.${facts.domain} is another one than before, and the id of the record is still ${printable(previousPolicy.id, 40)}.`,
        why: 'Senders look for a new policy when the id changes; until their copy ends they follow the old one, and do not deliver to exchangers that it does not name.',
        remedy: {
          text: 'Change the id now. The order is: the policy by HTTPS first, then the record.',
          records: [`_mta-sts.${facts.domain}. IN TXT "v=STSv1; id=${id}"`],
        },
      }
    })
  },
}
