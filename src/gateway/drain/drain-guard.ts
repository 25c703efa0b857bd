/**
 * Keeps a backend that came back empty from bouncing the queue: a server restored without its users refuses everybody. Where more than ten
 * recipients, and more than a fifth of those that it is asked about for the first time, are unknown to a backend that knew them, nothing more of the
 * hold goes there until a person has looked (`waypost queue resume`). Live mail is not touched: its senders hear the refusal and keep their copy.
 *
 * Whatever a stranger can bring about does not count: refusals of what a message says, of who sends it, and of addresses that nobody has vouched for. Each
 * recipient counts once, however many messages there are for it.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { heardAlerts, type Tell } from '../events.ts'

export interface DrainGuard {
  /** @param backend  its URL, as people know it */
  isStopped(backend: string): boolean
  /**
   * The first attempt of a message for a recipient that the backend knew.
   * @param recipient  its address
   * @param isUnknown  the backend says now that there is no such recipient
   */
  firstAttempt(backend: string, recipient: string, isUnknown: boolean): void
  /** Why each of them is stopped, for people. */
  stopped(): ReadonlyMap<string, string>
  /** A person says that it is in order. @returns whether it was stopped */
  resume(backend: string): boolean
  /** The backend has been away: what it did before says nothing of what it does now. */
  startOver(backend: string): void
  /** What was stopped before a restart. */
  restore(before: ReadonlyMap<string, string>): void
}

const mostRefused = 10
const mostShare = 0.2
/** When so many were counted, it starts over: what was said so long ago says little of now, and memory has an end. */
const mostCounted = 10_000

/** @param keep  called with each change, to keep it over a restart */
export function createDrainGuard({
  clock,
  log,
  tell,
  keep,
}: {
  clock: Clock
  log: Log
  tell?: Tell | undefined
  keep: (stopped: ReadonlyMap<string, string>) => void
}): DrainGuard {
  const stopped = new Map<string, string>()
  const counts = new Map<string, { readonly recipients: Set<string>; refused: number }>()
  return {
    isStopped: (backend) => stopped.has(backend),
    firstAttempt(backend, recipient, isUnknown) {
      let count = counts.get(backend)
      if (!count || count.recipients.size >= mostCounted) count = { recipients: new Set(), refused: 0 }
      counts.set(backend, count)
      // Local parts that differ in case alone are one mailbox to nearly every server, and a sender can write as many as there are letters.
      const address = recipient.toLowerCase()
      if (count.recipients.has(address)) return
      count.recipients.add(address)
      if (isUnknown) count.refused++
      const { refused, recipients } = count
      if (stopped.has(backend) || refused <= mostRefused || refused <= mostShare * recipients.size) return
      const why = `it knows ${refused} of the first ${recipients.size} recipients of held mail no more`
      stopped.set(backend, why)
      keep(stopped)
      tell?.({ kind: 'drain-stopped', atMs: clock.now(), backend, why })
      log.alert(heardAlerts.drainStopped, { backend, why, remedy: `waypost queue resume ${backend}` })
    },
    stopped: () => stopped,
    resume(backend) {
      counts.delete(backend)
      if (!stopped.delete(backend)) return false
      keep(stopped)
      tell?.({ kind: 'drain-resumed', atMs: clock.now(), backend, why: undefined })
      log.info('drain resumed', { backend })
      return true
    },
    restore(before) {
      for (const [backend, why] of before) stopped.set(backend, why)
    },
    startOver: (backend) => void counts.delete(backend),
  }
}
