/**
 * Recipients of the domain that must be taken: mail without a sender (smtp-bounces-refused), the domain at all (smtp-domain-refused), postmaster
 * (smtp-postmaster-refused), abuse (smtp-abuse-refused), and one real address that all exchangers must judge alike (exchangers-disagree).
 * Pages: docs/checks/….md
 */
import type { Reply } from '../../../mail/reply.ts'
import type { AskedRecipient, RecipientPurpose } from '../../../smtp/probe-facts.ts'
import type { Facts } from '../../facts.ts'
import type { Undecided, Verdict } from '../../finding.ts'
import { domainSubject } from '../../read-facts.ts'
import {
  askedOf,
  hitsAll,
  isAccepted,
  isRefused,
  overVisits,
  printableReply,
  refusesUs,
  speaksOfRelaying,
  undecidedSaid,
  type Visit,
  verdictOn,
  visitsOf,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const smtpBouncesRefused: Rule = {
  id: 'smtp-bounces-refused',
  title: 'exchanger that refuses mail without a sender',
  rfc: ['RFC 5321 §4.5.5', 'RFC 1123 §5.2.9', 'RFC 2505 §2.6.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, bounces),
}

function bounces({ subject, who, session }: Visit): readonly Verdict[] {
  const { mailFromNull } = session
  const atRcpt = session.recipients.find(
    ({ sender, said, purpose }) => sender === null && purpose !== 'unknown' && blamesSender(said),
  )
  const refusal = isRefused(mailFromNull) ? mailFromNull : isAccepted(mailFromNull) ? atRcpt?.said : undefined
  if (refusal?.kind !== 'reply') return isAccepted(mailFromNull) ? [] : [undecidedSaid(subject, mailFromNull)]
  const withSender = session.recipients.find(({ sender }) => sender !== null)
  if (withSender && isRefused(withSender.mail)) {
    const why = 'It refuses MAIL from every sender that was tried, so the empty one is no case of its own.'
    return [{ kind: 'undecided', subject, reason: 'depends-on-failed', why }]
  }
  return [
    {
      kind: 'fault',
      severity: 'error',
      subject,
      seen: `${who} answers ${refusal === mailFromNull ? 'MAIL FROM:<>' : 'RCPT after MAIL FROM:<>'} with "${printableReply(refusal.reply)}".`,
      why: 'The empty sender is that of delivery notices: users never hear that their mail did not arrive, and hosts that verify sender addresses refuse mail from this domain.',
      remedy: {
        text: 'Let MAIL FROM:<> pass: take the empty sender out of the rules that check senders.',
        settings: ['smtpd_sender_restrictions (no check that refuses <>)', 'smtpd_null_access_lookup_key = <>'],
      },
      data: { code: refusal.reply.code },
    },
  ]
}

/** RFC 3463 §3.2: 5.1.7 and 5.1.8 speak of the sender's address. */
function blamesSender(said: AskedRecipient['said']): boolean {
  return said.kind === 'reply' && isRefused(said) && /^5\.1\.[78]$/.test(said.reply.enhanced ?? '')
}

export const smtpDomainRefused: Rule = {
  id: 'smtp-domain-refused',
  title: 'exchanger that does not know the domain',
  rfc: ['RFC 5321 §3.3', 'RFC 5321 §7.9'],
  needs: ['smtp'],
  examine(facts) {
    const hit = visitsOf(facts).filter((visit) => !visit.smtp.isShared && refusesDomain(visit)).length
    const severity = hitsAll(facts, hit) ? 'error' : 'warning'
    return overVisits(facts, (visit) => ownRecipients(visit) ?? domainRefusal(facts, visit, severity))
  },
}

/** Every recipient of the domain is answered with "relaying denied". */
function refusesDomain(visit: Visit): Reply | undefined {
  const replies = ofDomain(visit).map(verdictOn)
  const [first] = replies
  const isAll = replies.length > 0 && replies.every((said) => said.kind === 'reply' && speaksOfRelaying(said.reply))
  return isAll && first?.kind === 'reply' ? first.reply : undefined
}

const ofDomain = (visit: Visit) =>
  (['postmaster', 'abuse', 'known'] as const).flatMap((purpose) => askedOf(visit, purpose))

function domainRefusal(facts: Facts, visit: Visit, severity: 'error' | 'warning'): readonly Verdict[] {
  const { subject, who } = visit
  const refusal = refusesDomain(visit)
  if (!refusal) {
    const asked = ofDomain(visit)
    if (asked.some((recipient) => isAccepted(verdictOn(recipient)))) return []
    const undecided = asked.find((recipient) => !isRefused(verdictOn(recipient)))
    return undecided ? [undecidedSaid(subject, verdictOn(undecided))] : aimedAtUs(visit)
  }
  return [
    {
      kind: 'fault',
      severity,
      subject,
      seen: `${who} answers recipients of ${facts.domain} with "${printableReply(refusal)}".`,
      why: 'The server does not take itself for responsible for the domain that names it: mail that reaches it comes back at once, whatever the other exchangers would say.',
      remedy: {
        text: `Tell the server that it takes mail for ${facts.domain}, or take it out of the MX set.`,
        settings: [
          `relay_domains = ${facts.domain}`,
          `virtual_mailbox_domains = ${facts.domain} (where the mailboxes are)`,
        ],
      },
      data: { code: refusal.code },
    },
  ]
}

/** Why recipients say nothing here, or undefined where they do. */
function ownRecipients({ subject, smtp, session }: Visit): readonly Undecided[] | undefined {
  if (smtp.isShared) {
    const why = 'The host was asked for another domain less than a minute ago, and is left in peace.'
    return [{ kind: 'undecided', subject, reason: 'rate-limited', why }]
  }
  if (session.recipients.length > 0) return undefined
  const { mailFromNull, greeting } = session
  return [undecidedSaid(subject, mailFromNull.kind === 'not-said' && !isAccepted(greeting) ? greeting : mailFromNull)]
}

function aimedAtUs(visit: Visit): readonly Undecided[] {
  const reply = refusesUs(visit.session)
  if (!reply) return []
  const why = `It answers everything with "${printableReply(reply)}", which may be aimed at the address that asked.`
  return [{ kind: 'undecided', subject: visit.subject, reason: 'depends-on-failed', why }]
}

export const smtpPostmasterRefused: Rule = {
  id: 'smtp-postmaster-refused',
  title: 'exchanger that refuses postmaster',
  rfc: ['RFC 5321 §4.5.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, (visit) => ownRecipients(visit) ?? postmaster(facts, visit)),
}

function postmaster(facts: Facts, visit: Visit): readonly Verdict[] {
  return mustBeTaken(visit, ['postmaster', 'bare-postmaster'], {
    severity: 'warning',
    why: 'Every server must take mail for postmaster, with the domain and without: it is where others report what is wrong here. Some lists of bad mail hosts test it.',
    remedy: {
      text: `Deliver postmaster@${facts.domain}, and the bare <Postmaster>, to somebody who reads it.`,
      settings: [`postmaster@${facts.domain}  admin@${facts.domain}   (virtual_alias_maps)`],
    },
  })
}

export const smtpAbuseRefused: Rule = {
  id: 'smtp-abuse-refused',
  title: 'exchanger that refuses abuse',
  rfc: ['RFC 2142 §4'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, (visit) => ownRecipients(visit) ?? abuse(facts, visit)),
}

function abuse(facts: Facts, visit: Visit): readonly Verdict[] {
  return mustBeTaken(visit, ['abuse'], {
    severity: 'notice',
    why: 'Who gets spam from this domain writes there before anything else; without an answer the domain is blocked.',
    remedy: {
      text: `Deliver abuse@${facts.domain} to somebody who reads it.`,
      settings: [`abuse@${facts.domain}  admin@${facts.domain}   (virtual_alias_maps)`],
    },
  })
}

function mustBeTaken(
  visit: Visit,
  purposes: readonly RecipientPurpose[],
  words: Pick<Extract<Verdict, { kind: 'fault' }>, 'severity' | 'why' | 'remedy'>,
): readonly Verdict[] {
  const { subject, who, session } = visit
  // Whoever refuses the domain, or us, says nothing about one address.
  if (refusesDomain(visit)) return []
  if (refusesUs(session)) return aimedAtUs(visit)
  const asked = purposes.flatMap((purpose) => askedOf(visit, purpose))
  const refused = asked.filter(({ mail, said }) => isAccepted(mail) && isRefused(said))
  if (refused.length === 0) {
    const open = asked.find((recipient) => !isAccepted(verdictOn(recipient)))
    return open ? [undecidedSaid(subject, verdictOn(open))] : []
  }
  const told = refused.map(
    ({ address, said }) => `RCPT TO:<${address}> with "${said.kind === 'reply' ? printableReply(said.reply) : ''}"`,
  )
  return [
    {
      kind: 'fault',
      ...words,
      subject,
      seen: `${who} answers ${told.join(' and ')}.`,
      data: { recipients: refused.map(({ address }) => address) },
    },
  ]
}

export const exchangersDisagree: Rule = {
  id: 'exchangers-disagree',
  title: 'exchangers that judge one recipient differently',
  rfc: ['RFC 5321 §4.2.1', 'RFC 5321 §5.1'],
  needs: ['smtp'],
  examine: (facts) => {
    const visits = visitsOf(facts).filter(({ smtp }) => !smtp.isShared)
    const asked = visits.flatMap((visit) => askedOf(visit, 'known').map((recipient) => ({ visit, recipient })))
    const addresses = [...new Set(asked.map(({ recipient }) => recipient.address))]
    return addresses.flatMap((address) =>
      disagreement(
        facts,
        address,
        asked.filter(({ recipient }) => recipient.address === address),
      ),
    )
  },
}

function disagreement(
  facts: Facts,
  address: string,
  asked: readonly { readonly visit: Visit; readonly recipient: AskedRecipient }[],
): readonly Verdict[] {
  const taking = asked.filter(({ recipient }) => isAccepted(verdictOn(recipient)))
  const refusing = asked.filter(({ recipient }) => isRefused(verdictOn(recipient)))
  const subject = domainSubject(facts)
  const [open] = asked.filter(({ recipient }) => !isAccepted(verdictOn(recipient)) && !isRefused(verdictOn(recipient)))
  if (taking.length === 0 || refusing.length === 0) {
    if (!open) return []
    const { why, reason } = undecidedSaid(subject, verdictOn(open.recipient))
    return [{ kind: 'undecided', subject, reason, why: `${open.visit.who}, asked for ${address}: ${why}` }]
  }
  const refusals = refusing.map(({ visit, recipient }) => {
    const said = verdictOn(recipient)
    return `${visit.who} with "${said.kind === 'reply' ? printableReply(said.reply) : ''}"`
  })
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject,
      seen: `${address} is taken by ${taking.map(({ visit }) => visit.who).join(', ')} and refused by ${refusals.join(', ')}.`,
      why: 'A refusal ends the delivery: the sender does not ask the next exchanger, so mail to this person comes back or not by chance.',
      remedy: {
        text: 'Give every exchanger the same list of recipients, or let it ask the server behind it.',
        settings: ['relay_recipient_maps', 'reject_unverified_recipient'],
      },
      data: { address, taking: taking.length, refusing: refusing.length },
    },
  ]
}
