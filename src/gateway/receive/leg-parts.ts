/**
 * The recipients of one leg by what became of each, where its backend answers for each of them (LMTP, Maildir): what is told of some must not be said of
 * the others. Pure; for `hand-over`.
 */
import type { Answer } from '../carry/carried.ts'
import type { Sorted } from '../settle/sort-answers.ts'
import type { LegRecipient } from './leg.ts'
import type { ToldLeg } from './tell-leg.ts'

export interface LegPart {
  readonly recipients: readonly LegRecipient[]
  readonly answers: readonly (Answer | undefined)[]
  readonly held: ToldLeg['held']
}

/**
 * @param answers  one a recipient, in their order; undefined where the backend is silent
 * @param indexes  of the recipients, among all of the message
 * @param refused  those of the indexes that are not held as they are, although nobody has taken them
 */
export function partsOf(
  recipients: readonly LegRecipient[],
  answers: readonly (Answer | undefined)[],
  indexes: readonly number[],
  refused: Sorted['refused'],
): readonly LegPart[] {
  const isRefused = new Set(refused.map(({ index }) => index))
  const becameOf = answers.map((answer, at) =>
    answer === undefined
      ? 'unknown'
      : answer.kind === 'accepted'
        ? 'delivered'
        : isRefused.has(indexes[at] as number)
          ? 'refused'
          : 'held',
  )
  return [...new Set(becameOf)].map((word) => ({
    recipients: recipients.filter((_, at) => becameOf[at] === word),
    answers: answers.filter((_, at) => becameOf[at] === word),
    held: word === 'held' || word === 'unknown' ? word : false,
  }))
}
