/** Brings the body of a new message to where it stays, and makes its row: what is to be written with one COMMIT. For `queue.ts` beside. */
import type { Body } from '../../mail/message.ts'
import { StoreFailure } from '../../store/failure.ts'
import type { FairTurns } from '../fair-turn.ts'
import type { NewHeld } from '../queue.ts'
import type { BodyFiles, StoredFile } from './body-files.ts'
import { newRow, payloadOf, type StoredBody } from './message-codec.ts'
import type { NewRow } from './rows.ts'

export interface Prepared {
  readonly row: NewRow
  readonly payload: readonly Uint8Array[]
  /** Of a large body: to be told that it is done with, and removed where the row does not come about. */
  readonly file: StoredFile | undefined
}

/** Bodies up to here are kept in rows. */
const mostInRow = 256 * 1024

/** Throws a `StoreFailure`, and leaves nothing then. */
export async function prepare(message: NewHeld, turns: FairTurns, files: BodyFiles): Promise<Prepared> {
  const turnMs = turns.next(message.envelope.sender, message.receivedMs)
  if (message.body.size <= mostInRow)
    return { ...rowAndPayload(message, await blocksOf(message.body), turnMs), file: undefined }
  const file = await files.store(message.id, message.body)
  if (file.size !== message.body.size) {
    await files.remove(message.id)
    file.done()
    throw new StoreFailure('io', `the body has ${file.size} octets and not ${message.body.size}`)
  }
  return { ...rowAndPayload(message, { kind: 'file', ...file }, turnMs), file }
}

const rowAndPayload = (message: NewHeld, body: StoredBody, turnMs: number) => ({
  row: newRow(message, body, turnMs),
  payload: payloadOf(message, body),
})

/** The body's blocks, read from its file where memory was short when it came. */
async function blocksOf(body: Body): Promise<StoredBody> {
  const blocks: Buffer[] = []
  const source = body.blocks()
  if (Symbol.iterator in source) blocks.push(...source)
  else for await (const block of source) blocks.push(block)
  const size = blocks.reduce((sum, block) => sum + block.length, 0)
  if (size !== body.size) throw new StoreFailure('io', `the body has ${size} octets and not ${body.size}`)
  return { kind: 'blocks', blocks, size }
}
