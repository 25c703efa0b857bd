/**
 * What becomes of recipients of a message in the hold by what was said of each: gone, refused, put off, unknown, or as before. Pure; for `attempt`,
 * `hand-over` and `late-watch`, which have it written down.
 */
import type { Random } from '../../base/random.ts'
import { isPermanent, type Reply } from '../../mail/reply.ts'
import {
  type Attempt,
  type HeldRecipient,
  type RecipientState,
  recipientStates,
  type Settled,
  type SettledRecipient,
} from '../../queue/queue.ts'
import type { Answer, Carried } from '../carry/carried.ts'
import { pauseAfter } from '../pauses.ts'
import { type HeldBefore, putOff } from '../put-off.ts'
import type { Way } from '../ways/lanes.ts'
import { isUnknownRecipient } from './about-recipient.ts'
import { silenceReply, unknownUntilTold } from './may-have-it.ts'

export interface Answered {
  readonly index: number
  /** What it was when the backend was asked. Where it is something else by now, others have moved it: then nothing but a yes is written down. */
  readonly before: Before
  /** Undefined: the backend is silent behind our dot. */
  readonly answer: Answer | undefined
  /** Where it was held before: what was said of it then counts as well. */
  readonly held?: HeldBefore
}

/** The states of a row, and the backend behind whose dot it is unknown, where it is. */
export interface Before {
  readonly from: readonly RecipientState[]
  readonly behind?: string
}

/** Never without a look at what the row is now. */
export type ComparedRecipient = SettledRecipient & Before

export interface Refused {
  readonly index: number
  readonly reply: Reply
}

export interface Sorted {
  readonly recipients: readonly ComparedRecipient[]
  /** For good: what becomes of them is `after-hold`'s to say. */
  readonly refused: readonly Refused[]
  /** Of the attempt as a whole. */
  readonly outcome: Attempt['outcome']
}

export interface Sorting {
  /** On the wall clock. */
  readonly nowMs: number
  readonly random: Random
  readonly way: Way
  /** What became of the message; says behind whose dot it is unknown. */
  readonly carried: Carried | undefined
}

/** A backend that had accepted a recipient and refuses it now may have come back empty: it must say so for a day. */
const refusalRepeatsMs = 24 * 60 * 60_000

/**
 * What is to be written down of each recipient, and who is refused for good. One without an answer stays as it is, unless the backend is silent behind our dot.
 * @param answered  those that were asked, in any order
 */
export function sortAnswers(answered: readonly Answered[], { nowMs, random, way, carried }: Sorting): Sorted {
  const recipients: ComparedRecipient[] = []
  const refused: Refused[] = []
  for (const { index, before, answer, held } of answered) {
    if (answer === undefined) {
      if (carried?.kind !== 'unknown') continue
      const to = unknownUntilTold(carried, way, nowMs, random, held)
      recipients.push({ index, ...before, to, reply: silenceReply(carried) })
      continue
    }
    const { reply } = answer
    // A backend has it, whatever others have made of it meanwhile.
    if (answer.kind === 'accepted') recipients.push({ index, from: recipientStates, to: { kind: 'gone' }, reply })
    else if (isPermanent(reply) && !mustRepeat(held, reply, nowMs)) refused.push({ index, reply })
    else recipients.push({ index, ...before, to: waits(held, answer, nowMs, random), reply })
  }
  return { recipients, refused, outcome: outcomeOf(recipients, refused, carried) }
}

/** That a backend may have it outweighs what was said of some of its recipients: the others are told of it later. */
function outcomeOf(
  recipients: readonly ComparedRecipient[],
  refused: readonly Refused[],
  carried: Carried | undefined,
): Attempt['outcome'] {
  if (carried?.kind === 'unknown') return 'unknown'
  if (recipients.some(({ to }) => to.kind === 'gone')) return 'delivered'
  return refused.length > 0 ? 'refused' : 'deferred'
}

/** Of what was read when the attempt began. */
export const beforeOf = ({ state, backend }: Pick<HeldRecipient, 'state' | 'backend'>): Before =>
  state === 'unknown' && backend !== undefined ? { from: [state], behind: backend } : { from: [state] }

/** It speaks of the way there, not of the message: everything on this route waits for the same. */
export const isOfRoute = (answer: Answer): boolean =>
  answer.kind === 'outage' || (answer.kind === 'said' && answer.by !== 'backend' && !isPermanent(answer.reply))

const mustRepeat = (held: HeldBefore | undefined, said: Reply, nowMs: number) =>
  held?.wasKnown && isUnknownRecipient(said) && nowMs - (held.firstRefusedMs ?? nowMs) < refusalRepeatsMs

/** A backend's 4yz is obeyed, and a 5yz that is not believed yet waits as long. What speaks of the way there goes as soon as that is open. */
function waits(held: HeldBefore | undefined, answer: Answer, nowMs: number, random: Random): Settled {
  const to = putOff(held, pauseAfter(held?.attempts ?? 0, random), nowMs)
  if (isOfRoute(answer)) return to.kind === 'waiting' ? { kind: 'ready' } : to
  return isPermanent(answer.reply) ? { ...to, firstRefusedMs: held?.firstRefusedMs ?? nowMs } : to
}
