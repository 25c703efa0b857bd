/**
 * The main side of the writer: collects what is asked for while a transaction is under way, and sends it as one message that becomes one transaction
 * with one sync. Keeps what a failed COMMIT left unknown until it is taken back, tries again by itself after a failure, and from time to time where
 * nobody writes. For `open.ts`.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import { type FailureWords, fromWords, StoreFailure } from './failure.ts'
import { type Answer, type BatchAnswer, type Call, type Order, packCalls } from './protocol.ts'
import type { StoreState } from './store.ts'

export interface Write {
  readonly call: Call
  readonly payload: readonly Uint8Array[]
  /** Of the payload. */
  readonly octets: number
  readonly undo: Call | undefined
  committed(result: unknown): void
  resolve(result: unknown): void
  reject(error: unknown): void
}

type ProbeAnswer = Extract<Answer, { kind: 'probe' }>

export interface GroupCommit {
  add(write: Write): void
  /** What the writer thread said. */
  answered(answer: BatchAnswer | ProbeAnswer): void
  /** The thread is gone, or is to go: all that waits fails as `closed`, and what comes later too. */
  end(why: string): void
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>
  readonly isIdle: boolean
  readonly state: StoreState
}

export interface GroupCommitDeps {
  readonly clock: Clock
  post(order: Order, transfer: readonly ArrayBuffer[]): void
  changed(state: StoreState): void
}

const mostWrites = 256
const mostOctets = 16 * 1024 * 1024
/** So many make a second batch worth its sync. */
const worthSending = 16
/** A disk that gives no answer for so long has failed, for those who wait; what it does later is taken back. */
const answerMs = 30_000
const firstProbeMs = 1000
const longestProbeMs = 30_000
/** More than most single writes need, so that success means something. */
const probeOctets = 64 * 1024
/** When nothing was written for so long, a little is: a disk that has become read-only is known before mail needs it. */
const quietMs = 30_000
const quietOctets = 1024

export function createGroupCommit({ clock, post, changed }: GroupCommitDeps): GroupCommit {
  let waiting: Write[] = []
  /** Sent and not answered, in order. `writes` is empty for a probe, and where those who asked were told that it failed. */
  const underWay: { writes: readonly Write[]; undos: number; readonly isProbe: boolean }[] = []
  /** Those who asked were told that it failed, and the answer is still to come. */
  let wasGivenUp = false
  let isScheduled = false
  let undos: Call[] = []
  let state: StoreState = { kind: 'writable' }
  let probeMs = firstProbeMs
  const idlers: (() => void)[] = []
  const answer = new Deadline(clock, giveUp)
  const probe = new Deadline(clock, sendProbe)
  probe.arm(quietMs)

  function become(next: StoreState): void {
    const isSame = state.kind === next.kind && (next.kind !== 'failing' || (state as typeof next).code === next.code)
    if (state.kind === 'closed' || isSame) return
    state = next
    changed(next)
  }

  /** A second batch goes while the first is at the disk, so that the thread never waits for us; a small one waits to become larger. */
  const maySend = () => underWay.length === 0 || (underWay.length === 1 && waiting.length >= worthSending)

  function schedule(): void {
    if (isScheduled || waiting.length === 0 || !maySend()) return
    isScheduled = true
    // Whoever else asks in this turn comes along.
    queueMicrotask(() => {
      isScheduled = false
      if (waiting.length > 0 && maySend()) sendBatch()
    })
  }

  /** As many as fit in one transaction, from the front of those that wait. */
  function takeWrites(): readonly Write[] {
    let octets = 0
    let count = 0
    while (count < waiting.length && count < mostWrites) {
      octets += waiting[count]?.octets ?? 0
      if (octets > mostOctets && count > 0) break
      count++
    }
    const taken = count === waiting.length ? waiting : waiting.slice(0, count)
    waiting = count === waiting.length ? [] : waiting.slice(count)
    return taken
  }

  function sendBatch(): void {
    const writes = takeWrites()
    const { calls, payloads } = pack(writes)
    try {
      post({ kind: 'batch', undos, calls, payloads }, [payloads])
    } catch (error) {
      // Something that cannot be cloned: a bug of whoever asked.
      for (const write of writes) write.reject(error)
      schedule()
      return
    }
    sent(writes, false)
  }

  function sendProbe(): void {
    if (state.kind === 'closed') return
    if (underWay.length > 0) {
      // What is under way will tell, and whoever it tells nothing of asks again.
      probe.arm(firstProbeMs)
      return
    }
    post({ kind: 'probe', undos, octets: state.kind === 'writable' ? quietOctets : probeOctets }, [])
    sent([], true)
  }

  function sent(writes: readonly Write[], isProbe: boolean): void {
    underWay.push({ writes, undos: undos.length, isProbe })
    if (underWay.length === 1) answer.arm(answerMs)
  }

  function giveUp(): void {
    const failure = new StoreFailure('io', `the disk gives no answer for ${answerMs / 1000} s`, true)
    wasGivenUp = true
    become({ kind: 'failing', code: failure.code, why: failure.message })
    for (const batch of underWay) {
      const { writes } = batch
      batch.writes = []
      refuse(writes, failure)
    }
    for (const write of waiting.splice(0)) write.reject(new StoreFailure('io', failure.message))
  }

  function refuse(writes: readonly Write[], failure: StoreFailure): void {
    for (const write of writes) {
      // A new array: what was sent keeps what it was sent with.
      if (failure.isUnknown && write.undo) undos = [...undos, write.undo]
      write.reject(failure)
    }
  }

  function failed(words: FailureWords): StoreFailure {
    const failure = fromWords(words)
    become({ kind: 'failing', code: failure.code, why: failure.message })
    probe.arm(probeMs)
    return failure
  }

  function answered(said: BatchAnswer | ProbeAnswer): void {
    const batch = underWay.shift()
    if (!batch) return
    if (underWay.length > 0) answer.arm(answerMs)
    else answer.disarm()
    if (said.failure) {
      refuse(batch.writes, failed(said.failure))
      if (batch.isProbe) probeMs = Math.min(longestProbeMs, probeMs * 2)
    } else {
      undos = undos.slice(batch.undos)
      // Another that is under way was sent with the same ones, which do no harm twice.
      for (const other of underWay) other.undos = Math.max(0, other.undos - batch.undos)
      if (said.kind === 'batch') settle(batch.writes, said)
      else if (!wasGivenUp) {
        probeMs = firstProbeMs
        become({ kind: 'writable' })
      }
      if (state.kind === 'writable') probe.arm(quietMs)
    }
    if (underWay.length === 0) {
      // It answers again: what was given up is taken back now.
      if (wasGivenUp) probe.arm(0)
      wasGivenUp = false
    }
    schedule()
    if (underWay.length === 0 && waiting.length === 0) for (const idler of idlers.splice(0)) idler()
  }

  function settle(writes: readonly Write[], { results, failed: bad }: BatchAnswer): void {
    const outcomes = new Map(bad)
    writes.forEach((write, index) => {
      const outcome = outcomes.get(index)
      if (!outcome) {
        write.committed(results[index])
        write.resolve(results[index])
      } else if (outcome.kind === 'failed') write.reject(failed(outcome.failure))
      else write.reject(new Error(outcome.message))
    })
  }

  return {
    add(write) {
      if (state.kind === 'closed') write.reject(new StoreFailure('closed', 'the store is closed'))
      else if (wasGivenUp) write.reject(new StoreFailure('io', 'the disk gives no answer'))
      else {
        waiting.push(write)
        schedule()
      }
    },
    answered,
    end(why) {
      const failure = new StoreFailure('closed', why, true)
      const all = [...underWay.splice(0).flatMap(({ writes }) => writes), ...waiting]
      waiting = []
      become({ kind: 'closed' })
      answer.end()
      probe.end()
      for (const write of all) write.reject(failure)
      for (const idler of idlers.splice(0)) idler()
    },
    async idle() {
      if (underWay.length > 0 || waiting.length > 0) await new Promise<void>((resolve) => idlers.push(resolve))
    },
    get isIdle() {
      return underWay.length === 0 && waiting.length === 0
    },
    get state() {
      return state
    },
  }
}

/** The calls, and the octets of all of them in one piece of memory, which changes hands without a copy. */
function pack(writes: readonly Write[]): { calls: unknown[]; payloads: ArrayBuffer } {
  let size = 0
  for (const { octets } of writes) size += octets
  // Slow means of its own, and unsafe that it is not cleared first: all of it is written.
  const bytes = Buffer.allocUnsafeSlow(size)
  let at = 0
  const calls = writes.map(({ call, payload, octets }) => {
    const offset = at
    for (const part of payload) {
      bytes.set(part, at)
      at += part.length
    }
    return { ...call, offset, octets }
  })
  return { calls: packCalls(calls), payloads: bytes.buffer as ArrayBuffer }
}
