/**
 * The greeting: one that refuses (smtp-greeting-refuses) and one that keeps senders waiting (smtp-greeting-slow).
 * Pages: docs/checks/smtp-greeting-refuses.md, docs/checks/smtp-greeting-slow.md
 */
import type { Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import {
  hitsAll,
  isRefused,
  overVisits,
  printableReply,
  undecidedSaid,
  type Visit,
  visitsOf,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const smtpGreetingRefuses: Rule = {
  id: 'smtp-greeting-refuses',
  title: 'exchanger that refuses with its greeting',
  rfc: ['RFC 5321 §3.1', 'RFC 7504 §3'],
  needs: ['smtp'],
  examine(facts) {
    const refusing = visitsOf(facts).filter(({ session }) => isRefused(session.greeting))
    const severity = hitsAll(facts, refusing.length) ? 'error' : 'warning'
    return overVisits(facts, (visit) => refusal(visit, severity))
  },
}

function refusal(visit: Visit, severity: 'error' | 'warning'): readonly Verdict[] {
  const { subject, who, session } = visit
  const { greeting } = session
  if (greeting.kind !== 'reply' || !isRefused(greeting)) {
    return greeting.kind === 'reply' && greeting.reply.code < 300 ? [] : [undecidedSaid(subject, greeting)]
  }
  const { code } = greeting.reply
  // RFC 7504 §3: 521 is for hosts that never take mail; 554 may be meant for whoever connects.
  const isNever = code === 521
  return [
    {
      kind: 'fault',
      severity,
      subject,
      seen: `${who} greets with "${printableReply(greeting.reply)}".`,
      why: isNever
        ? 'With 521 a host says that it never takes mail, so senders that try it first may give up at once.'
        : 'Senders that are greeted so deliver nothing here, and some give up at once. It may be aimed at the address that asked alone: look from another network too.',
      remedy: isNever
        ? { text: 'Take the host out of the MX set, or let a mail server answer on port 25 of this address.' }
        : {
            text: 'If every sender sees this, start the mail service or take the host out of the MX set. If only the asking address is refused, see whether it is on a list that the server asks, or has no reverse DNS.',
            settings: ['postscreen_dnsbl_sites', 'postscreen_access_list', 'smtpd_client_restrictions'],
          },
      data: { code, text: greeting.reply.text },
    },
  ]
}

const slowMs = 5_000
const verySlowMs = 30_000

export const smtpGreetingSlow: Rule = {
  id: 'smtp-greeting-slow',
  title: 'greeting that takes long',
  rfc: ['RFC 5321 §4.5.3.2.1'],
  needs: ['smtp'],
  examine: (facts: Facts) => overVisits(facts, slowness),
}

function slowness({ subject, who, session }: Visit): readonly Verdict[] {
  const { greeting } = session
  if (greeting.kind === 'not-said') return [undecidedSaid(subject, greeting)]
  const isSilent = greeting.kind === 'failed' && greeting.fault.kind === 'timeout'
  // A wait that our own time cut short says nothing about a server that was given less than that.
  if (greeting.kind === 'failed' && !(isSilent && greeting.tookMs > verySlowMs))
    return [undecidedSaid(subject, greeting)]
  if (greeting.tookMs <= slowMs) return []
  const seconds = Math.round(greeting.tookMs / 1000)
  return [
    {
      kind: 'fault',
      severity: greeting.tookMs > verySlowMs ? 'warning' : 'notice',
      subject,
      seen: isSilent ? `${who} has not greeted within ${seconds} s.` : `${who} takes ${seconds} s to greet.`,
      why: 'The standard asks senders to wait five minutes, but many give up after 30 s or less and try another exchanger, or later. Filters that make clients wait do this on purpose.',
      remedy: {
        text: 'Look for what is waited for before the greeting: reverse DNS, lists of senders, ident. Where a filter delays on purpose, let it wait six seconds at most.',
        settings: ['postscreen_greet_wait = 6s', 'smtpd_delay_reject = yes'],
      },
      data: { tookMs: greeting.tookMs },
    },
  ]
}
