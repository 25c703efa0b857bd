/**
 * A server that asked for patience, or broke off: a rate limit or greylisting, and never a fault. It tells why less is known of this exchanger
 * (RFC 5321 §4.2.1; a connection that drops counts as 451, §3.8). Page: docs/checks/smtp-temporarily-refused.md
 */
import type { ProbedSession, Said } from '../../../smtp/probe-facts.ts'
import type { Undecided } from '../../finding.ts'
import { isToldToWait, overVisits, printableReply, type Visit, verdictOn } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const smtpTemporarilyRefused: Rule = {
  id: 'smtp-temporarily-refused',
  title: 'exchanger that asks for patience',
  rfc: ['RFC 5321 §3.8', 'RFC 5321 §4.2.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, patience),
}

function patience({ subject, session }: Visit): readonly Undecided[] {
  for (const [step, said] of stepsOf(session)) {
    if (said.kind === 'reply' && isToldToWait(said)) {
      const why = `It answered ${step} with "${printableReply(said.reply)}": a rate limit or greylisting, which senders wait out.`
      return [{ kind: 'undecided', subject, reason: 'told-to-wait', why }]
    }
    if (said.kind === 'failed' && said.fault.kind === 'closed')
      return [
        { kind: 'undecided', subject, reason: 'no-answer', why: `It broke off at ${step}: ${said.fault.detail}.` },
      ]
  }
  return []
}

/** STARTTLS and what comes of it have rules of their own. */
function stepsOf(session: ProbedSession): readonly (readonly [string, Said])[] {
  const { greeting, ehlo, helo, mailInClear, ehloInTls, mailFromNull, recipients } = session
  return [
    ['the connection', greeting],
    ['EHLO', ehlo],
    ['HELO', helo],
    ['MAIL', mailInClear],
    ['EHLO under TLS', ehloInTls],
    ['MAIL', mailFromNull],
    ...recipients.map((recipient) => [`RCPT (${recipient.purpose})`, verdictOn(recipient)] as const),
  ]
}
