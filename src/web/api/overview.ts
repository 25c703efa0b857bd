/** `/api/overview`, `/api/domains`, `/api/minutes`: how things stand, to everybody on this machine; with addresses to those who are known. */
import { z } from '@hono/zod-openapi'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'
import { mailStates } from '../state/mail-state.ts'
import type { Now } from '../state/now.ts'
import { domainShape, overviewShape } from '../state/shapes.ts'

const listQuery = z.object({
  search: z.string().max(255).optional(),
  state: z.enum(mailStates).optional(),
  skip: z.coerce.number().int().min(0).max(10_000_000).optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})

const minutesShape = z.object({
  /** One value a minute, oldest first: what charts take. */
  atMs: z.array(z.number()),
  delivered: z.array(z.number()),
  held: z.array(z.number()),
  drained: z.array(z.number()),
  refused: z.array(z.number()),
  queueMessages: z.array(z.number()),
  oldestSeconds: z.array(z.number()),
  p50Ms: z.array(z.number().nullable()),
  p95Ms: z.array(z.number().nullable()),
})
export type MinutesAnswer = z.output<typeof minutesShape>

export function addOverview(site: Site, now: Now, { figures }: Pick<WebDeps, 'figures'>): void {
  site.resource({
    method: 'get',
    path: '/api/overview',
    access: 'glance',
    summary: 'How things stand: domains, backends, what is held, how fast it goes.',
    answer: overviewShape,
    handle: ({ who }) => ({ kind: 'ok', value: now.overview(who.kind === 'person') }),
  })
  site.resource({
    method: 'get',
    path: '/api/domains',
    access: 'glance',
    summary: 'Domains that match, the worst first.',
    query: listQuery,
    answer: z.object({ domains: z.array(domainShape), total: z.number() }),
    handle({ query: { search = '', state, skip = 0, limit = 50 }, who }) {
      const found = now.domains(who.kind === 'person', { search, state, skip, limit })
      return { kind: 'ok', value: { domains: [...found.domains], total: found.total } }
    },
  })
  site.resource({
    method: 'get',
    path: '/api/minutes',
    access: 'glance',
    summary: 'The last 24 hours, a value a minute, for charts.',
    answer: minutesShape,
    handle() {
      const minutes = figures.minutes()
      return {
        kind: 'ok',
        value: {
          atMs: minutes.map(({ atMs }) => atMs),
          delivered: minutes.map(({ delivered }) => delivered),
          held: minutes.map(({ held, unknown }) => held + unknown),
          drained: minutes.map(({ drained }) => drained),
          refused: minutes.map(({ refused }) => refused),
          queueMessages: minutes.map(({ queueMessages }) => queueMessages),
          oldestSeconds: minutes.map(({ oldestSeconds }) => oldestSeconds),
          p50Ms: minutes.map(({ p50Ms }) => p50Ms ?? null),
          p95Ms: minutes.map(({ p95Ms }) => p95Ms ?? null),
        },
      }
    },
  })
}
