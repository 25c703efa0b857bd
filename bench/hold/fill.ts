/** Holds many messages for a domain whose backend stays away, through the store itself: what an outage of days leaves. */
import { mkdir } from 'node:fs/promises'
import { systemClock } from '../../src/base/clock.ts'
import { knownModule } from '../../src/queue/sqlite/known.ts'
import { openSqliteQueue, queueModule } from '../../src/queue/sqlite/queue.ts'
import { openStore } from '../../src/store/open.ts'
import { heldId, heldMessage, lane } from '../../test/unit/held-message.ts'

const atOnce = 256
const octets = 500

export async function fill(state: string, count: number): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 })
  const opened = await openStore({ folder: state, modules: [queueModule, knownModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const queue = await openSqliteQueue(opened.store, {
    clock: systemClock,
    limits: () => ({ holdBytes: Number.MAX_SAFE_INTEGER, freeBytes: 0 }),
    corrupt: (id, why) => process.stderr.write(`corrupt ${id}: ${why}\n`),
    dropped: () => undefined,
  })
  const body = Buffer.alloc(octets, 'abcdefgh\r\n')
  let next = 0
  const worker = async () => {
    while (next < count) {
      const number = next++
      const to = { [`user${number % 1000}@held.test`]: { lane: lane('held.test') } }
      const words = { id: heldId(number), body, has8bit: false, receivedMs: Date.now(), sender: 'a@sender.test', to }
      const outcome = await queue.hold(heldMessage(words))
      if (outcome.kind !== 'held') throw new Error(JSON.stringify(outcome))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await queue.close()
  await opened.store.close()
}
