/** What the dashboard shows of now, as its API says it: made by `now.ts`, sent by `api/overview.ts`, `api/domain.ts` and the event stream, drawn by `browser/`. */
import { z } from '@hono/zod-openapi'
import { mailStates } from './mail-state.ts'

const moment = z.number().nullable().describe('Milliseconds since 1970.')

/** Of a path or a question. */
export const domainName = z.string().max(260).describe('As it is declared: example.com or *.example.com.')

export const backendShape = z.object({
  /** As in waypost.yaml; without a token only "backend 1". */
  url: z.string(),
  address: z.string(),
  state: z.enum(['up', 'suspect', 'slow', 'down', 'out']),
  sinceMs: moment.describe('Since when it is in its state, in milliseconds since 1970, where that is known.'),
  sinceIsExact: z.exactOptional(z.boolean()).describe('False: it was so when the gateway began, or had it first.'),
  sessions: z.number(),
  share: z.number().describe('Of the mail of its route, 0–1; of several routes, the largest.'),
  shares: z
    .exactOptional(z.array(z.object({ route: z.string(), share: z.number() })).readonly())
    .describe('Where several routes name it, and for who is known: of each, 20 at most.'),
  lastError: z.string().nullable(),
  p50Ms: z.number().nullable().describe('From the dot to its answer, of the last minutes: half of them were as fast.'),
  p95Ms: z.number().nullable().describe('95 of 100 were as fast.'),
})
export type BackendNow = z.output<typeof backendShape>

export const domainShape = z.object({
  name: z.string().describe('As it is declared: example.com or *.example.com.'),
  state: z.enum(mailStates),
  why: z.string(),
  isDraining: z.boolean(),
  held: z.number().describe('Messages.'),
  oldestMs: moment,
  needPerson: z
    .number()
    .describe('Recipients whose mail waits for a person: refused, expired, set aside, kept back, without a route.'),
  lastDeliveredMs: moment,
})
export type DomainNow = z.output<typeof domainShape>

export const domainLiveShape = z.object({
  now: domainShape,
  backends: z.array(
    z.object({
      url: z.string(),
      preference: z.number(),
      weight: z.number(),
      addresses: z.array(backendShape),
    }),
  ),
  heldByState: z.record(z.string(), z.number()).describe('Recipients by state.'),
})
export type DomainLive = z.output<typeof domainLiveShape>

export const overviewShape = z.object({
  atMs: z.number(),
  startedMs: z.number(),
  hostname: z.string(),
  states: z.record(z.enum(mailStates), z.number()).describe('Domains by state.'),
  domains: z.array(domainShape).describe('The worst first, then by name; at most 50. /api/domains has the others.'),
  domainCount: z.number(),
  backends: z.array(backendShape).describe('At most 50, those that are not well first.'),
  backendCount: z.number(),
  held: z.object({
    messages: z.number(),
    octets: z.number(),
    oldestMs: moment,
    needPerson: z.number(),
  }),
  perSecond: z
    .object({
      taken: z.number().describe('Messages whose senders heard 250.'),
      delivered: z.number().describe('While the sender waited.'),
      held: z.number(),
      drained: z.number().describe('Held ones that were delivered.'),
      refused: z.number(),
      deferred: z.number(),
    })
    .describe('Means of the last five whole seconds.'),
  lastMinute: z.number().describe('Messages that senders brought in the last 60 whole seconds, whatever they heard.'),
  connections: z
    .number()
    .describe('Senders that are connected now. Most stay for a moment, so 0 says little of how much mail comes.'),
  whyNotHeld: z
    .string()
    .nullable()
    .describe('Why no message can be held now; null where it can, and where nothing ever is.'),
})
export type Overview = z.output<typeof overviewShape>
