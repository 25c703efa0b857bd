/** What is asked of the rows and changes none of them: for people, and for the sweeper of what has waited too long. For `queue.ts` beside. */
import type { Queue, QueueFilter, QueuePage } from '../queue.ts'
import { numberOfState } from '../state-numbers.ts'
import { readAttempt } from './message-codec.ts'
import { allowedLimit, type QueueParts } from './parts.ts'

type Looking = Pick<Queue, 'list' | 'idsWith' | 'get' | 'nextWakes' | 'overdue' | 'countOverdue'>

export function createLooking({ room, counts, decode }: QueueParts): Looking {
  async function list(filter: QueueFilter, limit: number, from?: string): Promise<QueuePage> {
    const { entries, lanes, last } = await room.read('page', {
      ids: filter.ids,
      domain: filter.domain?.toLowerCase(),
      sender: filter.sender?.toLowerCase(),
      recipient: filter.recipient?.toLowerCase(),
      states: filter.states?.map((state) => numberOfState[state]),
      receivedBeforeMs: filter.receivedBeforeMs,
      receivedAfterMs: filter.receivedAfterMs,
      after: /^\d{1,15}$/.test(from ?? '') ? Number(from) : 0,
      limit: allowedLimit(limit),
    })
    return { messages: decode(entries, lanes), next: last === undefined ? undefined : String(last) }
  }

  return {
    list,
    idsWith: (prefix, limit) => room.read('idsWith', { prefix, limit: allowedLimit(limit) }),
    async get(id) {
      const found = await room.read('entry', id)
      const entry = found && decode([found.entry], found.lanes)[0]
      return entry && { ...entry, attempts: (await room.read('attemptsOf', id)).map(readAttempt) }
    },
    nextWakes: async () => new Map(await room.read('nextWakes', undefined)),
    async overdue(nowMs, limit) {
      const found = await room.read('overdue', { nowMs, limit: allowedLimit(limit) })
      return { expiring: decode(found.expiring, found.lanes), kept: decode(found.kept, found.lanes) }
    },
    async countOverdue(nowMs) {
      const overdue = await room.read('countOverdue', nowMs)
      const { messages, keptMessages } = counts.counters.totals
      return { overdue, all: messages - keptMessages }
    },
  }
}
