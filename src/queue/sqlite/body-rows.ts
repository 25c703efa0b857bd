/** Operations of the hold: the body of a message, its hash compared. */
import { hash } from 'node:crypto'
import type { Database } from '../../store/module.ts'
import { rowOf } from './message-rows.ts'
import type { TaskRow } from './rows.ts'

export type FoundBody =
  | { readonly kind: 'gone' }
  | { readonly kind: 'corrupt'; readonly why: string }
  | { readonly kind: 'content'; readonly content: Uint8Array; readonly has8bit: boolean }
  | { readonly kind: 'file'; readonly size: number; readonly sha256: Uint8Array; readonly has8bit: boolean }

export function bodyOf(db: Database, id: string): FoundBody {
  const found = rowOf<[number, number, number, number, Uint8Array]>(
    db,
    'SELECT seq, size, has8bit, in_file, sha256 FROM message WHERE id = ?',
    id,
  )
  if (!found) return { kind: 'gone' }
  const [seq, size, has8bit, inFile, sha256] = found
  if (inFile) return { kind: 'file', size, sha256, has8bit: has8bit === 1 }
  const content = rowOf<[Uint8Array]>(db, 'SELECT content FROM body WHERE message = ?', seq)?.[0]
  if (!content) return { kind: 'corrupt', why: 'its body is missing' }
  if (content.length !== size) return { kind: 'corrupt', why: `its body has ${content.length} octets and not ${size}` }
  if (!hash('sha256', content, 'buffer').equals(sha256))
    return { kind: 'corrupt', why: 'its body is not what was stored' }
  db.give(content.buffer)
  return { kind: 'content', content, has8bit: has8bit === 1 }
}

/** The bodies of those that are attempted next, in their order. A body that is not what it should be is left to `bodyOf`, which says so. */
export function bodiesOf(db: Database, tasks: readonly TaskRow[], mostOctets: number): (Uint8Array | undefined)[] {
  const bodies: (Uint8Array | undefined)[] = []
  let left = mostOctets
  for (const { message } of tasks) {
    const [seq, , , , size, , inFile] = message
    left -= size
    if (left < 0) break
    bodies.push(inFile ? undefined : soundBody(db, seq, size))
  }
  return bodies
}

/** Undefined where it is missing, or is not what was stored. */
function soundBody(db: Database, seq: number, size: number): Uint8Array | undefined {
  const found = rowOf<[Uint8Array, Uint8Array]>(
    db,
    'SELECT sha256, content FROM message JOIN body ON body.message = seq WHERE seq = ?',
    seq,
  )
  if (!found) return undefined
  const [sha256, content] = found
  if (content.length !== size || !hash('sha256', content, 'buffer').equals(sha256)) return undefined
  db.give(content.buffer)
  return content
}
