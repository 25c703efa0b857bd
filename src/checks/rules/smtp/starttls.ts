/**
 * STARTTLS up to the handshake: not offered (smtp-no-starttls), refused (smtp-starttls-refused), demanded of everybody (smtp-tls-required), and
 * commands that survive into TLS (smtp-injects-before-tls). Pages: docs/checks/smtp-….md
 */
import type { Facts } from '../../facts.ts'
import type { Severity, Undecided, Verdict } from '../../finding.ts'
import { whoDemandsTls } from '../../policy-in-force.ts'
import {
  isAccepted,
  isRefused,
  isToldToWait,
  offersStartTls,
  overVisits,
  printableReply,
  undecidedHello,
  undecidedSaid,
  type Visit,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

const settings = ['smtpd_tls_security_level = may', 'smtpd_tls_chain_files = /etc/ssl/private/mail.pem']

export const smtpNoStarttls: Rule = {
  id: 'smtp-no-starttls',
  title: 'exchanger without STARTTLS',
  rfc: ['RFC 3207 §4', 'RFC 8461 §5', 'RFC 7672 §2.2'],
  needs: ['smtp', 'mta-sts', 'tlsa'],
  examine: (facts) => overVisits(facts, (visit) => notOffered(facts, visit)),
}

function notOffered(facts: Facts, visit: Visit): readonly Verdict[] {
  const { subject, who, session } = visit
  const offers = offersStartTls(session)
  if (offers === undefined) return [undecidedHello(visit)]
  if (offers) return []
  const trace = traceOfMiddlebox(visit)
  return [
    {
      kind: 'fault',
      ...consequence(facts, visit),
      subject,
      seen: `${who} does not offer STARTTLS in its answer to EHLO.${trace ? ` It has ${trace} there, as a device on the way leaves it that takes STARTTLS out.` : ''}`,
      remedy: trace
        ? {
            text: 'Switch off the inspection of SMTP in the firewall in front of the server; it hides the STARTTLS that the server offers.',
            settings: ['no inspect esmtp (Cisco)', 'no fixup protocol smtp 25 (Cisco)'],
          }
        : { text: 'Offer STARTTLS on port 25 with a certificate for the name in the MX record.', settings },
      data: { isHiddenOnTheWay: trace !== undefined },
    },
  ]
}

/** A device that does not want TLS overwrites the keyword, and often the greeting: `250-XXXXXXXA`, `250-STARTTLX`, `220 ****`. */
function traceOfMiddlebox({ session }: Visit): string | undefined {
  const { ehlo, greeting } = session
  const lines = ehlo.kind === 'reply' ? ehlo.reply.text.slice(1) : []
  if (lines.some((line) => /^X{4,}[A-Z]?$|^STARTTL[^S]$/.test(line.trim()))) return 'an overwritten keyword'
  const isMasked = greeting.kind === 'reply' && /\*{8,}/.test(greeting.reply.text.join(' '))
  return isMasked ? 'a greeting of asterisks' : undefined
}

/** What it does to senders that TLS does not come about. */
function consequence(facts: Facts, { exchanger }: Visit): { severity: Severity; why: string } {
  const demanded = whoDemandsTls(facts, exchanger)
  if (demanded.length === 0) {
    return {
      severity: 'warning',
      why: 'Mail comes in readable by everybody on the way, and senders that insist on encryption do not deliver.',
    }
  }
  return {
    severity: 'error',
    why: `${demanded.join(' and ')} of this domain tell${demanded.length > 1 ? '' : 's'} senders to deliver over TLS only, so those that look at it deliver nothing here.`,
  }
}

export const smtpStarttlsRefused: Rule = {
  id: 'smtp-starttls-refused',
  title: 'exchanger that offers STARTTLS and refuses it',
  rfc: ['RFC 3207 §4'],
  needs: ['smtp', 'mta-sts', 'tlsa'],
  examine: (facts) => overVisits(facts, (visit) => refusedTls(facts, visit)),
}

function refusedTls(facts: Facts, visit: Visit): readonly Verdict[] {
  const { subject, who, session } = visit
  const { startTls } = session
  const offers = offersStartTls(session)
  if (offers === undefined) return [undecidedHello(visit)]
  if (!offers || isAccepted(startTls)) return []
  const isClosed = startTls.kind === 'failed' && startTls.fault.kind === 'closed'
  const isNo = startTls.kind === 'reply' && startTls.reply.code !== 421
  if (!isClosed && !isNo) return [undecidedSaid(subject, startTls)]
  const answer =
    startTls.kind === 'reply' ? `answers "${printableReply(startTls.reply)}" to it` : 'closes the connection at it'
  const isLoad = startTls.kind === 'reply' && startTls.reply.code === 454
  return [
    {
      kind: 'fault',
      ...consequence(facts, visit),
      subject,
      seen: `${who} offers STARTTLS and ${answer}.${isLoad ? ' 454 may be a matter of load: try again.' : ''}`,
      remedy: {
        text: 'Look into the log of the server: mostly its key or certificate cannot be read. Where TLS is not wanted, do not offer it.',
        settings,
      },
      data: startTls.kind === 'reply' ? { code: startTls.reply.code } : { closed: true },
    },
  ]
}

export const smtpTlsRequired: Rule = {
  id: 'smtp-tls-required',
  title: 'exchanger that takes no mail without TLS',
  rfc: ['RFC 3207 §4'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, required),
}

function required(visit: Visit): readonly Verdict[] {
  const { subject, who, session } = visit
  const { mailInClear, mailFromNull } = session
  const offers = offersStartTls(session)
  if (offers === undefined) return [undecidedHello(visit)]
  if (!offers || isAccepted(mailInClear)) return []
  if (mailInClear.kind !== 'reply' || !isRefused(mailInClear)) return [undecidedSaid(subject, mailInClear)]
  // 530 says it; another refusal is about TLS only where TLS makes it good.
  if (mailInClear.reply.code !== 530 && !isAccepted(mailFromNull)) return []
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject,
      seen: `${who} answers MAIL without TLS with "${printableReply(mailInClear.reply)}".`,
      why: 'A server that is named by MX must not demand TLS (RFC 3207 §4): senders without it, of which there are still some, lose their mail. MTA-STS and DANE protect those that can, and harm nobody else.',
      remedy: {
        text: 'Offer TLS without demanding it, and publish MTA-STS or DANE so that senders insist on it.',
        settings: ['smtpd_tls_security_level = may'],
      },
      data: { code: mailInClear.reply.code },
    },
  ]
}

export const smtpInjectsBeforeTls: Rule = {
  id: 'smtp-injects-before-tls',
  title: 'commands from before TLS are answered under it',
  rfc: ['RFC 3207 §4.2'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, injection),
}

function injection(visit: Visit): readonly Verdict[] {
  const { subject, who, session } = visit
  const { injected } = session
  if (injected.kind === 'ignored') return []
  if (injected.kind === 'not-said') return unasked(visit, injected)
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject,
      seen: `${who} answers, under TLS, a NOOP that was sent in the clear behind STARTTLS.`,
      why: 'Somebody on the way can put commands in front of those of the sender, who takes them for protected: an old hole, with which mail was stolen.',
      remedy: {
        text: 'Update the mail server: it must throw away what it has read before the handshake (in Postfix since 2.7.3).',
      },
    },
  ]
}

/** It is asked on demand alone, so that it was not wanted is no news; and nobody offers TLS where there is none. */
function unasked(
  { subject, session }: Visit,
  injected: Extract<Visit['session']['injected'], { kind: 'not-said' }>,
): readonly Undecided[] {
  if (injected.reason === 'not-wanted' || offersStartTls(session) === false) return []
  if (isToldToWait(session.startTls)) return [undecidedSaid(subject, session.startTls)]
  return [undecidedSaid(subject, injected)]
}
