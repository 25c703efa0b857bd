/** Writes down what became of recipients, in one COMMIT with the notice that tells of it; then what nobody needs any more goes. For `queue.ts` beside. */
import { StoreFailure } from '../../store/failure.ts'
import type { Queue, Settlement } from '../queue.ts'
import type { KeptQuota } from './kept-quota.ts'
import { settlementRow } from './message-codec.ts'
import { prepare } from './new-row.ts'
import type { QueueParts } from './parts.ts'

export function createSettling(
  { room, counts, files, turns, ahead }: QueueParts,
  kept: Pick<KeptQuota, 'trim'>,
): Pick<Queue, 'settle'> {
  async function settle(settlement: Settlement): Promise<void> {
    const { dsn } = settlement
    ahead.drop(settlement.id)
    const prepared = dsn && (await prepare(dsn, turns, files))
    let wasDsnHeld = false
    try {
      const result = await room.write('settle', settlementRow(settlement, prepared?.row), {
        payload: prepared?.payload ?? [],
        committed(done) {
          // It may have come along again while this was on its way.
          ahead.drop(settlement.id)
          if (!done) return
          counts.apply([done.change])
          wasDsnHeld = done.isDsnHeld
          if (dsn && prepared && wasDsnHeld) counts.added(dsn, prepared.row.size)
          for (const { to } of settlement.recipients) if ('notBeforeMs' in to) counts.wakeBy(to.notBeforeMs)
        },
      })
      // The row is gone: a file that stays behind is found by the next sweep.
      if (result?.leavesFile) await files.remove(settlement.id).catch(() => undefined)
    } catch (error) {
      if (error instanceof StoreFailure) counts.noteFailure(error)
      throw error
    } finally {
      if (prepared?.file && dsn) {
        if (!wasDsnHeld) await files.remove(dsn.id).catch(() => undefined)
        prepared.file.done()
      }
    }
    if (settlement.recipients.some(({ to }) => to.kind === 'refused' || to.kind === 'expired')) kept.trim()
  }

  return { settle }
}
