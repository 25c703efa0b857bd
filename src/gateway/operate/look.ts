/** What a person sees of held mail: lists, one message with its attempts, its content. For `queue-operations`. */
import { replyText } from '../../mail/reply.ts'
import type { HeldEntry, HeldRecipient, QueueFilter } from '../../queue/queue.ts'
import { isChosen, nameIn } from '../ways/chosen-lane.ts'
import { type ContentPart, contentPart, headerLines } from './held-content.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'
import type { ListAnswer, ListedMessage, ListedRecipient, ShowAnswer } from './queue-shapes.ts'
import { createLaneNext } from './running.ts'

type LaneNext = ReturnType<typeof createLaneNext>
type LookDeps = Pick<QueueOperationsDeps, 'queue' | 'running'>

/** A message may have a thousand recipients, so that a page of messages is asked for in pieces. */
const pieceMessages = 20
const piecesACall = 50
const recipientsListed = 20

export async function list(
  { queue, running }: LookDeps,
  filter: QueueFilter,
  limit: number,
  after: string | undefined,
): Promise<ListAnswer> {
  const messages: ListedMessage[] = []
  const laneNext = createLaneNext(running)
  let from = after
  for (let pieces = 0; pieces < piecesACall && messages.length < limit; pieces++) {
    const page = await queue.list(filter, Math.min(pieceMessages, limit - messages.length), from)
    messages.push(...page.messages.map((entry) => listed(entry, recipientsListed, laneNext)))
    from = page.next
    if (from === undefined) break
  }
  return { messages, next: from ?? null }
}

export async function show({ queue, running }: LookDeps, id: string): Promise<ShowAnswer | undefined> {
  const entry = await queue.get(id)
  if (!entry) return undefined
  const { message } = entry
  const opened = await queue.body(id)
  const headers = opened.kind === 'opened' ? await headerLines(message.trace, opened.body) : null
  const { proof } = message
  return {
    ...listed(entry, entry.recipients.length, createLaneNext(running)),
    envid: message.envelope.envid ?? null,
    ret: message.envelope.ret ?? null,
    proof:
      proof.kind === 'proven'
        ? `proven by ${proof.by}`
        : proof.kind === 'undecided'
          ? 'undecided'
          : `not proven: ${proof.why}`,
    attempts: entry.attempts.map(({ atMs, backend = null, outcome, text, recipients }) => ({
      atMs,
      backend,
      outcome,
      text,
      recipients,
    })),
    headers,
    isBeingAttempted: running?.drain.isAttempting(id) ?? false,
  }
}

/** A part of the message as a backend would get it. */
export async function cat(
  { queue }: Pick<LookDeps, 'queue'>,
  id: string,
  offset: number,
): Promise<ContentPart | { readonly kind: 'gone' }> {
  const entry = await queue.get(id)
  if (!entry) return { kind: 'gone' }
  const opened = await queue.body(id)
  if (opened.kind !== 'opened') return opened
  return await contentPart(entry.message.trace, opened.body, offset)
}

function listed({ message, recipients }: HeldEntry, most: number, laneNext: LaneNext): ListedMessage {
  const { client } = message
  return {
    id: message.id,
    receivedMs: message.receivedMs,
    expiresMs: message.expiresMs,
    from: message.envelope.sender?.text ?? '',
    client: client ? { address: client.address, hello: client.hello, tls: client.tls?.version ?? null } : null,
    size: message.size,
    recipients: recipients.slice(0, most).map((held) => listedRecipient(held, laneNext)),
    recipientCount: recipients.length,
  }
}

function listedRecipient(held: HeldRecipient, laneNext: LaneNext): ListedRecipient {
  return {
    to: held.recipient.text,
    state: held.state,
    way: nameIn(held.lane) ?? held.lane,
    isChosen: isChosen(held.lane),
    attempts: held.attempts,
    nextMs: nextMs(held, laneNext) ?? null,
    reply: held.lastReply ? replyText(held.lastReply) : null,
    host: held.lastHost ?? null,
    lastMs: held.lastAttemptMs ?? null,
    backend: held.backend ?? null,
  }
}

function nextMs({ state, lane, notBeforeMs }: HeldRecipient, laneNext: LaneNext): number | undefined {
  const laneMs = laneNext(lane)
  switch (state) {
    case 'ready':
      return laneMs
    case 'waiting':
    case 'unknown':
      return notBeforeMs ?? laneMs
    default:
      return undefined
  }
}
