/** The way into the hold: a new message, or recipients for one that is there. Room first, then the body, then one COMMIT. For `queue.ts` beside. */
import { StoreFailure } from '../../store/failure.ts'
import type { Store } from '../../store/store.ts'
import type { HoldOutcome, NewHeld, Queue } from '../queue.ts'
import type { Admission } from './admission.ts'
import { type StoredFile, shelfOf } from './body-files.ts'
import { addedRow } from './message-codec.ts'
import { prepare } from './new-row.ts'
import type { QueueParts } from './parts.ts'

export function createIntake(
  { room, counts, files, turns, ahead }: QueueParts,
  store: Pick<Store, 'state'>,
  admission: Admission,
): Pick<Queue, 'hold' | 'add' | 'wouldHold'> {
  async function hold(message: NewHeld): Promise<HoldOutcome> {
    shelfOf(message.id)
    const refused = await admission.admit(message)
    if (refused) return { kind: 'full', why: refused }
    let file: StoredFile | undefined
    try {
      const prepared = await prepare(message, turns, files)
      file = prepared.file
      await room.write('hold', prepared.row, {
        payload: prepared.payload,
        undo: { name: 'forget', argument: message.id },
        committed: () => counts.added(message, prepared.row.size),
      })
      return { kind: 'held' }
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      counts.noteFailure(error)
      ahead.drop(message.id)
      // A row that may be there needs its file; the sweep finds it when the row is taken back.
      if (file && !error.isUnknown) await files.remove(message.id).catch(() => undefined)
      return error.code === 'full' ? { kind: 'full', why: 'disk' } : { kind: 'failed', why: error.message }
    } finally {
      file?.done()
      admission.done(message)
    }
  }

  async function add(message: NewHeld): ReturnType<Queue['add']> {
    const refused = await admission.admit(message)
    if (refused) return { kind: 'full', why: refused }
    try {
      const row = addedRow(message, turns.next(message.envelope.sender, message.receivedMs))
      const change = await room.write('add', row, {
        committed: (done) => {
          if (done) counts.apply([done])
        },
      })
      return { kind: change ? 'held' : 'gone' }
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      counts.noteFailure(error)
      if (error.code === 'full' && !error.isUnknown) return { kind: 'full', why: 'disk' }
      throw error
    } finally {
      admission.done(message)
    }
  }

  return {
    hold,
    add,
    wouldHold(asked) {
      const { state } = store
      if (state.kind === 'closed') return { kind: 'failed', why: 'the store is closed' }
      if (state.kind === 'failing')
        return state.code === 'full' ? { kind: 'full', why: 'disk' } : { kind: 'failed', why: state.why }
      const why = admission.whyNot(asked)
      return why === undefined ? { kind: 'held' } : { kind: 'full', why }
    },
  }
}
