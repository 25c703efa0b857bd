/** What rules of name servers say where a question was not put to a server. Pure. */
import type { Direct, ServerFacts, ZoneFacts } from '../../facts.ts'
import { type Undecided, undecided } from '../../finding.ts'
import { serverSubject } from '../../read-facts.ts'

export function notAskedBy(zone: ZoneFacts, server: ServerFacts, asked: readonly Direct[]): Undecided[] {
  for (const { outcome } of asked) {
    if (outcome.kind === 'not-examined' && outcome.reason !== 'not-applicable')
      return [undecided(serverSubject(zone, server), outcome)]
  }
  return []
}
