/** `/api/domains/{name}`: one domain: its state, its backends in their order, what is declared and what is published, what the last check found. */
import { z } from '@hono/zod-openapi'
import { type RecordLines, snapshotOf } from '../../checks/snapshot.ts'
import type { Checks } from '../check/checks.ts'
import { type Found, foundByWatch, foundOf, foundShape } from '../check/found.ts'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'
import type { Now } from '../state/now.ts'
import { compareRecords, recordShape } from '../state/records.ts'
import { domainLiveShape, domainName } from '../state/shapes.ts'

const domainAnswer = domainLiveShape.extend({
  route: z.string(),
  balance: z.string(),
  hold: z.object({ ms: z.number(), unknownRecipients: z.string(), refusedAfterHold: z.string() }),
  publisher: z.string().nullable(),
  records: z.array(recordShape).describe('What is declared of its records beside what the last look at DNS saw.'),
  lookedMs: z.number().nullable().describe('When that was.'),
  lastCheck: foundShape
    .extend({ id: z.string().nullable().describe('Of /api/checks; null: the watch looked.') })
    .nullable(),
})
export type DomainAnswer = z.output<typeof domainAnswer>

export function addDomain(
  site: Site,
  now: Now,
  checks: Checks,
  { declarationOf, watch }: Pick<WebDeps, 'declarationOf' | 'watch'>,
): void {
  site.resource({
    method: 'get',
    path: '/api/domains/{name}',
    access: 'view',
    summary: 'One domain whole.',
    params: z.object({ name: domainName }),
    answer: domainAnswer,
    async handle({ param }) {
      const name = param('name').toLowerCase()
      const [declared, live] = [now.declared(name), now.live(name)]
      if (!declared || !live) return { kind: 'no', status: 404, why: 'this domain is not declared here' }
      const declaration = declarationOf(declared.name)
      const looked = await lastLook(declared.name, checks, watch)
      return {
        kind: 'ok',
        value: {
          ...live,
          route: declared.route.id,
          balance: declared.route.balance,
          hold: {
            ms: declared.hold.holdMs,
            unknownRecipients: declared.hold.unknownRecipients,
            refusedAfterHold: declared.hold.refusedAfterHold,
          },
          publisher: declaration?.publisher ?? null,
          records: compareRecords(declaration?.records ?? [], looked?.records),
          lookedMs: looked?.found.atMs ?? null,
          lastCheck: looked ? { ...looked.found, id: looked.id } : null,
        },
      }
    },
  })
}

interface Look {
  readonly found: Found
  readonly records: readonly RecordLines[]
  readonly id: string | null
}

/** The newer one of what somebody had looked at from the page, and what the watch saw. */
async function lastLook(name: string, checks: Checks, watch: WebDeps['watch']): Promise<Look | undefined> {
  const seen = await watch?.domain(name).catch(() => undefined)
  const check = checks.last(name)
  const report = check?.report
  if (!check || !report || report === 'failed' || report.kind === 'unexamined' || (seen && seen.atMs > check.startedMs))
    return seen && { found: foundByWatch(name, seen), records: seen.records, id: null }
  const { records } = snapshotOf(report.checked.facts)
  return { found: foundOf(report, check.startedMs), records, id: check.id }
}
