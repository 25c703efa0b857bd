/** Whether a look-up failed because validation did, and not the servers. Pure; called by the rules of DNSSEC and by those that leave it to them. */
import type { Facts, FailedView, NamedView, View, ZoneFacts } from '../../facts.ts'
import { plainName } from '../../read-facts.ts'
import { listed } from '../../wording.ts'

/** RFC 8914 §4.7–4.13: what a validating resolver says of a chain that does not hold. */
const causes: ReadonlyMap<number, string> = new Map([
  [6, 'DNSSEC bogus'],
  [7, 'signature expired'],
  [8, 'signature not yet valid'],
  [9, 'DNSKEY missing'],
  [10, 'RRSIGs missing'],
  [11, 'no zone key bit set'],
  [12, 'NSEC missing'],
])

/** Without validation (CD) the same question was answered, or the resolver says itself that the chain does not hold. */
export const isBogus = (view: View): boolean =>
  view.kind === 'failed' &&
  (answeredUnchecked.has(view.unchecked) || view.extendedErrors.some(({ code }) => causes.has(code)))

/** What fails is the proof that there is nothing. */
export const isDenialBogus = (view: View): boolean =>
  view.kind === 'failed' &&
  isBogus(view) &&
  (view.unchecked === 'no-data' ||
    view.unchecked === 'no-such-name' ||
    view.extendedErrors.some(({ code }) => code === 12))

/**
 * Whether failed validation can be what is seen. SERVFAIL of one moment and an answer with CD in the next are a rate limit as well, so something
 * must speak for DNSSEC: the resolver's own word, or that it validates, or a DS record; and nothing against it.
 */
export function canBeBogus(view: View, zone: ZoneFacts | undefined, { vantage }: Facts): boolean {
  if (view.kind === 'failed' && bogusWord(view) !== undefined) return true
  if (vantage.validation === 'none') return false
  // RFC 4035 §5.2: without DS the zone is insecure, and nothing in it can fail to validate.
  if (zone?.ds.kind === 'no-data' || zone?.ds.kind === 'no-such-name') return false
  return vantage.validation !== 'not-examined' || zone?.ds.kind === 'answer'
}

/** What has been left out because validation cannot be the cause. */
export const whyNotBogus = (views: readonly NamedView[]): string => {
  const names = views.map(({ type, name }) => `${type} ${plainName(name)}`)
  return `The resolver answered SERVFAIL to ${listed(names)}, and without validation (CD) it answered; nothing says that the zone is signed and validated, so that may have been a rate limit or a fault of the resolver for a moment.`
}

/** The resolver's own word for it. */
export const bogusWord = ({ extendedErrors }: FailedView): string | undefined =>
  extendedErrors.map(({ code }) => causes.get(code)).find((word) => word !== undefined)

const answeredUnchecked: ReadonlySet<FailedView['unchecked']> = new Set(['answer', 'no-data', 'no-such-name'])
