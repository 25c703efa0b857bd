/** What a backend's answers teach: for `hold`, which asks when no backend can be asked. Made by `gateway`. */
import { isPostmaster } from '../../mail/address.ts'
import type { Recipient } from '../../mail/message.ts'
import type { KnownRecipients } from '../../queue/known-recipients.ts'
import { type Destinations, whoExists } from '../../routing/destinations.ts'
import type { LearnFromAnswers } from '../carry/cut-through-deps.ts'
import { isAboutRecipient } from '../settle/about-recipient.ts'
import { laneOf } from '../ways/lanes.ts'

/**
 * What backends say of recipients is remembered for the time when they cannot be asked. Where the configuration says who exists, or that everybody does
 * (`recipients: any`, for a backend that accepts anything), nobody asks for it then, and it would only take the place of others. Nor is postmaster
 * asked for, who is always heard (RFC 5321 §4.5.1).
 */
export const learner = (known: KnownRecipients, destinations: Destinations): LearnFromAnswers => ({
  delivered(recipient) {
    if (isAsked(recipient, destinations)) known.delivered(recipient)
  },
  accepted(recipient, client) {
    if (isAsked(recipient, destinations)) known.accepted(recipient, client)
  },
  refused(recipient, route, said) {
    if (isAboutRecipient(said, recipient) && isAsked(recipient, destinations))
      known.refused(recipient, laneOf(route, recipient.domain), { code: said.code, text: said.text.join(' ') })
  },
})

const isAsked = (recipient: Recipient, destinations: Destinations) =>
  whoExists(destinations, recipient) === 'ask' && !isPostmaster(recipient)
