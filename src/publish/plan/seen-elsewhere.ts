/**
 * Exchangers that DNS answers with and that the place where the zone is kept does not have: the world then asks somebody else, or a feature of the
 * provider adds records that its API does not list. Called by `examine.ts`; told as a note, because caches may be what is behind it.
 */
import type { Resolver } from '../../dns/resolver.ts'
import { typeCodes } from '../../dns/types.ts'
import { nameText, sameName } from '../../dns/wire-name.ts'
import type { ZonePlan } from './plan.ts'

const mostShown = 5

/** @param place  printable */
export async function seenElsewhere({ sets }: ZonePlan, place: string, resolver: Resolver): Promise<string[]> {
  const notes: string[] = []
  for (const { name, code, domains, before, after } of sets) {
    if (code !== typeCodes.MX || domains.length === 0 || before !== undefined || after === undefined) continue
    const answer = await resolver.resolve(name, 'MX')
    if (answer.kind !== 'answer' || !sameName(answer.canonicalName, name)) continue
    const live = answer.records
      .map(({ data }) => data)
      .toSorted((a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1))
      .map(({ preference, exchange }) => `${preference} ${nameText(exchange)}`)
    const shown = live.slice(0, mostShown).join(', ')
    const more = live.length > mostShown ? ` and ${live.length - mostShown} more` : ''
    notes.push(
      `${place} lists no MX records of ${nameText(name)}, and DNS answers with ${shown}${more}: look whether something else there makes them ` +
        '(forwarding of mail, say), or whether the domain is delegated to other servers',
    )
  }
  return notes
}
