/**
 * The health of one endpoint, as a pure state machine (SEMANTICS.md §3). Others ask and tell it: deliveries tell what connecting brought
 * and when a dot left and was answered; `balance.ts` asks who is a candidate; `gateway/probe` tries what is down.
 */

/** `up`, then `suspect`, are candidates for mail; `slow`, `down` and `out` are not. */
export type HealthState = 'up' | 'suspect' | 'slow' | 'down' | 'out'

export interface Health {
  /** Failures to connect, greet, say EHLO or secure, in a row. */
  readonly failures: number
  readonly isDown: boolean
  /** Taken out of service by a person. */
  readonly isOut: boolean
  /** Messages delivered since it came back; 3 and more are full trust. Starts full: a fresh gateway distrusts nobody. */
  readonly proven: number
  /** When the last answer to a dot came, on the monotonic clock. */
  readonly answeredMs: number
  /** When each dot left that has no answer yet. Kept short: one per session. */
  readonly behindDotMs: readonly number[]
  /** What the last failure was, for people. */
  readonly lastFault: string | undefined
}

export type HealthEvent =
  | { readonly kind: 'opened' }
  | { readonly kind: 'failed'; readonly isRefused: boolean; readonly fault: string }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'dot-sent'; readonly atMs: number }
  /** `isAnswer` false: we stopped waiting. */
  | { readonly kind: 'dot-over'; readonly sentMs: number; readonly atMs: number; readonly isAnswer: boolean }
  | { readonly kind: 'taken-out' }
  | { readonly kind: 'put-back' }

const failuresUntilDown = 3
const messagesUntilTrusted = 3
const slowAfterMs = 60_000
const slowFrom = 3

export const freshHealth: Health = {
  failures: 0,
  isDown: false,
  isOut: false,
  proven: messagesUntilTrusted,
  answeredMs: Number.NEGATIVE_INFINITY,
  behindDotMs: [],
  lastFault: undefined,
}

export function nextHealth(health: Health, event: HealthEvent): Health {
  switch (event.kind) {
    case 'opened':
      if (health.failures === 0 && !health.isDown) return health
      // One that was down must show three messages before it gets its whole share again.
      return { ...health, failures: 0, isDown: false, proven: health.isDown ? 0 : health.proven }
    case 'failed': {
      const failures = health.failures + 1
      const isDown = health.isDown || event.isRefused || failures >= failuresUntilDown
      return { ...health, failures, isDown, lastFault: event.fault }
    }
    case 'delivered':
      return health.proven >= messagesUntilTrusted ? health : { ...health, proven: health.proven + 1 }
    case 'dot-sent':
      return { ...health, behindDotMs: [...health.behindDotMs, event.atMs] }
    case 'dot-over': {
      const at = health.behindDotMs.indexOf(event.sentMs)
      const behindDotMs = at < 0 ? health.behindDotMs : health.behindDotMs.toSpliced(at, 1)
      return { ...health, behindDotMs, answeredMs: event.isAnswer ? event.atMs : health.answeredMs }
    }
    case 'taken-out':
      return { ...health, isOut: true }
    case 'put-back':
      return { ...health, isOut: false }
  }
}

/** @param nowMs  on the monotonic clock */
export function healthState(health: Health, nowMs: number): HealthState {
  if (health.isOut) return 'out'
  if (health.isDown) return 'down'
  if (health.behindDotMs.length >= slowFrom && isSlow(health, nowMs)) return 'slow'
  return health.failures > 0 ? 'suspect' : 'up'
}

/** Three are waiting for over a minute, and nothing was answered since they began to. */
function isSlow(health: Health, nowMs: number): boolean {
  const silent = health.behindDotMs.filter((sentMs) => nowMs - sentMs > slowAfterMs && sentMs >= health.answeredMs)
  return silent.length >= slowFrom
}

/** The part of its share that an endpoint gets: a quarter when it has just come back, all of it after three messages. */
export function trust(health: Health): number {
  return (Math.min(health.proven, messagesUntilTrusted) + 1) / (messagesUntilTrusted + 1)
}
