/** What was not checked, by why: one reason is told once with all that it took away. Pure; for text and HTML. */
import type { NotChecked } from '../finding.ts'

export interface NotCheckedGroup {
  /** Safe to print. */
  readonly why: string
  readonly ids: readonly string[]
}

export function groupNotChecked(notChecked: readonly NotChecked[]): readonly NotCheckedGroup[] {
  const groups = new Map<string, { whys: Set<string>; ids: Set<string> }>()
  for (const { reason, why, id } of notChecked) {
    // Sentences that name a host differ from host to host; the reason is what they share.
    const group = groups.get(reason) ?? { whys: new Set(), ids: new Set() }
    group.whys.add(why)
    group.ids.add(id)
    groups.set(reason, group)
  }
  return [...groups.values()].map(({ whys, ids }) => {
    // One rule may say the same as another with its own words in front.
    const distinct = [...whys].filter((why) => ![...whys].some((other) => other !== why && why.endsWith(` ${other}`)))
    // What follows from one cause for several hosts is told of the first.
    const causes = new Map(distinct.toReversed().map((why) => [/: (.+)/s.exec(why)?.[1] ?? why, why]))
    const told = distinct.filter((why) => [...causes.values()].includes(why)).slice(0, mostSentences)
    const left = distinct.length - told.length
    return { why: [...told, ...(left > 0 ? [`And ${left} more of the kind.`] : [])].join(' '), ids: [...ids] }
  })
}

const mostSentences = 3
