/** Whether a refusal says that a recipient does not exist, or something else. Pure; for `sort-answers`, for `attempt`, and for what is learnt of recipients (`learner`). */
import type { Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'

/** RFC 3463 §3.2: 5.1.x, an address. Servers without enhanced codes say it by 550, 551 or 553 (RFC 5321 §4.2.3). */
export const isUnknownRecipient = ({ code, enhanced }: Reply): boolean =>
  enhanced === undefined || /^5\.0\.0$/.test(enhanced)
    ? code === 550 || code === 551 || code === 553
    : enhanced.startsWith('5.1.')

/** RFC 3463 §3.2: 5.1.7 and 5.1.8 are about the sender's address, also where they are said at RCPT. */
export const isAboutSender = ({ enhanced }: Reply): boolean => enhanced === '5.1.7' || enhanced === '5.1.8'

/**
 * Whether it is the recipient whom the backend does not know, and nothing else: 5.1.7 and 5.1.8 are about the sender (RFC 3463 §3.2), 5.1.0 may be
 * about either, and a reply without an enhanced code is taken for it only where it names the recipient. Only this is worth remembering.
 */
export const isAboutRecipient = ({ code, enhanced, text }: Reply, { text: address }: Recipient): boolean =>
  enhanced === undefined || enhanced === '5.0.0'
    ? (code === 550 || code === 551 || code === 553) && text.join(' ').toLowerCase().includes(address.toLowerCase())
    : /^5\.1\.(?:1|2|3|6|10)$/.test(enhanced)
