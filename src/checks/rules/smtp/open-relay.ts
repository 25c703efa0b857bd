/**
 * Takes recipients in a domain that it has nothing to do with, from anybody. RCPT alone proves that it may relay, not that it does.
 * Page: docs/checks/open-relay.md
 */
import { isWithin, parseName } from '../../../dns/name.ts'
import type { AskedRecipient } from '../../../smtp/probe-facts.ts'
import type { Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import {
  askedOf,
  isAccepted,
  isRefused,
  overVisits,
  printableReply,
  undecidedSaid,
  type Visit,
  verdictOn,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const openRelay: Rule = {
  id: 'open-relay',
  title: 'exchanger that relays for strangers',
  rfc: ['RFC 5321 §7.9', 'RFC 2505 §2.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, (visit) => relaying(facts, visit)),
}

function relaying(facts: Facts, visit: Visit): readonly Verdict[] {
  const { subject, who, smtp, session } = visit
  const plain = [...askedOf(visit, 'foreign'), ...askedOf(visit, 'foreign-disguised').filter(isSourceRoute)]
  const hidden = askedOf(visit, 'foreign-disguised').filter((recipient) => !isSourceRoute(recipient))
  if (plain.length === 0) {
    const wait = session.mailFromNull
    if (smtp.probe === 'full') return [undecidedSaid(subject, isAccepted(session.greeting) ? wait : session.greeting)]
    const why = 'A recipient in a foreign domain is asked only with the consent of the owner (full probe).'
    return [{ kind: 'undecided', subject, reason: 'not-wanted', why }]
  }
  if (plain.some((recipient) => isOurs(facts, recipient))) {
    const why = 'The recipient that was asked is in the domain itself; name a sender in another domain.'
    return [{ kind: 'undecided', subject, reason: 'not-wanted', why }]
  }
  // A server that takes any name before the @ takes these too, and what it takes them for is not known.
  const unknown = [...askedOf(visit, 'unknown'), ...askedOf(visit, 'unknown-again')].map(verdictOn)
  const tellsNames = unknown.length > 0 && unknown.every(isRefused)
  const taken = [...plain, ...(tellsNames ? hidden : [])].filter(({ said }) => isAccepted(said))
  if (taken.length === 0) {
    const open = plain.find((recipient) => !isRefused(verdictOn(recipient)))
    return open ? [undecidedSaid(subject, verdictOn(open))] : []
  }
  const [first] = taken
  const reply = first?.said.kind === 'reply' ? printableReply(first.said.reply) : ''
  return [
    {
      kind: 'fault',
      severity: 'error',
      subject,
      seen: `${who} answers RCPT TO:<${first?.address ?? ''}> with "${reply}", from a stranger and without authentication.`,
      why: 'Who takes mail for any domain from anybody is found by spammers within hours; then its address is on every list, and mail from here is refused. That a recipient was taken does not prove that the message would go out: some throw it away behind DATA, which is never sent here.',
      remedy: {
        text: 'Take recipients of your own domains only, but from your own networks and from users who have logged in.',
        settings: [
          'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
          'mynetworks = 127.0.0.0/8 [::1]/128',
          'allow_percent_hack = no, swap_bangpath = no (where a disguised recipient was taken)',
        ],
      },
      data: { recipients: taken.map(({ address }) => address) },
    },
  ]
}

/** `@here:user@elsewhere` (RFC 5321 appendix C): its last address is the recipient. */
const isSourceRoute = ({ address }: AskedRecipient) => address.startsWith('@')

function isOurs({ domain }: Facts, { address }: AskedRecipient): boolean {
  const parsed = parseName(address.slice(address.lastIndexOf('@') + 1))
  return parsed.kind === 'name' && isWithin(parsed.name, domain)
}
