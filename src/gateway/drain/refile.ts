/** Files what is held under the ways of today. For `hold-parts`: at the start, after a reload, and where something is found under a way that is not its own. */
import type { Log } from '../../base/log.ts'
import type { Queue } from '../../queue/queue.ts'
import type { WriteDown } from '../settle/write-down.ts'
import type { Ways } from '../ways/ways.ts'
import type { Drain } from './drain.ts'

export interface Refile {
  /** Resolves when all of it is, or after a moment, and then goes on behind. */
  all(): Promise<void>
  /** A session began before a reload, or rows were filed in the middle of one: all of it is filed anew, soon and once. */
  misfiled(): void
}

export interface RefileDeps {
  readonly log: Log
  readonly queue: Pick<Queue, 'relane'>
  readonly drain: Pick<Drain, 'pauseWhile' | 'start'>
  readonly ways: Pick<Ways, 'ofRecipient'>
  readonly writeDown: Pick<WriteDown, 'soon'>
}

export function createRefile({ log, queue, drain, ways, writeDown }: RefileDeps): Refile {
  /** It has been asked for, and has not begun. */
  let isAskedFor = false

  async function relane(): Promise<void> {
    // What is filed wrongly from now on may be behind the one that looks.
    isAskedFor = false
    const { moved, withoutRoute } = await drain.pauseWhile(() => queue.relane(ways.ofRecipient))
    if (moved > 0) log.info('held mail goes another way now', { recipients: moved })
    if (withoutRoute > 0) log.alert('held mail has no route', { recipients: withoutRoute })
    drain.start()
  }

  async function all(): Promise<void> {
    await writeDown.soon({ work: 'lanes of held mail' }, relane)
  }

  return {
    all,
    misfiled() {
      if (isAskedFor) return
      isAskedFor = true
      void all()
    },
  }
}
