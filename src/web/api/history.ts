/** `/api/history` and `/api/conditions`: what changed and when, and what is wrong now, as `watch` keeps it. */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'

const historyQuery = z.object({
  domain: z.string().max(260).optional(),
  before: z.coerce.number().int().min(1).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})

const eventShape = z.object({
  id: z.number(),
  atMs: z.number(),
  kind: z.string(),
  severity: z.string(),
  domain: z.string().nullable(),
  title: z.string(),
  detail: z.string(),
})

const historyAnswer = z.object({ events: z.array(eventShape), next: z.number().nullable() })
export type HistoryAnswer = z.output<typeof historyAnswer>

const conditionsAnswer = z.array(
  z.object({
    kind: z.string(),
    severity: z.string(),
    domain: z.string().nullable(),
    title: z.string(),
    detail: z.string(),
    remedy: z.string().nullable().describe('What to do; lines to be copied stand behind the first.'),
    sinceMs: z.number(),
  }),
)
export type ConditionsAnswer = z.output<typeof conditionsAnswer>

const mostConditions = 200

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => printable(line, 1000))
    .join('\n')

export function addHistory(site: Site, { watch }: Pick<WebDeps, 'watch'>): void {
  site.resource({
    method: 'get',
    path: '/api/history',
    access: 'view',
    summary: 'What changed, the newest first: backends, records, certificates, findings, and who did what.',
    query: historyQuery,
    answer: historyAnswer,
    async handle({ query: { domain, before, limit = 50 } }) {
      const events = (await watch?.history.events({ domain, before, limit, sinceMs: 0 })) ?? []
      const shown = events.map((event) => ({
        ...event,
        domain: event.domain === null ? null : printable(event.domain, 300),
        title: printable(event.title, 300),
        detail: printable(event.detail, 2000),
      }))
      const last = events.at(-1)
      return { kind: 'ok', value: { events: shown, next: events.length === limit && last ? last.id : null } }
    },
  })
  site.resource({
    method: 'get',
    path: '/api/conditions',
    access: 'view',
    summary: 'What is wrong now, the worst first.',
    answer: conditionsAnswer,
    handle() {
      // What is in order again is wrong no more, though it is told to be over only once it has stayed so.
      const wrong = watch?.conditions().filter(({ clearedMs }) => clearedMs === undefined) ?? []
      const value = wrong.slice(0, mostConditions).map(({ condition, sinceMs }) => ({
        kind: condition.kind,
        severity: condition.severity,
        domain: condition.domain ?? null,
        title: printable(condition.title, 300),
        detail: printable(condition.detail, 2000),
        remedy: condition.remedy === undefined ? null : linesOf(condition.remedy),
        sinceMs,
      }))
      return { kind: 'ok', value }
    },
  })
}
