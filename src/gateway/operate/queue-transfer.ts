/**
 * Held mail leaves for a folder and comes back from one, for an outage that outlives a machine. `cli/queue/export` and `import` write the files and
 * ask here for each step, so that a crash between any two loses nothing and does nothing twice: what is taken out is held back first and
 * removed when its files are on the disk; what is taken in is held back until the folder says that it was.
 */
import { join } from 'node:path'
import { readRegular } from '../../base/regular-file.ts'
import {
  type HeldEntry,
  type HeldRecipient,
  type Lane,
  type QueueFilter,
  type Settled,
  StoreFailure,
} from '../../queue/queue.ts'
import {
  envelopeOf,
  type HeldEnvelope,
  heldEnvelope,
  messageOf,
  recipientOf,
  type WrittenEnvelope,
} from '../hold/held-envelope.ts'
import { readContent } from '../hold/held-file.ts'
import { watchedUntilMs } from '../hold/may-have-it.ts'
import { laneNamed } from '../ways/chosen-lane.ts'
import { isMeant } from './is-meant.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'

export interface QueueTransfer {
  /** What is to be written of a message. */
  pack(id: string): Promise<Packed>
  /** The same, and holds these recipients back, so that no attempt is begun at what is about to leave. */
  take(id: string, filter: QueueFilter): Promise<Packed>
  /** Removes what was taken. @param indexes  of the recipients, as `take` named them */
  drop(id: string, indexes: readonly number[]): Promise<void>
  /** Which recipients of an envelope are in the hold already. */
  compare(folder: string, id: string, envelopeFile: string): Promise<Compared>
  /** Takes what the hold has not of `ID.eml` with the envelope in a file beside it in, held back. */
  bringIn(folder: string, id: string, envelopeFile: string): Promise<BroughtIn>
  /** Lets what was brought in go on, as it was when it left. */
  letGo(folder: string, id: string, envelopeFile: string): Promise<LetGo>
}

export type Packed =
  | { readonly kind: 'packed'; readonly envelope: WrittenEnvelope }
  | { readonly kind: 'gone' }
  /** It stays as it is. */
  | { readonly kind: 'left'; readonly why: string }

/** Recipients by their places (`index`). */
export type Compared =
  | { readonly kind: 'compared'; readonly missing: readonly number[]; readonly there: readonly number[] }
  | { readonly kind: 'wrong'; readonly why: string }

export type BroughtIn =
  | { readonly kind: 'held' }
  /** All of it is there already. */
  | { readonly kind: 'there' }
  | { readonly kind: 'wrong'; readonly why: string }
  /** No more of them can be taken in. */
  | { readonly kind: 'full'; readonly why: string }

export type LetGo =
  /** `undeclared`: where a person had sent it to that is not declared here, so that it goes by its domain's route */
  { readonly kind: 'done'; readonly undeclared: readonly string[] } | Wrong

/** Of this message alone: the others of the folder go on. */
interface Wrong {
  readonly kind: 'wrong'
  readonly why: string
}

const mostEnvelopeBytes = 64 * 1024 * 1024

type StoredRecipient = HeldEnvelope['recipients'][number]

export type QueueTransferDeps = Pick<QueueOperationsDeps, 'queue' | 'clock' | 'log' | 'ways' | 'running'>

export function createQueueTransfer({ queue, clock, log, ways, running }: QueueTransferDeps): QueueTransfer {
  const isAttempting = (id: string) => running?.drain.isAttempting(id) ?? false

  function whyNotTaken(held: HeldRecipient, receivedMs: number): string | undefined {
    const { state } = held
    if (state === 'corrupt') return 'it is corrupt'
    if (state === 'offered') return 'its sender is being answered at this moment'
    const isWatched = state === 'unknown' && clock.now() < watchedUntilMs(held, receivedMs)
    return isWatched ? 'its backend may have it, and may still answer' : undefined
  }

  return {
    async pack(id) {
      const entry = await queue.get(id)
      if (!entry) return { kind: 'gone' }
      const why = entry.recipients
        .map((held) => whyNotTaken(held, entry.message.receivedMs))
        .find((each) => each !== undefined)
      return why === undefined
        ? { kind: 'packed', envelope: envelopeOf(entry, entry.recipients, false) }
        : { kind: 'left', why }
    },

    async take(id, filter) {
      const entry = await queue.get(id)
      if (!entry) return { kind: 'gone' }
      const meant = entry.recipients.filter((held) => isMeant(held, filter))
      if (meant.length === 0) return { kind: 'gone' }
      const why = meant.map((held) => whyNotTaken(held, entry.message.receivedMs)).find((each) => each !== undefined)
      if (why !== undefined) return { kind: 'left', why }
      if (isAttempting(id)) return { kind: 'left', why: beingTaken }
      await queue.settle({
        id,
        recipients: meant.map(({ index, state }) => ({ index, to: { kind: 'held' }, from: [state] })),
      })
      running?.drain.kick(new Set(meant.map(({ lane }) => lane)))
      // An attempt may have begun, or ended, while that was written down.
      const after = await queue.get(id)
      const places = new Set(meant.map(({ index }) => index))
      const areHeld = after?.recipients.filter(({ index }) => places.has(index)).every(({ state }) => state === 'held')
      if (!after || !areHeld || after.recipients.length !== entry.recipients.length || isAttempting(id)) {
        await queue.settle({
          id,
          recipients: meant.map((held) => ({ index: held.index, to: asItWas(held), from: ['held'] as const })),
        })
        return { kind: 'left', why: beingTaken }
      }
      return { kind: 'packed', envelope: envelopeOf(entry, meant, true) }
    },

    async drop(id, indexes) {
      await queue.settle({ id, recipients: indexes.map((index) => ({ index, to: { kind: 'gone' }, from: ['held'] })) })
      log.info('exported and removed by a person', { id, recipients: indexes.length })
    },

    compare: alone(async (folder, id, envelopeFile) => {
      const read = await readEnvelope(folder, id, envelopeFile)
      if (read.kind === 'wrong') return read
      const refused = whyRefused(read.envelope)
      return refused === undefined
        ? compared(read.envelope, await queue.get(id))
        : { kind: 'wrong' as const, why: refused }
    }),

    bringIn: alone(async (folder, id, envelopeFile): Promise<BroughtIn> => {
      const read = await readEnvelope(folder, id, envelopeFile)
      if (read.kind === 'wrong') return read
      const refused = whyRefused(read.envelope)
      if (refused !== undefined) return { kind: 'wrong', why: refused }
      const found = compared(read.envelope, await queue.get(id))
      if (found.kind === 'wrong') return found
      if (found.missing.length === 0) return { kind: 'there' }
      const places = new Set(found.missing)
      const envelope = {
        ...read.envelope,
        recipients: read.envelope.recipients.filter(({ index }) => places.has(index)),
      }
      const content = await readContent(join(folder, `${id}.eml`), envelope)
      if (content.kind === 'wrong') return { kind: 'wrong', why: `${id}.eml: ${content.why}` }
      try {
        const message = messageOf(envelope, content, (stored) => wayIn(stored) ?? noLane)
        // What else is there of it may leave at any time.
        const added = await queue.add(message)
        const outcome = added.kind === 'gone' ? await queue.hold(message) : added
        if (outcome.kind === 'full') return { kind: 'full', why: fullWords[outcome.why] }
        if (outcome.kind === 'failed') return { kind: 'full', why: outcome.why }
        log.info('imported by a person', {
          id,
          from: envelope.sender?.text ?? '',
          to: envelope.recipients.map(({ to }) => to.text),
          size: envelope.bodyOctets,
        })
        return { kind: 'held' }
      } finally {
        content.body.release()
      }
    }),

    letGo: alone(async (folder, id, envelopeFile): Promise<LetGo> => {
      const read = await readEnvelope(folder, id, envelopeFile)
      if (read.kind === 'wrong') return read
      const lanes = new Set<Lane>()
      const undeclared = new Set<string>()
      const recipients = read.envelope.recipients.map((stored) => {
        const lane = wayIn(stored)
        if (lane !== undefined) lanes.add(lane)
        if (stored.chosen !== null && lane !== undefined && lane !== wanted(stored)) undeclared.add(stored.chosen)
        const to = lane === undefined && isOnItsWay(stored) ? ({ kind: 'no-route' } as const) : restored(stored)
        return { index: stored.index, to, from: ['held'] as const }
      })
      await queue.settle({ id, recipients })
      if (lanes.size > 0) running?.drain.kick(lanes)
      return { kind: 'done', undeclared: [...undeclared] }
    }),
  }

  /** One message of a folder that cannot be read, or that we cannot cope with, ends no import of the others. */
  function alone<Outcome>(
    step: (folder: string, id: string, envelopeFile: string) => Promise<Outcome>,
  ): (folder: string, id: string, envelopeFile: string) => Promise<Outcome | Wrong> {
    return async (folder, id, envelopeFile) => {
      try {
        return await step(folder, id, envelopeFile)
      } catch (error) {
        if (error instanceof StoreFailure) throw error
        const unread = whyUnread(error)
        if (unread === undefined) log.error('an exported message was not taken in', { id, error })
        return { kind: 'wrong', why: unread ?? `we met an error of our own: ${String(error)}` }
      }
    }
  }

  /** What no backend is ever asked for is not taken in either: who wrote the folder need not be who exported. */
  function whyRefused({ recipients }: HeldEnvelope): string | undefined {
    const never = ways && recipients.find((stored) => ways.isNeverAsked(recipientOf(stored)))
    return never && `no backend is asked for ${never.to.text}: its local part holds @, % or !, and is not declared`
  }

  /** By which a recipient goes that comes in, or undefined where none leads on. */
  function wayIn(stored: StoredRecipient): Lane | undefined {
    if (!ways) return wanted(stored)
    const recipient = recipientOf(stored)
    // A file sends nothing to a backend for a domain that is not declared: that is a person's to do, with the mail in the hold.
    return ways.ofRecipient(recipient, noLane) && ways.ofRecipient(recipient, wanted(stored))
  }

  function restored(stored: StoredRecipient): Settled {
    const nowMs = clock.now()
    const { state, notBeforeMs, keepUntilMs, backend, elsewhereMs } = stored
    switch (state) {
      case 'waiting':
        return notBeforeMs !== null && notBeforeMs > nowMs ? { kind: state, notBeforeMs } : { kind: 'ready' }
      case 'unknown':
        if (backend === null || elsewhereMs === null) return { kind: 'ready' }
        return { kind: state, backend, elsewhereMs, notBeforeMs: Math.max(nowMs, notBeforeMs ?? 0) }
      case 'refused':
      case 'expired':
        return { kind: state, keepUntilMs: Math.max(nowMs + aDayMs, keepUntilMs ?? 0) }
      case 'held':
      case 'set-aside':
      case 'corrupt':
        return { kind: state }
      default:
        return { kind: 'ready' }
    }
  }
}

const wanted = (stored: StoredRecipient): Lane =>
  stored.chosen === null ? noLane : laneNamed(recipientOf(stored), stored.chosen)

async function readEnvelope(
  folder: string,
  id: string,
  name: string,
): Promise<
  { readonly kind: 'envelope'; readonly envelope: HeldEnvelope } | { readonly kind: 'wrong'; readonly why: string }
> {
  const found = await readRegular(join(folder, name), 'none', mostEnvelopeBytes)
  if (found.kind === 'irregular') return { kind: 'wrong', why: `${name} is no regular file` }
  if (found.kind === 'too-large') return { kind: 'wrong', why: `${name} is too large to be an envelope` }
  let json: unknown
  try {
    json = JSON.parse(found.bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'wrong', why: `${name} is no JSON` }
    throw error
  }
  const parsed = heldEnvelope.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return { kind: 'wrong', why: `${name} is no envelope: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` }
  }
  if (parsed.data.id !== id) return { kind: 'wrong', why: `${name} holds the envelope of another message` }
  return { kind: 'envelope', envelope: parsed.data }
}

/** An export may take some recipients of a message and leave the others, so that one id stands in several places. */
function compared({ recipients, ...envelope }: HeldEnvelope, entry: HeldEntry | undefined): Compared {
  const placesOf = (all: HeldEnvelope['recipients']) => all.map(({ index }) => index)
  if (!entry) return { kind: 'compared', missing: placesOf(recipients), there: [] }
  const { message } = entry
  const isOfIt =
    message.size === envelope.bodyOctets &&
    message.receivedMs === envelope.receivedMs &&
    message.envelope.sender?.text === envelope.sender?.text
  if (!isOfIt) return { kind: 'wrong', why: 'the hold has another message of this id' }
  const held = new Map(entry.recipients.map(({ index, recipient }) => [index, recipient.text]))
  const taken = recipients.find(({ index, to }) => held.has(index) && held.get(index) !== to.text)
  if (taken) return { kind: 'wrong', why: `in the hold another recipient has the place of ${taken.to.text}` }
  const there = placesOf(recipients.filter(({ index }) => held.has(index)))
  return { kind: 'compared', missing: placesOf(recipients.filter(({ index }) => !held.has(index))), there }
}

/** Undefined fields fall back to what is harmless. */
function asItWas({ state, notBeforeMs = 0, backend = '', elsewhereMs = 0, keepUntilMs = 0 }: HeldRecipient): Settled {
  switch (state) {
    case 'waiting':
      return { kind: state, notBeforeMs }
    case 'unknown':
      return { kind: state, notBeforeMs, backend, elsewhereMs }
    case 'refused':
    case 'expired':
      return { kind: state, keepUntilMs }
    case 'offered':
      return { kind: 'ready' }
    default:
      return { kind: state }
  }
}

/** The gateway may be another user than the one who asks. Undefined: it is no error of the system. */
function whyUnread(error: unknown): string | undefined {
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
  switch (code) {
    case undefined:
      return undefined
    case 'ENOENT':
      return 'a file of it is missing'
    case 'EACCES':
    case 'EPERM':
      return 'its files are not readable for the user of the gateway'
    default:
      return `its files cannot be read (${code})`
  }
}

const isOnItsWay = ({ state }: StoredRecipient) =>
  state === 'ready' || state === 'waiting' || state === 'unknown' || state === 'no-route' || state === 'offered'

const aDayMs = 24 * 60 * 60_000
const noLane = 'none' as Lane
const beingTaken = 'a backend is being asked to take it at this moment'
const fullWords = {
  hold: 'the hold has no room for it (limits.hold)',
  domain: 'its domain has its quarter of the hold',
  network: 'its network has its share of what is its domain’s',
  disk: 'the disk is full (limits.freeSpace)',
} as const
