/**
 * What becomes of one held recipient that a person wants something done to: decided by its state, because what a backend may have, and what a person
 * keeps back, is not for every command. Pure; called by `act` for each recipient that a command means.
 */
import type { HeldRecipient, Lane, RecipientState, Settled } from '../../queue/queue.ts'
import type { Act } from './queue-shapes.ts'

/** Some of them in words: what is left as it was, and why. Undefined: it is none of this. */
export type Decision =
  | Change
  | string
  /** It is as the command wants it, which is told where the message has no other recipient that changes. */
  | { readonly already: string }
  | undefined

export interface Change {
  readonly to: Settled
  readonly from: readonly RecipientState[]
  readonly lane?: Lane | undefined
}

export interface Circumstances {
  readonly nowMs: number
  /** Until then somebody may listen behind the dot of what is unknown. */
  readonly watchedUntilMs: number
  /** By its id or its state. */
  readonly isNamed: boolean
  /** Where it goes today, or where it was sent by `route`. */
  readonly lane: Lane | undefined
  readonly hasWays: boolean
}

const mayHaveIt = 'its backend may have it, and may still answer within ten minutes of being given it'
const waits: readonly RecipientState[] = ['ready', 'waiting', 'unknown', 'no-route']
const ended: readonly RecipientState[] = ['refused', 'expired', 'set-aside', 'corrupt']
const removable: readonly RecipientState[] = [...waits, ...ended, 'held']

export function decide(what: Exclude<Act, 'count'>, held: HeldRecipient, at: Circumstances): Decision {
  if (held.state === 'offered') return at.isNamed ? 'its sender is being answered at this moment' : undefined
  switch (what) {
    case 'hold':
      if (waits.includes(held.state)) return { to: { kind: 'held' }, from: waits }
      if (!at.isNamed) return undefined
      return held.state === 'held'
        ? { already: 'it is kept back already' }
        : 'it came to its end, and waits for a person'
    case 'release':
      if (held.state === 'held') return { ...goesOn(held, at), from: ['held'] }
      return at.isNamed ? { already: 'it is not kept back' } : undefined
    case 'remove':
      return { to: { kind: 'gone' }, from: removable }
    case 'retry':
      return retried(held, at)
    case 'route':
      return routed(held, at)
  }
}

function retried(held: HeldRecipient, at: Circumstances): Decision {
  switch (held.state) {
    case 'ready':
    case 'waiting':
      return { to: { kind: 'ready' }, from: ['ready', 'waiting'] }
    case 'unknown':
      if (at.nowMs < at.watchedUntilMs) return mayHaveIt
      return { ...goesOn(held, at), from: ['unknown'] }
    case 'held':
      return at.isNamed ? 'it is held by a person: release it' : undefined
    case 'no-route':
      if (at.hasWays && at.lane === undefined) return at.isNamed ? 'its domain has no route' : undefined
      return { ...goesOn(held, at), from: ['no-route'] }
    default:
      return at.isNamed ? { ...goesOn(held, at), from: ended } : undefined
  }
}

function routed(held: HeldRecipient, at: Circumstances): Decision {
  if (at.lane === undefined) return 'there is no such way for its domain'
  if (held.state === 'unknown' && at.nowMs < at.watchedUntilMs) return mayHaveIt
  const to: Settled = held.state === 'held' ? { kind: 'held' } : { kind: 'ready' }
  return { to, from: [held.state], lane: at.lane }
}

/** On its way again: to its backend first where that may have it, else by the route of today. */
function goesOn(
  { backend, elsewhereMs }: HeldRecipient,
  { nowMs, watchedUntilMs, lane, hasWays }: Circumstances,
): { to: Settled; lane?: Lane | undefined } {
  if (hasWays && lane === undefined) return { to: { kind: 'no-route' } }
  if (backend === undefined || elsewhereMs === undefined) return { to: { kind: 'ready' }, lane }
  return { to: { kind: 'unknown', backend, elsewhereMs, notBeforeMs: Math.max(nowMs, watchedUntilMs) }, lane }
}
