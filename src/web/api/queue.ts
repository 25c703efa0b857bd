/**
 * `/api/queue`: held mail, a page at a time, found by what it is about; and what a person may do with it, to one message or to all that match. Many are
 * done a piece a call, and the page comes again with `next`, so that it shows how far it is and can be told to stop.
 */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import { actAnswer, acts, listAnswer } from '../../gateway/operate/queue-shapes.ts'
import { choices } from '../../gateway/ways/chosen-lane.ts'
import type { WebDeps } from '../deps.ts'
import type { Answered, Asked, Refused, Site } from '../site.ts'
import { auditedFilter, filterOf, filterShape, readStates, statesText } from './queue-filter.ts'
import { actFor, type Counted, countAll } from './queue-pieces.ts'
import { createScans, type Scan } from './scans.ts'
import { whileStoreWorks } from './while-store-works.ts'

const listQuery = z.object({
  id: z.string().max(64).optional().describe('The beginning of an id.'),
  domain: z.string().max(255).optional().describe('Of a recipient.'),
  sender: z.string().max(400).optional().describe('An address, or @example.com.'),
  recipient: z.string().max(400).optional().describe('The same.'),
  states: statesText.optional(),
  receivedBeforeMs: z.coerce.number().optional(),
  receivedAfterMs: z.coerce.number().optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  after: z
    .string()
    .regex(/^\d{0,15}$/, 'the `next` of the page before')
    .optional(),
})

const countAnswer = z.object({
  messages: z.number(),
  recipients: z.number(),
  octets: z.number(),
  isExact: z.boolean().describe('False: there are too many to be counted one by one, and it is about so many.'),
  beforeMs: z.number().describe('What was counted came before this moment; put it into the filter of what follows.'),
})
export type CountAnswer = z.output<typeof countAnswer>

const actBody = z.strictObject({
  act: z.enum(acts).exclude(['count']),
  filter: filterShape,
  to: z.string().max(4096).optional().describe('For `route`: a backend or a route that is declared.'),
  messages: z.number().int().min(0).describe('As many as the person was told and agreed to.'),
  isAbout: z.boolean().optional().describe('The person was told "about" so many.'),
  after: z.string().max(40).optional().describe('`next` of the piece before.'),
})

const choicesAnswer = z.object({ choices: z.array(z.string()) })

/** A piece may take so long: the page shows something, and no request stays open. */
const pieceMs = 400

type Mail = () => QueueOperations | undefined

export function addQueue(site: Site, deps: QueueDeps): void {
  const mail: Mail = () => deps.gateway.heldMail?.operations
  const scan = createScans()
  addList(site, mail, scan)
  addCount(site, mail, scan, deps)
  addWays(site, deps)
  addAct(site, mail, scan, deps)
}

type QueueDeps = Pick<WebDeps, 'gateway' | 'clock' | 'gatewaySettings' | 'queue'>

function addList(site: Site, mail: Mail, scan: Scan): void {
  site.resource({
    method: 'get',
    path: '/api/queue',
    access: 'view',
    summary: 'A page of held messages, the oldest first.',
    query: listQuery,
    answer: listAnswer,
    async handle({ query: { id, states, limit = 50, after, ...rest } }) {
      const operations = mail()
      if (!operations) return nothingHeld
      const wanted = readStates(states)
      return whileStoreWorks(storeUse, async () => {
        const ids = id === undefined || id === '' ? undefined : await operations.find(id.toUpperCase())
        if (ids?.length === 0) return nothingHeld
        const filter = filterOf({
          ...rest,
          ...(wanted ? { states: wanted } : {}),
          ...(ids ? { ids: [...ids] } : {}),
        })
        const list = async (): Promise<Answered<z.output<typeof listAnswer>>> => ({
          kind: 'ok',
          value: await operations.list(filter, limit, after),
        })
        // By key it is a page and no search.
        return ids !== undefined || Object.keys(filter).length === 0 ? list() : scan(list)
      })
    },
  })
}

function addCount(site: Site, mail: Mail, scan: Scan, deps: QueueDeps): void {
  site.resource({
    method: 'post',
    path: '/api/queue/count',
    access: 'operate',
    summary: 'How many messages match: what a person is told before something is done to them.',
    body: z.strictObject({ filter: filterShape }),
    answer: countAnswer,
    handle: ({ body }) =>
      whileStoreWorks(storeUse, () =>
        scan(async () => {
          const beforeMs = deps.clock.now() + 1
          const counted = await countAll(deps, mail(), { receivedBeforeMs: beforeMs, ...body.filter })
          return { kind: 'ok', value: { ...counted, beforeMs } }
        }),
      ),
  })
}

function addWays(site: Site, { gatewaySettings }: QueueDeps): void {
  site.resource({
    method: 'get',
    path: '/api/queue/ways',
    access: 'view',
    summary: 'Where held mail may be sent instead: the backends and routes that are declared.',
    answer: choicesAnswer,
    handle() {
      return { kind: 'ok', value: { choices: choices(gatewaySettings()).slice(0, 500) } }
    },
  })
}

function addAct(site: Site, mail: Mail, scan: Scan, deps: QueueDeps): void {
  site.resource({
    method: 'post',
    path: '/api/queue/act',
    access: 'operate',
    summary: 'Does something to all messages that match, a piece a call: come again with `next`.',
    body: actBody,
    answer: actAnswer,
    handle: (asked) => whileStoreWorks(storeUse, () => scan(() => actOnce(asked, mail(), deps))),
  })
}

/** One piece, and the line in the log that says what was done to it. */
async function actOnce(
  { body, audit }: Asked<z.ZodObject, typeof actBody>,
  operations: QueueOperations | undefined,
  deps: QueueDeps,
): Promise<Answered<z.output<typeof actAnswer>>> {
  if (!operations) return { kind: 'no', status: 404, why: 'nothing is held here' }
  const { act, filter, to, after } = body
  const refused = after === undefined ? whyNotAgreed(body, await countAll(deps, operations, filter)) : undefined
  if (refused) return refused
  const done = await actFor(deps.clock, pieceMs, operations, { act, filter, to, after })
  if ('kind' in done) return { kind: 'no', status: 400, why: 'this is no way that is declared' }
  audit({
    act,
    ...auditedFilter(filter),
    ...(to === undefined ? {} : { to: printable(to, 200) }),
    messages: done.messages,
  })
  return { kind: 'ok', value: done }
}

/** More than was agreed to may match by now. */
function whyNotAgreed({ messages, isAbout }: z.output<typeof actBody>, now: Counted): Refused | undefined {
  const isAgreed = isAbout ? !now.isExact || now.messages <= messages : now.isExact && now.messages === messages
  if (isAgreed) return undefined
  return { kind: 'no', status: 409, why: `it is ${now.messages.toLocaleString('en')} messages by now: look again` }
}

const nothingHeld = { kind: 'ok' as const, value: { messages: [], next: null } }
/** What is asked here may lead to something being done. */
const storeUse = 'read or written'
