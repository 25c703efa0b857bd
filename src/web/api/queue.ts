/**
 * `/api/queue`: held mail, a page at a time, found by what it is about; and what a person may do with it, to one message or to all that match. Many are
 * done a piece a call, and the page comes again with `next`, so that it shows how far it is and can be told to stop.
 */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import { actAnswer, acts, listAnswer } from '../../gateway/operate/queue-shapes.ts'
import { choices } from '../../gateway/ways/chosen-lane.ts'
import { type QueueFilter, recipientStates, StoreFailure } from '../../queue/queue.ts'
import type { WebDeps } from '../deps.ts'
import type { Answered, Asked, Site } from '../site.ts'
import { createScans } from './scans.ts'

const filterShape = z.strictObject({
  ids: z.array(z.string().max(64)).max(2000).optional(),
  domain: z.string().max(255).optional(),
  sender: z.string().max(400).optional(),
  recipient: z.string().max(400).optional(),
  states: z.array(z.enum(recipientStates)).optional(),
  receivedBeforeMs: z.number().optional(),
  receivedAfterMs: z.number().optional(),
})
type FilterWords = z.output<typeof filterShape>

const listQuery = z.object({
  id: z.string().max(64).optional().describe('The beginning of an id.'),
  domain: z.string().max(255).optional().describe('Of a recipient.'),
  sender: z.string().max(400).optional().describe('An address, or @example.com.'),
  recipient: z.string().max(400).optional().describe('The same.'),
  states: z.string().max(200).optional().describe('Separated by commas.'),
  receivedBeforeMs: z.coerce.number().optional(),
  receivedAfterMs: z.coerce.number().optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  after: z.string().max(40).optional().describe('`next` of the page before.'),
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
const countMs = 4_000
const countedOneByOne = 5_000

export function addQueue(site: Site, { gateway, clock, gatewaySettings, queue }: WebDeps): void {
  const mail = () => gateway.heldMail?.operations
  const scan = createScans()

  site.resource({
    method: 'get',
    path: '/api/queue',
    access: 'view',
    summary: 'A page of held messages, the oldest first.',
    query: listQuery,
    answer: listAnswer,
    async handle({ query: { id, states, limit = 50, after, ...rest } }) {
      const operations = mail()
      if (!operations) return { kind: 'ok', value: { messages: [], next: null } }
      const read = readStates(states)
      if (read.kind === 'wrong') return { kind: 'no', status: 400, why: read.why }
      return whileStoreWorks(async () => {
        const ids = id === undefined || id === '' ? undefined : await operations.find(id.toUpperCase())
        if (ids?.length === 0) return { kind: 'ok', value: { messages: [], next: null } }
        const filter = filterOf({
          ...rest,
          ...(read.states ? { states: read.states } : {}),
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

  site.resource({
    method: 'post',
    path: '/api/queue/count',
    access: 'operate',
    summary: 'How many messages match: what a person is told before something is done to them.',
    body: z.strictObject({ filter: filterShape }),
    answer: countAnswer,
    handle: ({ body }) =>
      scanned(async () => {
        const beforeMs = clock.now() + 1
        return { kind: 'ok', value: { ...(await countAll({ receivedBeforeMs: beforeMs, ...body.filter })), beforeMs } }
      }),
  })

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

  site.resource({
    method: 'post',
    path: '/api/queue/act',
    access: 'operate',
    summary: 'Does something to all messages that match, a piece a call: come again with `next`.',
    body: actBody,
    answer: actAnswer,
    handle: (asked) => scanned(() => act(asked)),
  })

  const scanned: typeof whileStoreWorks = (work) => whileStoreWorks(() => scan(work))

  async function act({
    body: { act: what, filter, to, messages, isAbout, after },
    audit,
  }: Asked<z.ZodObject, typeof actBody>): Promise<Answered<z.output<typeof actAnswer>>> {
    const operations = mail()
    if (!operations) return { kind: 'no', status: 404, why: 'nothing is held here' }
    if (after === undefined) {
      // More than was agreed to may match by now.
      const { messages: now, isExact } = await countAll(filter)
      if (isAbout ? isExact && now > messages : now !== messages || !isExact)
        return { kind: 'no', status: 409, why: `it is ${now.toLocaleString('en')} messages by now: look again` }
    }
    const sum = { messages: 0, recipients: 0, octets: 0, left: [] as { id: string; why: string }[], leftCount: 0 }
    const untilMs = clock.monotonicMs() + pieceMs
    let from = after
    do {
      const done = await operations.act(what, filterOf(filter), from, to)
      if ('kind' in done) return { kind: 'no', status: 400, why: 'this is no way that is declared' }
      sum.messages += done.messages
      sum.recipients += done.recipients
      sum.octets += done.octets
      sum.leftCount += done.leftCount
      if (sum.left.length < 20) sum.left.push(...done.left)
      from = done.next ?? undefined
    } while (from !== undefined && clock.monotonicMs() < untilMs)
    audit({
      act: what,
      ...auditedFilter(filter),
      ...(to === undefined ? {} : { to: printable(to, 200) }),
      messages: sum.messages,
    })
    return { kind: 'ok', value: { ...sum, next: from ?? null } }
  }

  async function countAll(filter: FilterWords) {
    const sum = { messages: 0, recipients: 0, octets: 0 }
    const operations = mail()
    const counted = countedAlready(filter)
    if (counted) return counted
    const untilMs = clock.monotonicMs() + countMs
    let from: string | undefined
    do {
      const piece = await operations?.act('count', filterOf(filter), from)
      if (!piece || 'kind' in piece) break
      sum.messages += piece.messages
      sum.recipients += piece.recipients
      sum.octets += piece.octets
      from = piece.next ?? undefined
    } while (from !== undefined && clock.monotonicMs() < untilMs)
    return { ...sum, isExact: from === undefined }
  }

  /** All, or all of a domain: where they are very many, what is counted anyway says about how many. */
  function countedAlready({ domain, receivedBeforeMs: _, ...others }: FilterWords) {
    if (Object.values(filterOf(others)).length > 0) return undefined
    const counts =
      domain === undefined || domain === '' ? queue?.totals : queue?.domains().find((each) => each.domain === domain)
    if (!counts || counts.messages < countedOneByOne) return undefined
    return { messages: counts.messages, recipients: counts.messages, octets: counts.bytes, isExact: false }
  }
}

function readStates(
  said: string | undefined,
):
  | { readonly kind: 'read'; readonly states: FilterWords['states'] }
  | { readonly kind: 'wrong'; readonly why: string } {
  if (said === undefined || said === '') return { kind: 'read', states: undefined }
  const parsed = z.array(z.enum(recipientStates)).safeParse(said.split(','))
  if (parsed.success) return { kind: 'read', states: parsed.data }
  return { kind: 'wrong', why: `states: there are ${recipientStates.join(', ')}` }
}

/** Without what was left empty. */
const filterOf = (said: FilterWords): QueueFilter =>
  Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== '')) as QueueFilter

/** What the log says of a filter: how it was chosen, without a person's address. */
function auditedFilter({ ids, domain, states, sender, recipient }: FilterWords) {
  return {
    ...(ids ? { ids: ids.slice(0, 20).map((id) => printable(id, 64)) } : {}),
    ...(domain === undefined ? {} : { domain: printable(domain, 255) }),
    ...(states ? { states } : {}),
    ...(sender !== undefined || recipient !== undefined ? { byAddress: true } : {}),
  }
}

async function whileStoreWorks<Value>(work: () => Promise<Answered<Value>>): Promise<Answered<Value>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreFailure)
      return { kind: 'no', status: 503, why: 'the store cannot be read or written now' }
    throw error
  }
}
