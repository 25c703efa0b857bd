/** Sessions without a server, for tests of a pool: the test says when one has opened, what its server does, and what time it is. */
import assert from 'node:assert/strict'
import type { Cancel } from '../../src/base/cancel.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Fault } from '../../src/delivery/outcome.ts'
import type { OpenOne } from '../../src/delivery/pool.ts'
import type { ClientSession } from '../../src/smtp/client/session.ts'

/** A clock that stands still until it is told to go on. */
export function standingClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>()
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    pass(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const [next] = [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)
        if (!next) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.dueMs)
        next.run()
      }
      nowMs = untilMs
    },
  }
}

export class FakeSession {
  state: 'open' | 'ended by its server' | 'over' = 'open'
  /** Said something that nobody asked for. */
  hasSpoken = false
  /** RSET was said, and is not answered yet: whether it is fit for use again. */
  answerReset: ((isFit: boolean) => void) | undefined
  readonly connection = { socket: {}, onGone: () => undefined as unknown, onLost: () => undefined as unknown }
  readonly localAddress = undefined

  get isQuiet(): boolean {
    return this.state === 'open' && !this.hasSpoken
  }

  reset(): Promise<boolean> {
    if (this.state !== 'open') {
      this.destroy()
      return Promise.resolve(false)
    }
    return new Promise((resolve) => {
      this.answerReset = (isFit) => {
        this.answerReset = undefined
        const isAnswered = isFit && this.isQuiet
        if (!isAnswered) this.destroy()
        resolve(isAnswered)
      }
    })
  }

  quit(): void {
    this.#end()
  }

  destroy(): void {
    this.#end()
  }

  abandon(): void {
    this.#end()
  }

  /** The server hangs up; our side stands until somebody looks. */
  close(): void {
    if (this.state !== 'open') return
    this.state = 'ended by its server'
    this.connection.onGone()
    this.answerReset?.(false)
  }

  #end(): void {
    if (this.state === 'over') return
    const isFirst = this.state === 'open'
    this.state = 'over'
    if (isFirst) this.connection.onGone()
    this.connection.onLost()
    this.answerReset?.(false)
  }

  get asClient(): ClientSession {
    return this as unknown as ClientSession
  }
}

/** A session that is being opened. */
export interface FakeOpening {
  /** Of the wish that it is for: tests give each its own. */
  readonly readyUntilMs: number
  readonly cancel: Cancel | undefined
  succeed(): FakeSession
  fail(fault?: Fault): void
  /** A bug of ours. */
  crash(): void
}

export interface FakeServer {
  readonly open: OpenOne
  /** Not decided yet, in order. */
  readonly openings: FakeOpening[]
  readonly sessions: FakeSession[]
}

export function fakeServer(): FakeServer {
  const openings: FakeOpening[] = []
  const sessions: FakeSession[] = []
  const open: OpenOne = (readyUntilMs, _hasOthers, cancel) =>
    new Promise((resolve, reject) => {
      const decide = () => {
        const at = openings.indexOf(opening)
        assert(at >= 0, 'decided once')
        openings.splice(at, 1)
      }
      const opening: FakeOpening = {
        readyUntilMs,
        cancel,
        succeed() {
          decide()
          const session = new FakeSession()
          sessions.push(session)
          resolve({ kind: 'open', session: session.asClient })
          return session
        },
        fail(fault = refusedConnection) {
          decide()
          resolve({ kind: 'failed', fault })
        },
        crash() {
          decide()
          reject(new TypeError('a bug'))
        },
      }
      openings.push(opening)
    })
  return { open, openings, sessions }
}

export const refusedConnection: Fault = { kind: 'refused', step: 'connect', reply: undefined, detail: 'ECONNREFUSED' }

/** The greeting of a server that has enough sessions of ours. */
export const tooMany: Fault = {
  kind: 'rejected',
  step: 'greeting',
  reply: { code: 421, enhanced: undefined, text: ['Too many'] },
  detail: '421 Too many',
}

/** All that can happen without another step of the test has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
