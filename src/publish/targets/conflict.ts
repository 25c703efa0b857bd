/** Another hand was there between the plan and now: how targets find that out which compare for themselves, and what all of them say of it. */
import { byKey, type RecordSet, sameContent, setKey, setText } from '../sets/record-set.ts'
import type { SetChange, TargetApplied } from './target.ts'

/** Changes of sets that are not as they were when the plan was made. */
export function movedOf(changes: readonly SetChange[], now: readonly RecordSet[]): readonly SetChange[] {
  const live = byKey(now)
  return changes.filter((change) => !sameContent(live.get(setKey(change)), change.before))
}

/** @param now  the sets as they are; undefined where that could not be read */
export const conflictOf = (moved: readonly SetChange[], now: readonly RecordSet[] | undefined): TargetApplied => ({
  kind: 'conflict',
  why: `${moved.map(setText).join(', ')}: not as it was when the plan was made`,
  now,
})
