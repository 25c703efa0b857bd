/** A message in the folder that it was exported to: its envelope, read, and compared with what the hold has of it. For `taking-in`. */
import { join } from 'node:path'
import { readRegular } from '../../base/regular-file.ts'
import type { HeldEntry } from '../../queue/queue.ts'
import { type HeldEnvelope, heldEnvelope } from './held-envelope.ts'

/** Of this message alone: the others of the folder go on. */
export interface Wrong {
  readonly kind: 'wrong'
  readonly why: string
}

export type ReadEnvelope = { readonly kind: 'envelope'; readonly envelope: HeldEnvelope } | Wrong

/** Recipients by their places (`index`). */
export type Compared =
  | { readonly kind: 'compared'; readonly missing: readonly number[]; readonly there: readonly number[] }
  | Wrong

const mostEnvelopeBytes = 64 * 1024 * 1024

/** Throws where the file cannot be read: `whyUnread` has the words. @param name  of the file, in the folder */
export async function readEnvelope(folder: string, id: string, name: string): Promise<ReadEnvelope> {
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

/**
 * Which recipients of an envelope the hold has. An export may take some of a message and leave the others, so that one id stands in several places.
 * @param entry  what the hold has by its id
 */
export function compareWith({ recipients, ...envelope }: HeldEnvelope, entry: HeldEntry | undefined): Compared {
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

/** The gateway may be another user than the one who asks. Undefined: it is no error of the system. */
export function whyUnread(error: unknown): string | undefined {
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
