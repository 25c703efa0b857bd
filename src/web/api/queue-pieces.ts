/**
 * What is done to many held messages, or only counted, for as long as a call may take: a piece after the other, and where to go on. A part of `queue.ts`.
 */
import type { Clock } from '../../base/clock.ts'
import type { NoSuchWay } from '../../gateway/operate/act.ts'
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import type { Act, ActAnswer } from '../../gateway/operate/queue-shapes.ts'
import type { WebDeps } from '../deps.ts'
import { type FilterWords, filterOf } from './queue-filter.ts'

type Operations = Pick<QueueOperations, 'act'>

/** What is to be done, to which. */
export interface ToDo {
  readonly act: Act
  readonly filter: FilterWords
  /** For `route`. */
  readonly to?: string | undefined
  /** `next` of the piece before. */
  readonly after?: string | undefined
}

export interface Counted {
  readonly messages: number
  readonly recipients: number
  readonly octets: number
  /** False: there are too many to be counted one by one, and it is about so many. */
  readonly isExact: boolean
}

const countMs = 4_000
const countedOneByOne = 5_000
/** Of those that it was not done to. */
const mostListed = 20

/** Does it to those that match until they are over, or the time is. */
export async function actFor(
  clock: Clock,
  forMs: number,
  operations: Operations,
  { act, filter, to, after }: ToDo,
): Promise<Pick<ActAnswer, 'messages' | 'recipients' | 'octets' | 'left' | 'leftCount' | 'next'> | NoSuchWay> {
  const sum = { messages: 0, recipients: 0, octets: 0, left: [] as ActAnswer['left'], leftCount: 0 }
  const untilMs = clock.monotonicMs() + forMs
  let from = after
  do {
    const done = await operations.act(act, filterOf(filter), from, to)
    if ('kind' in done) return done
    sum.messages += done.messages
    sum.recipients += done.recipients
    sum.octets += done.octets
    sum.leftCount += done.leftCount
    if (sum.left.length < mostListed) sum.left.push(...done.left)
    from = done.next ?? undefined
  } while (from !== undefined && clock.monotonicMs() < untilMs)
  return { ...sum, next: from ?? null }
}

/** How many match: what a person agrees to. @param operations  undefined: nothing is held here */
export async function countAll(
  { clock, queue }: Pick<WebDeps, 'clock' | 'queue'>,
  operations: Operations | undefined,
  filter: FilterWords,
): Promise<Counted> {
  const already = countedAlready(queue, filter)
  if (already) return already
  const counted = operations && (await actFor(clock, countMs, operations, { act: 'count', filter }))
  if (!counted || 'kind' in counted) return { messages: 0, recipients: 0, octets: 0, isExact: true }
  const { messages, recipients, octets, next } = counted
  return { messages, recipients, octets, isExact: next === null }
}

/** All, or all of a domain: where they are very many, what is counted anyway says about how many. */
function countedAlready(
  queue: WebDeps['queue'],
  { domain, receivedBeforeMs: _, ...others }: FilterWords,
): Counted | undefined {
  if (Object.values(filterOf(others)).length > 0) return undefined
  const counts =
    domain === undefined || domain === '' ? queue?.totals : queue?.domains().find((each) => each.domain === domain)
  if (!counts || counts.messages < countedOneByOne) return undefined
  return { messages: counts.messages, recipients: counts.messages, octets: counts.bytes, isExact: false }
}
