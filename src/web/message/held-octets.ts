/** The octets of a held message as they come from the hold, a piece at a time. Used by `api/messages.ts`, which sends them as a file, and `read-held.ts`. */
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import type { Refused } from '../site.ts'

type HeldMail = Pick<QueueOperations, 'cat'>

/** A piece of a message. */
export interface Piece {
  readonly kind: 'piece'
  readonly octets: Buffer
  /** Octets of the whole message. */
  readonly size: number
  /** Where the next piece begins; null at the end. */
  readonly next: number | null
}

/** The first octets of a message. */
export interface Beginning {
  readonly kind: 'beginning'
  readonly octets: Buffer<ArrayBuffer>
  /** There is more of it. */
  readonly isPart: boolean
}

export const gone: Refused = {
  kind: 'no',
  status: 404,
  why: 'there is no such message here: it was delivered, or never held',
}
const damaged: Refused = { kind: 'no', status: 404, why: 'its body is damaged' }

/** @param mail  undefined: nothing is held here */
export async function pieceOf(mail: HeldMail | undefined, id: string, offset: number): Promise<Piece | Refused> {
  const part = await mail?.cat(id, offset)
  if (!part) return gone
  if ('kind' in part) return part.kind === 'gone' ? gone : damaged
  return { kind: 'piece', octets: Buffer.from(part.content, 'base64'), size: part.size, next: part.next }
}

/** So much of a message that `mostBytes` are reached, or all of it. */
export async function beginningOf(
  mail: HeldMail | undefined,
  id: string,
  mostBytes: number,
): Promise<Beginning | Refused> {
  const pieces: Buffer[] = []
  let bytes = 0
  let next: number | null = 0
  while (next !== null && bytes < mostBytes) {
    const piece: Piece | Refused = await pieceOf(mail, id, next)
    if (piece.kind === 'no') return piece
    pieces.push(piece.octets)
    bytes += piece.octets.length
    next = piece.next
  }
  return { kind: 'beginning', octets: Buffer.concat(pieces), isPart: next !== null }
}

/** All of it, a piece whenever the last one has been taken. */
export function streamOf(mail: HeldMail, id: string): ReadableStream<Uint8Array> {
  let next: number | null = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (next === null) return controller.close()
        const piece = await pieceOf(mail, id, next)
        // It was delivered or removed on the way: the file ends short of its length, which the browser notices.
        if (piece.kind === 'no') return controller.error(new Error('the message is gone'))
        controller.enqueue(piece.octets)
        next = piece.next
      },
    },
    { highWaterMark: 0 },
  )
}
