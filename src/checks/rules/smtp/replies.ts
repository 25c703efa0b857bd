/**
 * Replies as such: not in the form of RFC 5321 (smtp-reply-malformed), and slow ones (smtp-replies-slow).
 * Pages: docs/checks/smtp-reply-malformed.md, docs/checks/smtp-replies-slow.md
 */
import type { ProbedSession, Said } from '../../../smtp/probe-facts.ts'
import type { Verdict } from '../../finding.ts'
import { hitsAll, overVisits, type Visit, visitsOf } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

type Step = readonly [name: string, said: Said]

const commandsOf = (session: ProbedSession): readonly Step[] => [
  ['EHLO', session.ehlo],
  ['HELO', session.helo],
  ['MAIL', session.mailInClear],
  ['STARTTLS', session.startTls],
  ['EHLO under TLS', session.ehloInTls],
  ['MAIL', session.mailFromNull],
  ...session.recipients.flatMap(({ mail, said, purpose }): Step[] => [
    ['MAIL', mail],
    [`RCPT (${purpose})`, said],
  ]),
  ['QUIT', session.quit],
]

export const smtpReplyMalformed: Rule = {
  id: 'smtp-reply-malformed',
  title: 'exchanger that does not speak SMTP',
  rfc: ['RFC 5321 §4.2'],
  needs: ['smtp'],
  examine(facts) {
    const severity = hitsAll(facts, visitsOf(facts).filter(garbageIn).length) ? 'error' : 'warning'
    return overVisits(facts, (visit) => {
      const garbage = garbageIn(visit)
      if (!garbage) return []
      const [step, detail] = garbage
      return [
        {
          kind: 'fault',
          severity,
          subject: visit.subject,
          seen: `What ${visit.who} sends ${step === 'the connection' ? 'as its greeting' : `as its answer to ${step}`} is no reply of SMTP: ${detail}.`,
          why: 'Senders cannot tell whether their mail was taken: they break off and try again later, and some deliver twice.',
          remedy: {
            text: 'See what answers on port 25 of this address, and whether a filter in front of it changes or adds lines.',
          },
          data: { step },
        },
      ]
    })
  },
}

function garbageIn({ session }: Visit): readonly [string, string] | undefined {
  const steps: readonly Step[] = [['the connection', session.greeting], ...commandsOf(session)]
  for (const [step, said] of steps)
    if (said.kind === 'failed' && said.fault.kind === 'garbage') return [step, said.fault.detail]
  return undefined
}

const slowMs = 10_000
const verySlowMs = 30_000

export const smtpRepliesSlow: Rule = {
  id: 'smtp-replies-slow',
  title: 'exchanger that answers slowly',
  rfc: ['RFC 5321 §4.5.3.2'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, slowReply),
}

function slowReply({ subject, who, session }: Visit): readonly Verdict[] {
  const waited = commandsOf(session).flatMap(([step, said]) =>
    said.kind === 'reply' || (said.kind === 'failed' && said.fault.kind === 'timeout')
      ? [{ step, tookMs: said.tookMs, isAnswered: said.kind === 'reply' }]
      : [],
  )
  const slowest = waited.reduce<(typeof waited)[number] | undefined>(
    (worst, one) => (worst === undefined || one.tookMs > worst.tookMs ? one : worst),
    undefined,
  )
  if (!slowest || slowest.tookMs < slowMs) return []
  const { step, tookMs, isAnswered } = slowest
  const seconds = Math.round(tookMs / 1000)
  return [
    {
      kind: 'fault',
      severity: tookMs >= verySlowMs ? 'warning' : 'notice',
      subject,
      seen: isAnswered
        ? `${who} takes ${seconds} s to answer ${step}.`
        : `${who} has not answered ${step} within ${seconds} s.`,
      why: 'The standard asks senders to wait five minutes for MAIL and RCPT, and many wait less: they come back later, and each connection that waits keeps others out.',
      remedy: {
        text: 'Look for what is waited for: name servers that do not answer, lists of senders that are dead, a directory of users that is slow.',
        settings: ['smtpd_recipient_restrictions (reject_rbl_client, check_policy_service)', 'smtpd_soft_error_limit'],
      },
      data: { step, tookMs },
    },
  ]
}
