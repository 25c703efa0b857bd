/**
 * Rows of the hold as they go between threads: flat, because each message costs its cloning. `message-codec.ts` turns them into the values of the
 * contract; the operations beside this file read and write them. Columns are returned as arrays in the order given here.
 */
import { type RecipientState, recipientStates } from '../queue.ts'
import { numberOfState } from '../state-numbers.ts'

export const stateOf = (number: number): RecipientState => {
  const state = recipientStates[number]
  if (!state) throw new TypeError(`no state has the number ${number}`)
  return state
}

/** States as the bits of a number. */
export const statesMask = (states: readonly RecipientState[]): number =>
  states.reduce((mask, state) => mask | (1 << numberOfState[state]), 0)

/** What is for a person to see, and no longer on its way: it has a quota of its own and does not expire again. */
export const keptStates: readonly number[] = [numberOfState.refused, numberOfState.expired]

export type MessageRow = readonly [
  seq: number,
  id: string,
  received: number,
  expires: number,
  size: number,
  has8bit: number,
  inFile: number,
  sender: string | null,
  trace: Uint8Array,
  proof: string,
  facts: string,
]
export const messageColumns = 'seq, id, received, expires, size, has8bit, in_file, sender, trace, proof, facts'

export type RecipientRow = readonly [
  place: number,
  state: number,
  lane: number,
  address: string,
  wasKnown: number,
  attempts: number,
  notBefore: number | null,
  backend: string | null,
  elsewhere: number | null,
  keepUntil: number | null,
  firstRefused: number | null,
  delayTold: number,
  reply: string | null,
  extra: string | null,
]
export const recipientColumns =
  'place, state, lane, address, was_known, attempts, not_before, backend, elsewhere, keep_until, first_refused, delay_told, reply, extra'

/** A message with its recipients; `lanes` names the lanes that they have. */
export interface EntryRow {
  readonly message: MessageRow
  readonly recipients: readonly RecipientRow[]
}

export interface TaskRow extends EntryRow {
  readonly turn: number
}

/** A new recipient, in the order of the columns that `hold-rows.ts` fills. */
export type NewRecipientRow = readonly [
  place: number,
  state: number,
  lane: string,
  domain: string,
  address: string,
  wasKnown: number,
  notBefore: number | null,
  backend: string | null,
  elsewhere: number | null,
  reply: string | null,
  extra: string | null,
]

/** A new message. The payload that goes along holds the trace, and behind it the body where that is not in a file. */
export interface NewRow {
  readonly id: string
  readonly received: number
  readonly expires: number
  /** The soonest end among its recipients. */
  readonly due: number
  readonly turn: number
  readonly size: number
  readonly has8bit: number
  readonly sender: string | null
  readonly proof: string
  readonly facts: string
  readonly traceLength: number
  /** Of the body, where it lies in a file; undefined: in the payload. */
  readonly fileHash: Uint8Array | undefined
  readonly recipients: readonly NewRecipientRow[]
}

/** What a message counts for in the summaries: for each recipient its lane, state and domain. Lanes by name. */
export interface Tally {
  readonly size: number
  readonly received: number
  /** The client's address; null for mail of our own. */
  readonly client: string | null
  readonly recipients: readonly (readonly [lane: string, state: number, domain: string])[]
}

/** A message before and after; undefined where it is not there. */
export interface Change {
  readonly before: Tally | undefined
  readonly after: Tally | undefined
}
