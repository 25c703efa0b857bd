/**
 * The contract of a target: a place where the records of one zone are kept and can be changed. `targets/` has one file a kind, `plan` and
 * `apply` know nothing else of them, and `test/unit/target-contract.ts` holds every one to what is said here.
 *
 * A target is asked for sets and answers with all of each. It is then given changes with what each set was when it was read, and makes
 * them only where that still holds. It never writes a set made of declared records alone, because it is never given one: `plan.ts` merges.
 */
import type { NameServer } from '../../dns/servers.ts'
import type { WireName } from '../../dns/wire-name.ts'
import type { RecordSet, SetContent, SetName } from '../sets/record-set.ts'

export interface Target {
  /** The name under `publishers:`. */
  readonly publisher: string
  /** Where this is, for people; printable: `zone file /etc/bind/db.example.org`. */
  readonly place: string
  readonly zone: WireName
  readonly limits: TargetLimits
  /** Servers that answer with what is kept here, beside those that the zone's NS records name. They are asked whether a change arrived. */
  readonly servers: readonly NameServer[]
  /** Never rejects for what the other side does or what the disk refuses. */
  read(names: readonly SetName[]): Promise<TargetRead>
  /** Called with what came of a `read`; one at a time. Never rejects for what the other side does or what the disk refuses. */
  apply(changes: ChangeSet): Promise<TargetApplied>
  /** Has the servers read once more what is kept here. Undefined: there is nothing that could be done about it. */
  readonly reload?: (() => Promise<TargetApplied>) | undefined
  /** Ends what is on its way. */
  close(): void
}

/** What the place cannot keep, so that the plan says so before anything is written. */
export interface TargetLimits {
  /** Of a set, seconds. A plan raises or lowers what is wanted to it, and says so. */
  readonly leastTtlSeconds: number
  readonly mostTtlSeconds: number
  /** Whether it keeps MX 0 "." (RFC 7505). */
  readonly takesNullMx: boolean
  /** Types that it does not keep. */
  readonly withoutTypes: readonly number[]
  /** All changes are made or none: of the whole change set, of each set, of each record. Said in the plan where it is not the whole. */
  readonly atomic: 'all' | 'set' | 'record'
}

/** RFC 2181 §8 */
export const noLimits: TargetLimits = {
  leastTtlSeconds: 0,
  mostTtlSeconds: 0x7fff_ffff,
  takesNullMx: true,
  withoutTypes: [],
  atomic: 'all',
}

export type TargetRead =
  | {
      readonly kind: 'read'
      /** Those of the sets asked for that exist, whole. Where records of one set differ in TTL, the largest stands for it. */
      readonly sets: readonly RecordSet[]
      /**
       * Of what was read; handed back with the changes and not looked at by others: the hash of a file, say. Printable text, so that
       * a plan can be kept. Empty where the target compares the sets themselves.
       */
      readonly version: string
      /** The zone is not there, and `apply` would make it. */
      readonly isNewZone: boolean
      /** What a person should know of this reading: words of ours, printable. */
      readonly notes: readonly string[]
    }
  | TargetFailure

/** It could not be read; or it was not changed. */
export interface TargetFailure {
  readonly kind: /** No connection, no answer; nothing was changed. */
    | 'unreachable'
    /** The other side said no: a wrong key, a policy, a read-only file; nothing was changed. */
    | 'refused'
    /** The zone is not kept there. */
    | 'no-such-zone'
    /** What is there cannot be read, or must not be edited: a broken file, an answer that is none. */
    | 'unusable'
  /** One sentence in words of ours; what it quotes went through `printable`. */
  readonly why: string
  /** What a person can do, where that is known. */
  readonly remedy?: string
}

export interface ChangeSet {
  /** In the order in which they are to be made, where one cannot make all at once; at most one a set. */
  readonly changes: readonly SetChange[]
  /** Of the `read` that these changes are made from. */
  readonly version: string
}

/** What a set was when it was read, and what it shall be; `undefined` is no set. They differ. */
export interface SetChange extends SetName {
  readonly before: SetContent | undefined
  readonly after: SetContent | undefined
}

export type TargetApplied =
  /** It says so. Whether the world sees it is asked afterwards. `note`: what a person should know of how it was done. */
  | { readonly kind: 'applied'; readonly note?: string }
  /** Nothing was changed, because something is not as it was read: somebody else was there. */
  | {
      readonly kind: 'conflict'
      readonly why: string
      /** What the sets of the changes are now, where that could be seen. */
      readonly now: readonly RecordSet[] | undefined
    }
  /** Nothing was changed. */
  | TargetFailure
  /** It was sent, and no answer came that says anything: it may have been done. */
  | { readonly kind: 'unknown'; readonly why: string; readonly remedy?: string }
  /** `done` were made, in this order; the rest was not, or `unknown` may have been. Only of targets that are not atomic in all. */
  | {
      readonly kind: 'partly'
      readonly done: readonly SetChange[]
      readonly unknown: readonly SetChange[]
      readonly why: string
      readonly remedy?: string
    }
  /** It is kept, and is not served yet: the command that has the server read it failed. */
  | { readonly kind: 'not-loaded'; readonly why: string; readonly remedy?: string }
