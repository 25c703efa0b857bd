/**
 * Held mail comes back from a folder: into the hold and held back there, then let go on as it was when it left. Half of `queue-transfer`.
 */
import { join } from 'node:path'
import { type HoldOutcome, type Lane, StoreFailure } from '../../queue/queue.ts'
import {
  type Compared,
  compareWith,
  type ReadEnvelope,
  readEnvelope,
  type Wrong,
  whyUnread,
} from './exported-message.ts'
import { type HeldEnvelope, messageOf, recipientOf } from './held-envelope.ts'
import { readContent } from './held-file.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'
import { laneIn, noLane, notDeclared, settledIn } from './returning-recipient.ts'

/** A message in a folder. */
export interface InFolder {
  readonly folder: string
  readonly id: string
  readonly envelopeFile: string
  /** Mail of our own goes on to domains that are none of ours: who asks trusts whoever wrote the folder. */
  readonly takesOwnMail: boolean
}

export interface TakingIn {
  /** Which recipients of an envelope are in the hold already. */
  compare(from: InFolder): Promise<Compared>
  /** Takes what the hold has not of `ID.eml` with the envelope in a file beside it in, held back. */
  bringIn(from: InFolder): Promise<BroughtIn>
  /** Lets what was brought in go on, as it was when it left. */
  letGo(from: InFolder): Promise<LetGo>
}

export type BroughtIn =
  | { readonly kind: 'held' }
  /** All of it is there already. */
  | { readonly kind: 'there' }
  /** No more of them can be taken in. */
  | { readonly kind: 'full'; readonly why: string }
  | Wrong

export type LetGo =
  /** `undeclared`: where a person had sent it to that is not declared here, so that it goes by its domain's route */
  { readonly kind: 'done'; readonly undeclared: readonly string[] } | Wrong

export type TakingInDeps = Pick<QueueOperationsDeps, 'queue' | 'clock' | 'log' | 'ways' | 'running'>

export function createTakingIn(deps: TakingInDeps): TakingIn {
  /** One message of a folder that cannot be read, or that we cannot cope with, ends no import of the others. */
  function alone<Outcome>(
    step: (deps: TakingInDeps, from: InFolder) => Promise<Outcome>,
  ): (from: InFolder) => Promise<Outcome | Wrong> {
    return async (from) => {
      try {
        return await step(deps, from)
      } catch (error) {
        if (error instanceof StoreFailure) throw error
        const unread = whyUnread(error)
        if (unread === undefined) deps.log.error('an exported message was not taken in', { id: from.id, error })
        return { kind: 'wrong', why: unread ?? `we met an error of our own: ${String(error)}` }
      }
    }
  }

  return { compare: alone(compare), bringIn: alone(bringIn), letGo: alone(letGo) }
}

async function compare({ queue, ways }: TakingInDeps, from: InFolder): Promise<Compared> {
  const read = await readWelcome(ways, from)
  return read.kind === 'wrong' ? read : compareWith(read.envelope, await queue.get(from.id))
}

async function bringIn(deps: TakingInDeps, from: InFolder): Promise<BroughtIn> {
  const read = await readWelcome(deps.ways, from)
  if (read.kind === 'wrong') return read
  const found = compareWith(read.envelope, await deps.queue.get(from.id))
  if (found.kind === 'wrong') return found
  if (found.missing.length === 0) return { kind: 'there' }
  const places = new Set(found.missing)
  const recipients = read.envelope.recipients.filter(({ index }) => places.has(index))
  return await addTo(deps, from.folder, { ...read.envelope, recipients })
}

async function addTo({ queue, log, ways }: TakingInDeps, folder: string, envelope: HeldEnvelope): Promise<BroughtIn> {
  const { id } = envelope
  const content = await readContent(join(folder, `${id}.eml`), envelope)
  if (content.kind === 'wrong') return { kind: 'wrong', why: `${id}.eml: ${content.why}` }
  try {
    const message = messageOf(envelope, content, (stored) => laneIn(stored, ways) ?? noLane)
    // What else is there of it may leave at any time.
    const added = await queue.add(message)
    const outcome = added.kind === 'gone' ? await queue.hold(message) : added
    if (outcome.kind !== 'held') return { kind: 'full', why: whyNotHeld(outcome) }
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
}

async function letGo({ queue, clock, ways, running }: TakingInDeps, from: InFolder): Promise<LetGo> {
  const { id } = from
  const read = await readWelcome(ways, from)
  if (read.kind === 'wrong') return read
  // That it was compared when it was brought in is what the folder says.
  const found = compareWith(read.envelope, await queue.get(id))
  if (found.kind === 'wrong') return found
  const nowMs = clock.now()
  const returning = read.envelope.recipients.map((stored) => ({ stored, lane: laneIn(stored, ways) }))
  const recipients = returning.map(({ stored, lane }) => ({
    index: stored.index,
    to: settledIn(stored, lane, nowMs),
    from: ['held'] as const,
  }))
  await queue.settle({ id, recipients })
  const lanes = new Set<Lane>(returning.flatMap(({ lane }) => lane ?? []))
  if (lanes.size > 0) running?.drain.kick(lanes)
  const undeclared = new Set(returning.flatMap(({ stored, lane }) => notDeclared(stored, lane) ?? []))
  return { kind: 'done', undeclared: [...undeclared] }
}

/** What no backend is ever asked for is not taken in either: who wrote the folder need not be who exported. */
async function readWelcome(
  ways: TakingInDeps['ways'],
  { folder, id, envelopeFile, takesOwnMail }: InFolder,
): Promise<ReadEnvelope> {
  const read = await readEnvelope(folder, id, envelopeFile)
  if (read.kind === 'wrong') return read
  const own = read.envelope.recipients.find(({ isOwnMail }) => isOwnMail)
  if (own && read.envelope.sender !== null) return { kind: 'wrong', why: ownWithSenderWords }
  if (own && !takesOwnMail)
    return { kind: 'wrong', why: `it is a notice of our own to ${own.to.text}: ${ownMailWords}` }
  const never = ways && read.envelope.recipients.find((stored) => ways.isNeverAsked(recipientOf(stored)))
  if (!never) return read
  const why = `no backend is asked for ${never.to.text}: its local part holds @, % or !, and is not declared`
  return { kind: 'wrong', why }
}

const whyNotHeld = (outcome: Exclude<HoldOutcome, { kind: 'held' }>): string =>
  outcome.kind === 'full' ? fullWords[outcome.why] : outcome.why

const ownMailWords = 'it goes out as such with --own-mail, which trusts whoever wrote this folder'
/** `mail/dsn/write` makes them all. */
const ownWithSenderWords = 'it calls itself a notice of our own, and these have no sender'
const fullWords = {
  hold: 'the hold has no room for it (limits.hold)',
  domain: 'its domain has its quarter of the hold',
  network: 'its network has its share of what is its domain’s',
  disk: 'the disk is full (limits.freeSpace)',
} as const
