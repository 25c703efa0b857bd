/** Whether a look-up failed because validation did, and not the servers. Pure; called by the rules of DNSSEC and by those that leave it to them. */
import type { FailedView, View } from '../../facts.ts'

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

/** The resolver's own word for it. */
export const bogusWord = ({ extendedErrors }: FailedView): string | undefined =>
  extendedErrors.map(({ code }) => causes.get(code)).find((word) => word !== undefined)

const answeredUnchecked: ReadonlySet<FailedView['unchecked']> = new Set(['answer', 'no-data', 'no-such-name'])
