/**
 * The health of one endpoint, as a pure state machine. Others ask and tell it: deliveries tell what connecting brought
 * and when a dot left and was answered; `balance.ts` asks who is a candidate; `gateway/backends/probe.ts` tries what is down.
 */

/** `up`, then `suspect`, are candidates for mail; `slow`, `down` and `out` are not. */
export type HealthState = 'up' | 'suspect' | 'slow' | 'down' | 'out'

export const isServing = (state: HealthState): boolean => state === 'up' || state === 'suspect'

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
  /** Each dot that has no answer yet, in the order of time. Kept short: one per session. */
  readonly behindDot: readonly Dot[]
  /** What the last failure was, for people. */
  readonly lastFault: string | undefined
  /** What else went wrong since its last delivery, in a session that had begun; for people alone: it says nothing of the state. */
  readonly trouble: string | undefined
  /** The last failure was a 5yz to greeting, EHLO or STARTTLS: the endpoint is there, and does not want us. */
  readonly isRefusingUs: boolean
}

/** A message whose dot has left for the endpoint. Known by its identity. */
export interface Dot {
  /** On the monotonic clock. */
  readonly sentMs: number
  /** Of the client that sent the message: its /24 or /48. */
  readonly network: string
}

export type HealthEvent =
  | { readonly kind: 'opened' }
  /** `isRefused`: nobody listens. `isRefusingUs`: as in `Health`. */
  | { readonly kind: 'failed'; readonly isRefused: boolean; readonly isRefusingUs: boolean; readonly fault: string }
  | { readonly kind: 'delivered' }
  /** A session ended before the dot, or was told that no mail is taken now. */
  | { readonly kind: 'troubled'; readonly what: string }
  | { readonly kind: 'dot-sent'; readonly dot: Dot }
  /** `isAnswer` false: we stopped waiting. */
  | { readonly kind: 'dot-over'; readonly dot: Dot; readonly atMs: number; readonly isAnswer: boolean }
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
  behindDot: [],
  lastFault: undefined,
  trouble: undefined,
  isRefusingUs: false,
}

/** For people: why one is suspect that no attempt was made at yet. */
export const downBefore = 'it was down when the gateway ended, and has not answered since'

/** Of one that was down when the last process ended: a candidate, because it may be back, and no better than one that has just failed. */
export const doubtedHealth: Health = { ...freshHealth, failures: 1, lastFault: downBefore }

export function nextHealth(health: Health, event: HealthEvent): Health {
  switch (event.kind) {
    case 'opened':
      if (health.failures === 0 && !health.isDown) return health
      // One that was down must show three messages before it gets its whole share again.
      return { ...health, failures: 0, isDown: false, isRefusingUs: false, proven: health.isDown ? 0 : health.proven }
    case 'failed': {
      const failures = health.failures + 1
      const isDown = health.isDown || event.isRefused || failures >= failuresUntilDown
      return { ...health, failures, isDown, lastFault: event.fault, isRefusingUs: event.isRefusingUs }
    }
    case 'delivered':
      if (health.proven >= messagesUntilTrusted && health.trouble === undefined) return health
      return { ...health, proven: Math.min(messagesUntilTrusted, health.proven + 1), trouble: undefined }
    case 'troubled':
      return { ...health, trouble: event.what }
    case 'dot-sent':
      return { ...health, behindDot: [...health.behindDot, event.dot] }
    case 'dot-over': {
      const at = health.behindDot.indexOf(event.dot)
      const behindDot = at < 0 ? health.behindDot : health.behindDot.toSpliced(at, 1)
      return { ...health, behindDot, answeredMs: event.isAnswer ? event.atMs : health.answeredMs }
    }
    case 'taken-out':
      return { ...health, isOut: true }
    case 'put-back':
      return { ...health, isOut: false }
  }
}

/**
 * @param nowMs  on the monotonic clock
 * @param network  of the client whose mail is to go there, as in `Dot`; without it, what holds for everybody
 */
export function healthState(health: Health, nowMs: number, network?: string): HealthState {
  if (health.isOut) return 'out'
  if (health.isDown) return 'down'
  if (health.behindDot.length >= slowFrom && isSlow(health, nowMs, network)) return 'slow'
  return health.failures > 0 ? 'suspect' : 'up'
}

/**
 * Three are waiting for over a minute, and nothing was answered since they began to. Where all three came from one network, the endpoint is
 * slow for that network alone: somebody whose messages are hard to digest must not take a backend away from everybody else, and where there
 * is nobody else, those who wait there are sent elsewhere all the same.
 */
function isSlow(health: Health, nowMs: number, network: string | undefined): boolean {
  const silent = silentDots(health, nowMs)
  if (silent.length < slowFrom) return false
  if (silent.some((dot) => dot.network !== silent[0]?.network)) return true
  return silent[0]?.network === network
}

function silentDots(health: Health, nowMs: number): readonly Dot[] {
  return health.behindDot.filter(({ sentMs }) => nowMs - sentMs > slowAfterMs && sentMs >= health.answeredMs)
}

/** What is wrong with the endpoint now, for people: not what was wrong before it came back. */
export const faultNow = ({ failures, isDown, lastFault, trouble }: Health): string | undefined =>
  failures > 0 || isDown ? lastFault : trouble

/** The one network that the endpoint is slow for, where it is not so for everybody. */
export function slowNetwork(health: Health, nowMs: number): string | undefined {
  const network = health.behindDot.length < slowFrom ? undefined : silentDots(health, nowMs)[0]?.network
  const isForIt = network !== undefined && healthState(health, nowMs, network) === 'slow'
  return isForIt && healthState(health, nowMs) !== 'slow' ? network : undefined
}

/** When the endpoint may become slow next, by nothing but time, on the monotonic clock; undefined where it cannot. */
export function nextSlowMs({ behindDot }: Health, nowMs: number): number | undefined {
  // The dots before the third make nobody slow.
  const next = behindDot.find((dot, index) => index >= slowFrom - 1 && nowMs - dot.sentMs <= slowAfterMs)
  return next && next.sentMs + slowAfterMs + 1
}

/** The part of its share that an endpoint gets: a quarter when it has just come back, all of it after three messages. */
export function trust(health: Health): number {
  return (Math.min(health.proven, messagesUntilTrusted) + 1) / (messagesUntilTrusted + 1)
}
