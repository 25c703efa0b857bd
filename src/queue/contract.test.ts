/** The engines of the hold, each against the contract (`test/unit/queue-contract/`). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { testQueue } from '../../test/unit/queue-contract/contract.ts'
import type { MadeQueue } from '../../test/unit/queue-contract/made-queue.ts'
import { systemClock } from '../base/clock.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import type { HeldEntry } from './queue.ts'
import type { HoldLimits } from './quota.ts'
import { openSqliteQueue, queueModule, type SqliteQueue } from './sqlite/queue.ts'

async function makeSqlite(t: TestContext, limits: Partial<HoldLimits> = {}): Promise<MadeQueue> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-hold-'))
  let open: { store: Store; queue: SqliteQueue } | undefined
  const close = async () => {
    await open?.queue.close()
    await open?.store.close()
    open = undefined
  }
  t.after(async () => {
    await close()
    await rm(folder, { recursive: true, force: true })
  })
  const corrupt: string[] = []
  const dropped: HeldEntry[] = []
  const clock = createFakeClock()
  const start = async (): Promise<MadeQueue> => {
    // The store waits for a real disk, by a real clock.
    const opened = await openStore({ folder, modules: [queueModule] }, { clock: systemClock })
    if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
    const queue = await openSqliteQueue(opened.store, {
      clock,
      limits: () => ({ holdBytes: undefined, freeBytes: undefined, ...limits }),
      corrupt: (id) => void corrupt.push(id),
      dropped: (entry) => void dropped.push(entry),
    })
    open = { store: opened.store, queue }
    return {
      queue,
      clock,
      corrupt,
      dropped,
      async reopen() {
        await close()
        return start()
      },
    }
  }
  return start()
}

testQueue('sqlite', makeSqlite)
