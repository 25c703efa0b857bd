/**
 * Recipients that nobody has: taken by the exchanger that senders ask first (accepts-unknown-recipient), or by a later one alone, which is how
 * backscatter comes about (backup-accepts-unknown). Pages: docs/checks/….md
 */
import type { Facts } from '../../facts.ts'
import type { Undecided } from '../../finding.ts'
import {
  askedOf,
  isAccepted,
  isRefused,
  overVisits,
  undecidedSaid,
  type Visit,
  verdictOn,
  visitsOf,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const acceptsUnknownRecipient: Rule = {
  id: 'accepts-unknown-recipient',
  title: 'exchanger that takes any recipient',
  rfc: ['RFC 5321 §3.3', 'RFC 5321 §6.2'],
  needs: ['smtp'],
  examine: (facts) =>
    overVisits(facts, (visit) => {
      const judged = judge(visit)
      if (judged.kind === 'unknown') return [judged.why]
      if (judged.kind === 'refuses' || refusedBefore(facts, visit)) return []
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject: visit.subject,
          seen: `${visit.who} takes ${judged.addresses.map((address) => `<${address}>`).join(' and ')}, which nobody has.`,
          why: 'If it finds out later that there is no such mailbox, it must send a notice, mostly to somebody whose address was forged: such backscatter gets hosts onto lists. A catch-all mailbox, and a server that judges behind DATA, look the same from outside and are fine.',
          remedy: {
            text: 'Refuse unknown recipients at RCPT: give the server the list of those that exist, or let it ask the server behind it.',
            settings: [
              'relay_recipient_maps = hash:/etc/postfix/recipients',
              'smtpd_recipient_restrictions = …, reject_unverified_recipient',
            ],
          },
          data: { recipients: judged.addresses },
        },
      ]
    }),
}

export const backupAcceptsUnknown: Rule = {
  id: 'backup-accepts-unknown',
  title: 'later exchanger takes what the first refuses',
  rfc: ['RFC 5321 §6.2'],
  needs: ['smtp'],
  examine(facts) {
    const best = bestPreference(facts)
    // With one preference there is no backup.
    if (facts.exchangers.every(({ preferences }) => preferences[0] === best)) return []
    return overVisits(facts, (visit) => {
      const judged = judge(visit)
      if (judged.kind === 'unknown') return [judged.why]
      if (judged.kind === 'refuses' || !refusedBefore(facts, visit)) return []
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject: visit.subject,
          seen: `${visit.who}, of preference ${visit.exchanger.preferences[0] ?? 0}, takes ${judged.addresses.map((address) => `<${address}>`).join(' and ')}, which a better exchanger refuses.`,
          why: 'Spammers go to the last exchanger on purpose. What it takes and the first then refuses becomes a notice to a forged address, and this host lands on lists for it.',
          remedy: {
            text: 'Give this exchanger the same list of recipients, let it ask the first one, or take it out of the MX set.',
            settings: [
              'relay_recipient_maps = hash:/etc/postfix/recipients',
              'smtpd_recipient_restrictions = …, reject_unverified_recipient',
            ],
          },
          data: { recipients: judged.addresses },
        },
      ]
    })
  },
}

type Judged =
  | { readonly kind: 'takes'; readonly addresses: readonly string[] }
  | { readonly kind: 'refuses' }
  | { readonly kind: 'unknown'; readonly why: Undecided }

/** Two names, the second later: whoever refuses one of them looks at names. */
function judge(visit: Visit): Judged {
  const { subject, smtp, session } = visit
  if (smtp.isShared) {
    const why = 'The host was asked for another domain less than a minute ago, and is left in peace.'
    return { kind: 'unknown', why: { kind: 'undecided', subject, reason: 'rate-limited', why } }
  }
  const asked = [...askedOf(visit, 'unknown'), ...askedOf(visit, 'unknown-again')]
  if (asked.length === 0 && smtp.probe === 'polite') {
    const why = 'A recipient that nobody has is asked only with the consent of the owner (full probe).'
    return { kind: 'unknown', why: { kind: 'undecided', subject, reason: 'not-wanted', why } }
  }
  if (asked.some((recipient) => isRefused(verdictOn(recipient)))) return { kind: 'refuses' }
  const open = asked.find((recipient) => !isAccepted(verdictOn(recipient)))
  const { greeting, mailFromNull } = session
  if (open || asked.length === 0) {
    const said = open ? verdictOn(open) : isAccepted(greeting) ? mailFromNull : greeting
    return { kind: 'unknown', why: undecidedSaid(subject, said) }
  }
  return { kind: 'takes', addresses: asked.map(({ address }) => address) }
}

const bestPreference = (facts: Facts) => Math.min(...facts.exchangers.map(({ preferences }) => preferences[0] ?? 0))

/** Whether an exchanger that senders ask before this one refuses such recipients. */
function refusedBefore(facts: Facts, { exchanger }: Visit): boolean {
  const own = exchanger.preferences[0] ?? 0
  return visitsOf(facts).some((other) => (other.exchanger.preferences[0] ?? 0) < own && judge(other).kind === 'refuses')
}
