/** What the store's main side and its threads say to each other (`group-commit.ts` with `batch.ts` and `sent.ts`, `reads.ts` ↔ `thread.ts`). */
import type { FailureWords } from './failure.ts'

/** One operation that is asked for. */
export interface Call {
  readonly room: string
  readonly operation: string
  readonly argument: unknown
}

export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: FailureWords }
  /** It threw something that no disk is to blame for. */
  | { readonly kind: 'bug'; readonly message: string }

export interface ThreadSettings {
  readonly folder: string
  readonly role: 'writer' | 'reader'
  /** URLs of the modules. */
  readonly modules: readonly string[]
  /** Pages that the database may have; for tests of a full disk. */
  readonly maxPages: number | undefined
}

/** A call with the octets that go along, in `payloads` of the order. */
export interface WriteCall extends Call {
  readonly offset: number
  readonly octets: number
}

export type Order =
  /** One transaction. `undos` come first: what a COMMIT left unknown. `calls` is flat, because thousands of them are cloned a second: `packCalls`. */
  | {
      readonly kind: 'batch'
      readonly undos: readonly Call[]
      readonly calls: readonly unknown[]
      readonly payloads: ArrayBuffer
    }
  /** Writes so much, to see whether that works. */
  | { readonly kind: 'probe'; readonly undos: readonly Call[]; readonly octets: number }
  | { readonly kind: 'read'; readonly number: number; readonly call: Call }
  /** Gives the disk back what is not used any more. */
  | { readonly kind: 'tidy' }
  | { readonly kind: 'close' }

export type Answer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly why: NotOpened }
  | BatchAnswer
  | { readonly kind: 'probe'; readonly failure: FailureWords | undefined }
  | { readonly kind: 'read'; readonly number: number; readonly outcome: Outcome }
  | { readonly kind: 'tidy'; readonly isMore: boolean }
  | { readonly kind: 'closed' }

/**
 * `failure` where the transaction as a whole did not come about; otherwise each call has its result, but for those that failed, by their places.
 */
export interface BatchAnswer {
  readonly kind: 'batch'
  readonly results: readonly unknown[]
  readonly failed: readonly (readonly [place: number, outcome: Exclude<Outcome, { kind: 'done' }>])[]
  readonly failure: FailureWords | undefined
}

const fields = 5

export function packCalls(calls: readonly WriteCall[]): unknown[] {
  const packed: unknown[] = new Array(calls.length * fields)
  let at = 0
  for (const { room, operation, argument, offset, octets } of calls) {
    packed[at++] = room
    packed[at++] = operation
    packed[at++] = argument
    packed[at++] = offset
    packed[at++] = octets
  }
  return packed
}

export function unpackCalls(packed: readonly unknown[]): WriteCall[] {
  const calls: WriteCall[] = []
  for (let at = 0; at < packed.length; at += fields) {
    const [room, operation, argument, offset, octets] = packed.slice(at, at + fields)
    calls.push({ room, operation, argument, offset, octets } as WriteCall)
  }
  return calls
}

export type NotOpened =
  /** Another process (or this one) has it open. */
  | { readonly kind: 'in-use' }
  /** It was written by a later Waypost. */
  | { readonly kind: 'newer'; readonly room: string; readonly version: number; readonly known: number }
  /** WAL needs memory that all users share: a file system over the network has none. */
  | { readonly kind: 'network'; readonly fileSystem: string }
  | { readonly kind: 'failed'; readonly failure: FailureWords }
