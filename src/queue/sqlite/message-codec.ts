/**
 * Turns messages, recipients and settlements into rows and back, on the main side. Addresses are kept as their canonical text; what else is known of an
 * envelope or a recipient is kept as JSON, whole, so that a new field of theirs needs no new column.
 */
import type { IpAddress } from '../../base/ip.ts'
import { barePostmaster, type Mailbox, parseMailbox, type ReversePath } from '../../mail/address.ts'
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Counted } from '../counters.ts'
import {
  type Attempt,
  type HeldEntry,
  type HeldMessage,
  type HeldRecipient,
  type Lane,
  type NewHeld,
  recipientStates,
  type SenderProof,
  type Settled,
  type Settlement,
} from '../queue.ts'
import { numberOfState } from '../state-numbers.ts'
import type { AttemptRow } from './attempt-rows.ts'
import type { AddedRow } from './hold-rows.ts'
import {
  type EntryRow,
  type MessageRow,
  type NewRecipientRow,
  type NewRow,
  type RecipientRow,
  stateOf,
  statesMask,
  type Tally,
} from './rows.ts'
import { asItIs, gone, type SettledRow, type SettlementRow } from './settle-rows.ts'

/** The body as it is to be stored: in the row, or in a file that is there already. */
export type StoredBody =
  | { readonly kind: 'blocks'; readonly blocks: readonly Buffer[]; readonly size: number }
  | { readonly kind: 'file'; readonly sha256: Uint8Array; readonly size: number }

/** @param turnMs  on the wall clock */
export function newRow(message: NewHeld, body: StoredBody, turnMs: number): NewRow {
  const { sender, ...envelope } = message.envelope
  return {
    id: message.id,
    received: Math.round(message.receivedMs),
    expires: Math.round(message.expiresMs),
    due: Math.round(message.recipients.reduce(soonerEnd, message.expiresMs)),
    turn: Math.round(turnMs),
    size: body.size,
    has8bit: message.body.has8bit ? 1 : 0,
    sender: sender?.text ?? null,
    proof: JSON.stringify(message.proof),
    facts: JSON.stringify({ client: message.client, envelope }),
    traceLength: message.trace.length,
    fileHash: body.kind === 'file' ? body.sha256 : undefined,
    recipients: message.recipients.map(newRecipientRow),
  }
}

const soonerEnd = (soonestMs: number, { expiresMs }: NewRecipient) => Math.min(soonestMs, expiresMs ?? soonestMs)

/** Of recipients that are added to a message. */
export const addedRow = (message: NewHeld, turnMs: number): AddedRow => ({
  id: message.id,
  turn: Math.round(turnMs),
  recipients: message.recipients.map(newRecipientRow),
})

/** What goes along with the row. */
export const payloadOf = (message: NewHeld, body: StoredBody): readonly Uint8Array[] =>
  body.kind === 'blocks' ? [message.trace, ...body.blocks] : [message.trace]

type NewRecipient = NewHeld['recipients'][number]

function newRecipientRow(held: NewRecipient, at: number): NewRecipientRow {
  return [
    held.index ?? at,
    numberOfState[held.state],
    held.lane,
    held.recipient.domain ?? '',
    held.recipient.text,
    held.wasKnown ? 1 : 0,
    moment(held.notBeforeMs),
    held.backend ?? null,
    moment(held.elsewhereMs),
    held.lastReply ? JSON.stringify(held.lastReply) : null,
    extraOf(held.recipient, moment(held.expiresMs)),
  ]
}

/** What a recipient has beside its mailbox, with its own end, where it has one: `setDue` reads that by its name. */
function extraOf({ localPart, domain, literal, text, ...extra }: Recipient, expiresMs: number | null): string | null {
  if (expiresMs !== null) return JSON.stringify({ ...extra, expiresMs })
  for (const _ in extra) return JSON.stringify(extra)
  return null
}

/** @returns `own` undefined: nothing */
function readExtra(json: string | null): { readonly own?: Partial<Recipient>; readonly expiresMs?: number } {
  if (json === null) return {}
  const { expiresMs, ...own } = JSON.parse(json) as Partial<Recipient> & { expiresMs?: number }
  return expiresMs === undefined ? { own } : { own, expiresMs }
}

const moment = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms))
const absent = <T>(value: T | null): T | undefined => (value === null ? undefined : value)

export function countedNew(message: NewHeld, size: number): Counted {
  return {
    size,
    receivedMs: Math.round(message.receivedMs),
    client: message.client?.address,
    recipients: message.recipients.map(({ lane, state, recipient }) => ({
      lane,
      state,
      domain: recipient.domain ?? '',
    })),
  }
}

export function countedRow(tally: Tally | undefined): Counted | undefined {
  return (
    tally && {
      size: tally.size,
      receivedMs: tally.received,
      client: (tally.client ?? undefined) as IpAddress | undefined,
      recipients: tally.recipients.map(([lane, state, domain]) => ({ lane, state: stateOf(state), domain })),
    }
  )
}

/** Throws where a row holds what we never wrote. */
export function heldEntry(row: EntryRow, lanes: ReadonlyMap<number, string>): HeldEntry {
  return { message: heldMessage(row.message), recipients: row.recipients.map((each) => heldRecipient(each, lanes)) }
}

function heldMessage(row: MessageRow): HeldMessage {
  const [, id, received, expires, size, has8bit, , sender, trace, proof, facts] = row
  const { client, envelope } = JSON.parse(facts) as {
    client?: Client
    envelope: Omit<Envelope, 'sender'>
  }
  return {
    id,
    receivedMs: received,
    expiresMs: expires,
    client: client && { ...client, tls: client.tls },
    // JSON leaves out what is undefined; the contract names it.
    envelope: {
      ...envelope,
      sender: reversePath(sender),
      body: envelope.body,
      declaredSize: envelope.declaredSize,
      ret: envelope.ret,
      envid: envelope.envid,
    },
    trace: Buffer.from(trace.buffer, trace.byteOffset, trace.byteLength),
    size,
    has8bit: has8bit === 1,
    proof: JSON.parse(proof) as SenderProof,
  }
}

function heldRecipient(row: RecipientRow, lanes: ReadonlyMap<number, string>): HeldRecipient {
  const [place, state, lane, address, wasKnown, attempts, notBefore, backend, elsewhere] = row
  const [keepUntil, firstRefused, delayTold, reply, extra] = row.slice(9) as unknown as [
    number | null,
    number | null,
    number,
    string | null,
    string | null,
  ]
  const { own, ...end } = readExtra(extra)
  return {
    ...end,
    index: place,
    recipient: own ? { ...readMailbox(address), ...own } : readMailbox(address),
    lane: (lanes.get(lane) ?? '') as Lane,
    state: stateOf(state),
    wasKnown: wasKnown === 1,
    attempts,
    notBeforeMs: absent(notBefore),
    backend: absent(backend),
    elsewhereMs: absent(elsewhere),
    ...readAnswer(reply),
    keepUntilMs: absent(keepUntil),
    firstRefusedMs: absent(firstRefused),
    wasDelayTold: delayTold === 1,
  }
}

interface StoredAnswer extends Reply {
  readonly host?: string
  readonly atMs?: number
}

function readAnswer(json: string | null): Pick<HeldRecipient, 'lastReply' | 'lastHost' | 'lastAttemptMs'> {
  if (json === null) return { lastReply: undefined, lastHost: undefined, lastAttemptMs: undefined }
  const { code, enhanced, text, host, atMs } = JSON.parse(json) as StoredAnswer
  return { lastReply: { code, enhanced, text }, lastHost: host, lastAttemptMs: atMs }
}

export function readRecipient(address: string, extra: string | null): Recipient {
  const { own } = readExtra(extra)
  return own ? { ...readMailbox(address), ...own } : readMailbox(address)
}

function readMailbox(text: string): Mailbox {
  if (text === barePostmaster.text) return barePostmaster
  const parsed = parseMailbox(text)
  if (parsed.kind === 'invalid') throw new TypeError(`an address in the store ${parsed.why}`)
  return parsed.mailbox
}

const reversePath = (text: string | null): ReversePath => (text === null ? null : readMailbox(text))

export function settlementRow(settlement: Settlement, dsn: NewRow | undefined): SettlementRow {
  return {
    id: settlement.id,
    recipients: settlement.recipients.map(({ index, to, lane, reply, from, behind = null }) => ({
      place: index,
      from: from ? statesMask(from) : to.kind in endsHeld ? anyState : anyButHeld,
      behind,
      lane,
      // What is gone is shown to nobody.
      reply: to.kind === 'gone' || !reply ? undefined : answerRow(reply, settlement.attempt),
      ...settledColumns(to),
    })),
    attempt: settlement.attempt && attemptRow(settlement.attempt),
    dsn,
    delayTold: settlement.delayTold ?? false,
    proof: settlement.proof && JSON.stringify(settlement.proof),
  }
}

const answerRow = (reply: Reply, attempt: Attempt | undefined) =>
  JSON.stringify({
    ...reply,
    host: attempt?.host,
    atMs: attempt && Math.round(attempt.atMs),
  } satisfies Undefinable<StoredAnswer>)

type Undefinable<T> = { readonly [K in keyof T]: T[K] | undefined }

const endsHeld: Readonly<Partial<Record<Settled['kind'], true>>> = {
  gone: true,
  refused: true,
  expired: true,
  corrupt: true,
  held: true,
  'as-it-is': true,
}
const anyState = statesMask(recipientStates)
const anyButHeld = statesMask(recipientStates.filter((state) => state !== 'held'))

type Columns = Omit<SettledRow, 'place' | 'from' | 'behind' | 'lane' | 'reply'>

function settledColumns(to: Settled): Columns {
  const none = { turn: null, notBefore: null, backend: null, elsewhere: null, keepUntil: null, firstRefused: undefined }
  switch (to.kind) {
    case 'gone':
      return { ...none, to: gone }
    case 'as-it-is':
      return { ...none, to: asItIs }
    case 'waiting': {
      const notBefore = Math.round(to.notBeforeMs)
      return { ...none, to: numberOfState.waiting, notBefore, turn: notBefore, firstRefused: firstRefused(to) }
    }
    case 'unknown': {
      const [notBefore, elsewhere] = [Math.round(to.notBeforeMs), Math.round(to.elsewhereMs)]
      const { backend } = to
      return { ...none, to: numberOfState.unknown, notBefore, elsewhere, backend, firstRefused: firstRefused(to) }
    }
    case 'ready':
      return { ...none, to: numberOfState.ready, turn: moment(to.turnMs) }
    case 'refused':
    case 'expired':
      return { ...none, to: numberOfState[to.kind], keepUntil: Math.round(to.keepUntilMs) }
    default:
      return { ...none, to: numberOfState[to.kind] }
  }
}

const firstRefused = ({ firstRefusedMs }: { readonly firstRefusedMs?: number }): number | undefined =>
  firstRefusedMs === undefined ? undefined : Math.round(firstRefusedMs)

function attemptRow({ atMs, backend, outcome, text, recipients }: Attempt): AttemptRow {
  return [Math.round(atMs), backend ?? null, outcome, text, recipients]
}

export function readAttempt([atMs, backend, outcome, text, recipients]: AttemptRow): Attempt {
  return { atMs, backend: absent(backend), outcome: outcome as Attempt['outcome'], text, recipients }
}
