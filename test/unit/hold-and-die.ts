/**
 * A process that holds and settles until it is killed, for `src/queue/crash.test.ts`. What it was promised it says on standard output, one line a
 * promise, written at once: `held NUMBER`, `gone NUMBER`. Bodies follow from the number, so that the test can compare them.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { seededRandom, systemRandom } from '../../src/base/random.ts'
import { openSqliteQueue, queueModule } from '../../src/queue/sqlite/queue.ts'
import { openStore } from '../../src/store/open.ts'
import { heldId, heldMessage } from './held-message.ts'

/** From some octets to beyond what is kept in a row. */
export function bodyFor(number: number): Buffer {
  const random = seededRandom(number)
  const size =
    number % 23 === 0 ? 256 * 1024 + Math.floor(random.number() * 100_000) : Math.floor(random.number() * 20_000)
  return Buffer.alloc(size, `${number} ${random.number()}\r\n`)
}

async function main([folder = '', first = '0', seed = '0']: string[]): Promise<void> {
  const opened = await openStore({ folder, modules: [queueModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const queue = await openSqliteQueue(opened.store, {
    clock: systemClock,
    limits: () => ({ holdBytes: undefined, freeBytes: undefined }),
    corrupt: (id, why) => writeSync(1, `corrupt ${id} ${why}\n`),
    dropped: () => undefined,
  })
  const random = seed === '0' ? systemRandom : seededRandom(Number(seed))
  let next = Number(first)
  const worker = async () => {
    for (;;) {
      const number = next++
      const body = bodyFor(number)
      const outcome = await queue.hold(heldMessage({ id: heldId(number), body, has8bit: false }))
      if (outcome.kind !== 'held') throw new Error(JSON.stringify(outcome))
      writeSync(1, `held ${number}\n`)
      if (random.number() < 0.5) continue
      writeSync(1, `going ${number}\n`)
      await queue.settle({ id: heldId(number), recipients: [{ index: 0, to: { kind: 'gone' } }] })
      writeSync(1, `gone ${number}\n`)
    }
  }
  await Promise.all(Array.from({ length: 10 }, worker))
}

if (import.meta.main) await main(process.argv.slice(2))
