/** What the steps of the embedded hold work with, each made once: `queue.ts` beside puts it together. */
import type { Clock } from '../../base/clock.ts'
import type { StoreRoom } from '../../store/store.ts'
import type { FairTurns } from '../fair-turn.ts'
import type { HeldEntry } from '../queue.ts'
import type { BodyFiles } from './body-files.ts'
import type { HeldCounts } from './held-counts.ts'
import type { ReadAhead } from './read-ahead.ts'
import type { EntryRow } from './rows.ts'
import type { RowOperations } from './tables.ts'

export interface QueueParts {
  readonly room: StoreRoom<RowOperations>
  readonly clock: Clock
  readonly counts: HeldCounts
  readonly files: BodyFiles
  readonly turns: FairTurns
  readonly ahead: ReadAhead
  /** Sets a message aside as corrupt, behind whoever found it out, and tells of it. */
  markCorrupt(id: string, why: string): void
  /** @param lanes  their names by number */
  decode(rows: readonly EntryRow[], lanes: readonly (readonly [number, string])[]): HeldEntry[]
}

const mostEntries = 1000

/** So many of something a call: what the contract allows, whatever was asked for. */
export const allowedLimit = (limit: number): number => Math.max(1, Math.min(mostEntries, limit))
