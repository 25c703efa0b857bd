/**
 * Finds out behind our 250 whether the senders of held messages are who they say, and writes it down with the message: what SPF says now, while
 * the client is the one that it speaks of, may be gone when a backend refuses the message days later. Where DNS does not answer it is asked
 * again; what is undecided still when it matters, `notices` asks once more.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ReversePath } from '../../mail/address.ts'
import type { Client } from '../../mail/message.ts'
import type { NewHeld, Queue } from '../../queue/queue.ts'
import { StoreFailure } from '../../queue/queue.ts'
import type { SenderProofs } from './sender-proof.ts'

export interface HeldProofs {
  /** A message has been held. Returns at once. */
  held(newly: NewHeld): void
  stop(): void
}

interface Open {
  readonly id: string
  readonly client: Client
  readonly sender: ReversePath
  readonly tries: number
  /** On the monotonic clock. */
  readonly dueMs: number
}

const minuteMs = 60_000
/** DNS did not answer: how long until it is asked again, and how often. */
const pausesMs = [1, 5, 20, 60, 240].map((minutes) => minutes * minuteMs)
/** Messages that wait to be asked about again, some hundred octets each. Those beyond it are asked about when it matters. */
const mostOpen = 10_000

export function createHeldProofs(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly queue: Pick<Queue, 'settle'>
  readonly proofs: SenderProofs
}): HeldProofs {
  const { clock, log, queue, proofs } = deps
  let waiting: Open[] = []
  let underWay = 0
  let isStopped = false
  /** When the alarm rings. */
  let soonestMs = Number.POSITIVE_INFINITY
  const alarm = new Deadline(clock, () => {
    const nowMs = clock.monotonicMs()
    const due = waiting.filter(({ dueMs }) => dueMs <= nowMs + 1)
    waiting = waiting.filter(({ dueMs }) => dueMs > nowMs + 1)
    setAlarm(waiting.reduce((soonest, { dueMs }) => Math.min(soonest, dueMs), Number.POSITIVE_INFINITY))
    for (const open of due) void prove(open)
  })

  function setAlarm(dueMs: number): void {
    soonestMs = dueMs
    if (dueMs < Number.POSITIVE_INFINITY && !isStopped) alarm.armAt(dueMs)
  }

  async function prove(open: Open): Promise<void> {
    underWay++
    try {
      const proof = await proofs.prove(open.client, open.sender)
      if (isStopped) return
      if (proof.kind !== 'undecided') await queue.settle({ id: open.id, recipients: [], proof })
      else wait(open)
    } catch (error) {
      // The message is as it was, and is asked about when it matters.
      if (!(error instanceof StoreFailure)) log.error('sender not proven', { id: open.id, error })
    } finally {
      underWay--
    }
  }

  function wait({ tries, ...open }: Open): void {
    const pauseMs = pausesMs[tries]
    if (pauseMs === undefined || waiting.length >= mostOpen) return
    const dueMs = clock.monotonicMs() + pauseMs
    waiting.push({ ...open, tries: tries + 1, dueMs })
    if (dueMs < soonestMs) setAlarm(dueMs)
  }

  return {
    held({ id, client, envelope, proof }) {
      if (proof.kind !== 'undecided' || !client || isStopped || underWay >= mostOpen) return
      void prove({ id, client, sender: envelope.sender, tries: 0, dueMs: 0 })
    },
    stop() {
      isStopped = true
      waiting = []
      alarm.end()
    },
  }
}
