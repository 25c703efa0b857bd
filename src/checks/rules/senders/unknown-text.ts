/** Why the TXT records of a name are not known, for the rules of this folder; undefined where they are, or where it is known that there are none. */
import type { View } from '../../facts.ts'
import { type Subject, type Undecided, undecided } from '../../finding.ts'
import { textsOf } from '../../read-facts.ts'

export function whyNoText(subject: Subject, txt: View<'TXT'>): Undecided | undefined {
  if (txt.kind === 'not-examined') return undecided(subject, txt)
  return txt.kind === 'failed'
    ? { kind: 'undecided', subject, reason: 'lookup-failed', why: `TXT: ${txt.why}.` }
    : undefined
}

/** One character an octet. */
export const latin1TextsOf = (txt: View<'TXT'>): readonly string[] =>
  textsOf(txt).map((text) => text.toString('latin1'))
