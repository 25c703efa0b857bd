/**
 * Held mail leaves for a folder: what is to be written of a message, of which no backend may be asked meanwhile. Half of `queue-transfer`.
 */
import type { HeldRecipient, QueueFilter, Settled } from '../../queue/queue.ts'
import { watchedUntilMs } from '../settle/may-have-it.ts'
import { envelopeOf, type WrittenEnvelope } from './held-envelope.ts'
import { isMeant } from './is-meant.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'

export interface TakingOut {
  /** What is to be written of a message. */
  pack(id: string): Promise<Packed>
  /** The same, and holds these recipients back, so that no attempt is begun at what is about to leave. */
  take(id: string, filter: QueueFilter): Promise<Packed>
  /** Removes what was taken. @param indexes  of the recipients, as `take` named them */
  drop(id: string, indexes: readonly number[]): Promise<void>
}

export type Packed =
  | { readonly kind: 'packed'; readonly envelope: WrittenEnvelope }
  | { readonly kind: 'gone' }
  /** It stays as it is. */
  | { readonly kind: 'left'; readonly why: string }

export type TakingOutDeps = Pick<QueueOperationsDeps, 'queue' | 'clock' | 'log' | 'running'>

export function createTakingOut({ queue, clock, log, running }: TakingOutDeps): TakingOut {
  const isAttempting = (id: string) => running?.drain.isAttempting(id) ?? false

  function whyNotTaken(held: HeldRecipient, receivedMs: number): string | undefined {
    const { state } = held
    if (state === 'corrupt') return 'it is corrupt'
    if (state === 'offered') return 'its sender is being answered at this moment'
    const isWatched = state === 'unknown' && clock.now() < watchedUntilMs(held, receivedMs)
    return isWatched ? 'its backend may have it, and may still answer' : undefined
  }

  /** Of the first of them that cannot be taken. */
  const whyLeft = (recipients: readonly HeldRecipient[], receivedMs: number) =>
    recipients.map((held) => whyNotTaken(held, receivedMs)).find((each) => each !== undefined)

  return {
    async pack(id) {
      const entry = await queue.get(id)
      if (!entry) return { kind: 'gone' }
      const why = whyLeft(entry.recipients, entry.message.receivedMs)
      return why === undefined
        ? { kind: 'packed', envelope: envelopeOf(entry, entry.recipients, false) }
        : { kind: 'left', why }
    },

    async take(id, filter) {
      const entry = await queue.get(id)
      if (!entry) return { kind: 'gone' }
      const meant = entry.recipients.filter((held) => isMeant(held, filter))
      if (meant.length === 0) return { kind: 'gone' }
      const why = whyLeft(meant, entry.message.receivedMs)
      if (why !== undefined) return { kind: 'left', why }
      if (isAttempting(id)) return { kind: 'left', why: beingTaken }
      await queue.settle({
        id,
        recipients: meant.map(({ index, state }) => ({ index, to: { kind: 'held' }, from: [state] })),
      })
      running?.drain.kick(new Set(meant.map(({ lane }) => lane)))
      // An attempt may have begun, or ended, while that was written down.
      const after = await queue.get(id)
      const places = new Set(meant.map(({ index }) => index))
      const areHeld = after?.recipients.filter(({ index }) => places.has(index)).every(({ state }) => state === 'held')
      if (!after || !areHeld || after.recipients.length !== entry.recipients.length || isAttempting(id)) {
        await queue.settle({
          id,
          recipients: meant.map((held) => ({ index: held.index, to: asItWas(held), from: ['held'] as const })),
        })
        return { kind: 'left', why: beingTaken }
      }
      return { kind: 'packed', envelope: envelopeOf(entry, meant, true) }
    },

    async drop(id, indexes) {
      await queue.settle({ id, recipients: indexes.map((index) => ({ index, to: { kind: 'gone' }, from: ['held'] })) })
      log.info('exported and removed by a person', { id, recipients: indexes.length })
    },
  }
}

/** Undefined fields fall back to what is harmless. */
function asItWas({ state, notBeforeMs = 0, backend = '', elsewhereMs = 0, keepUntilMs = 0 }: HeldRecipient): Settled {
  switch (state) {
    case 'waiting':
      return { kind: state, notBeforeMs }
    case 'unknown':
      return { kind: state, notBeforeMs, backend, elsewhereMs }
    case 'refused':
    case 'expired':
      return { kind: state, keepUntilMs }
    case 'offered':
      return { kind: 'ready' }
    default:
      return { kind: state }
  }
}

const beingTaken = 'a backend is being asked to take it at this moment'
