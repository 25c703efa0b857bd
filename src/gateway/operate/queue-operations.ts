/**
 * What a person may do with held mail: look at it, try it now, keep it back, let it go, send it another way, remove it. `waypost queue` asks, through
 * the control socket of a running gateway (`hold-parts` makes this for it), or on the store of a stopped one (`cli/queue/access`), which has no drain.
 *
 * Whatever touches many messages is done a page a call, and the caller comes again with `next`.
 */
import type { QueueFilter } from '../../queue/queue.ts'
import { act, type NoSuchWay } from './act.ts'
import type { ContentPart } from './held-content.ts'
import { cat, list, show } from './look.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'
import type { Act, ActAnswer, ListAnswer, ShowAnswer, StatsAnswer } from './queue-shapes.ts'
import { stats } from './stats.ts'

export interface QueueOperations {
  /** @param after  `next` of the page before */
  list(filter: QueueFilter, limit: number, after: string | undefined): Promise<ListAnswer>
  /** Ids that begin so, ten at most. */
  find(prefix: string): Promise<readonly string[]>
  show(id: string): Promise<ShowAnswer | undefined>
  /** A part of the message as a backend would get it, some MiB. */
  cat(id: string, offset: number): Promise<ContentPart | { readonly kind: 'gone' }>
  /**
   * Does it to the recipients that the filter means; a page a call.
   * @param to  for `route`: a backend's URL or a route's name
   */
  act(act: Act, filter: QueueFilter, after: string | undefined, to?: string): Promise<ActAnswer | NoSuchWay>
  /** @param most  domains that are named */
  stats(most: number): Promise<StatsAnswer>
  /** Drains that wait for a person, by backend: why. From memory, for who asks each second. */
  stopped(): ReadonlyMap<string, string>
  /** Lets stopped drains go on, or that of one backend; and the expiry where it was stopped. @returns what was resumed, for people */
  resume(backend: string | undefined): readonly string[]
}

const idsFound = 10

export function createQueueOperations(deps: QueueOperationsDeps): QueueOperations {
  const { queue, guard, running } = deps
  return {
    list: (filter, limit, after) => list(deps, filter, limit, after),
    find: (prefix) => queue.idsWith(prefix.toUpperCase(), idsFound),
    show: (id) => show(deps, id),
    cat: (id, offset) => cat(deps, id, offset),
    act: (what, filter, after, to) => act(deps, what, filter, after, to),
    stats: (most) => stats(deps, most),
    stopped: () => guard.stopped(),
    resume(backend) {
      const stopped = backend === undefined ? [...guard.stopped().keys()] : [backend]
      const resumed = stopped.filter((url) => guard.resume(url)).map((url) => `the drain to ${url}`)
      if (backend === undefined && running?.expiry.resume()) resumed.push('the expiry of what is overdue')
      if (resumed.length > 0) running?.drain.kick()
      return resumed
    },
  }
}
