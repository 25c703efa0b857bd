import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { until } from '../../test/lab/until.ts'
import { systemDoor } from '../base/door.ts'
import { silentLog } from '../base/log.ts'
import { createLedger } from './ledger.ts'
import { readNumber } from './letter.ts'
import { type Mailbox, startMailbox } from './mailbox.ts'
import { createSender } from './sender.ts'

const run = 'ab'
const domain = 'example.test'

/** A mailbox with a sender that talks to it directly. */
async function start(t: TestContext, usualMs: number) {
  const ledger = createLedger(1000)
  const stored = (head: string) => {
    const id = readNumber(head, run)
    if (id !== undefined) ledger.arrived(id)
  }
  const mailbox = await startMailbox({ number: 2, domain, usualMs }, { clock: steadyClock, log: silentLog, stored })
  const options = { to: mailbox.place, domain, perSecond: 20, run }
  const sender = createSender(options, { clock: steadyClock, door: systemDoor, ledger })
  t.after(async () => {
    await sender.stop(0)
    await mailbox.stop()
  })
  return { ledger, mailbox, sender }
}

const listens = (mailbox: Mailbox) =>
  new Promise<boolean>((resolve) => {
    const opening = systemDoor.open('client', { kind: 'tcp', ...mailbox.place })
    if (opening.kind === 'forbidden') return resolve(false)
    opening.socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    opening.socket.once('close', () => resolve(false)).once('data', () => opening.socket.destroy())
  })

test('what is sent arrives once', async (t) => {
  const { ledger, mailbox, sender } = await start(t, 0)
  sender.start()
  await until(() => ledger.counts.taken >= 5, 60_000)
  await sender.stop(60_000)
  const { taken, arrivedOnce, missing } = ledger.counts
  assert.deepEqual([arrivedOnce, missing, mailbox.received], [taken, 0, taken])
})

test('one that is killed answers for what it was busy with, is gone, and comes back at its place', async (t) => {
  const { ledger, mailbox, sender } = await start(t, 600_000)
  sender.start()
  await until(() => sender.waiting >= 3, 60_000)
  assert.equal(mailbox.received, 0)
  await mailbox.kill()
  assert.equal(await listens(mailbox), false)
  await until(() => ledger.counts.turnedAway > 0, 60_000, 'a sender finds nobody')
  assert.equal(ledger.counts.missing, 0)
  assert.equal(ledger.counts.arrivedTwice, 0)

  mailbox.slow(0)
  const before = ledger.counts.taken
  await mailbox.revive()
  await until(() => ledger.counts.taken > before, 60_000, 'what was turned away came again')
  await sender.stop(60_000)
  const { taken, arrivedOnce, missing } = ledger.counts
  assert.deepEqual([arrivedOnce, missing], [taken, 0])
})

test('one that is made quick again answers at once what it was slow with', async (t) => {
  const { ledger, mailbox, sender } = await start(t, 0)
  mailbox.slow(600_000)
  assert.equal(mailbox.isSlow, true)
  sender.start()
  await until(() => sender.waiting >= 2, 60_000)
  mailbox.slow(undefined)
  await until(() => ledger.counts.taken >= 2, 60_000)
  assert.equal(mailbox.isSlow, false)
})
