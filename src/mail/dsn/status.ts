/**
 * Actions and status codes of notifications (RFC 3463, RFC 3464 §2.3.4): what a reply says, and what may stand beside an action. Called by whoever
 * records an attempt, and by `fields.ts`.
 */
import type { Reply } from '../reply.ts'

/** RFC 3464 §2.3.3, without `expanded`: no alias is resolved here. */
export type DsnAction = 'failed' | 'delayed' | 'relayed' | 'delivered'

/** `class.subject.detail`: class 2, 4 or 5, no leading zeros. */
export type DsnStatus = string & { readonly __status: unique symbol }

export function parseStatus(text: string): DsnStatus | undefined {
  const [, kind, subject, detail] = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(text) ?? []
  if (kind === undefined) return undefined
  return `${kind}.${Number(subject)}.${Number(detail)}` as DsnStatus
}

/** What a server's reply means. RFC 3461 §6.3 g: x.0.0 where it does not say more. */
export function replyStatus(said: Reply): DsnStatus {
  const given = said.enhanced === undefined ? undefined : parseStatus(said.enhanced)
  if (given) return given
  return said.code >= 500 ? unspecified(5) : said.code >= 400 ? unspecified(4) : unspecified(2)
}

/**
 * The status to report with an action.
 * @param known  the last thing that is known: `replyStatus` of the last reply, or a code for what failed without one (4.4.1)
 */
export function statusFor(action: DsnAction, known: DsnStatus | undefined): DsnStatus {
  const kind = known?.[0]
  switch (action) {
    case 'failed':
      if (known === undefined || known === unspecified(4)) return expired
      return kind === '2' ? unspecified(5) : known
    case 'delayed':
      // A refusal that we do not take for the last word, such as one about us.
      if (known === undefined || kind === '2') return unspecified(4)
      return kind === '5' ? (`4${known.slice(1)}` as DsnStatus) : known
    case 'relayed':
    case 'delivered':
      return known === undefined || kind !== '2' ? unspecified(2) : known
  }
}

const unspecified = (kind: 2 | 4 | 5) => `${kind}.0.0` as DsnStatus
/** RFC 3463 §3.5: delivery time expired, for want of the code of the problem itself. */
const expired = '4.4.7' as DsnStatus
