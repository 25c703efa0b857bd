/** Notices, and messages whose time is over. */
import assert from 'node:assert/strict'
import type { Notify } from '../../../src/mail/dsn-request.ts'
import type { Settled } from '../../../src/queue/queue.ts'
import { heldId, heldMessage, lane, mailbox } from '../held-message.ts'
import { type Cases, contentOf, day, settleAll } from './made-queue.ts'

export const ends: Cases = {
  async 'a DSN is held with what it tells of, and only then'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    const dsn = (number: number, body?: Buffer) =>
      heldMessage({
        id: heldId(number),
        sender: null,
        to: { 'joe@sender.example': { lane: lane('out') } },
        ...(body && { body, has8bit: false }),
      })
    const large = Buffer.alloc(300_000, 65)
    await queue.settle({
      id: heldId(1),
      recipients: [{ index: 0, to: { kind: 'gone' } }],
      dsn: dsn(2, large),
    })
    assert.equal(queue.totals.messages, 1)
    assert.ok((await contentOf(queue, heldId(2))).equals(large))
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: { kind: 'gone' } }], dsn: dsn(3) })
    assert.equal(await queue.get(heldId(3)), undefined)
    assert.equal(queue.totals.messages, 1)
  },

  async 'whose time is over is found in whatever state, oldest first, and what is kept when that time is over'(
    t,
    make,
  ) {
    const { queue, clock } = await make(t)
    const now = clock.now()
    const states: Settled[] = [
      { kind: 'waiting', notBeforeMs: now + day },
      { kind: 'held' },
      { kind: 'no-route' },
      { kind: 'set-aside' },
      { kind: 'corrupt' },
      { kind: 'unknown', backend: 'b', notBeforeMs: now + day, elsewhereMs: now + day },
    ]
    for (const [number, state] of states.entries()) {
      await queue.hold(heldMessage({ id: heldId(number), expiresMs: now - number }))
      await settleAll(queue, heldId(number), state)
    }
    await queue.hold(heldMessage({ id: heldId(50), expiresMs: now + 1 }))
    assert.deepEqual(await queue.countOverdue(now), { overdue: 6, all: 7 })
    const { expiring, kept } = await queue.overdue(now, 4)
    assert.deepEqual(
      expiring.map(({ message }) => message.id),
      [5, 4, 3, 2].map(heldId),
    )
    assert.deepEqual(kept, [])

    await settleAll(queue, heldId(5), { kind: 'expired', keepUntilMs: now + 100 })
    await settleAll(queue, heldId(4), { kind: 'refused', keepUntilMs: now + 50 })
    assert.deepEqual(await queue.countOverdue(now), { overdue: 4, all: 5 })
    assert.deepEqual(
      (await queue.overdue(now + 99, 10)).kept.map(({ message }) => message.id),
      [heldId(4)],
    )
    assert.deepEqual(
      (await queue.overdue(now + 100, 10)).kept.map(({ message }) => message.id),
      [4, 5].map(heldId),
    )
    // A person lets it go on: it can expire again.
    await settleAll(queue, heldId(5), { kind: 'ready' })
    assert.deepEqual(
      (await queue.overdue(now + 100, 10)).kept.map(({ message }) => message.id),
      [heldId(4)],
    )
    assert.equal((await queue.countOverdue(now)).overdue, 5)
  },

  async 'a recipient may come to its end before the others of its message, which is overdue again at theirs'(t, make) {
    const { queue, clock } = await make(t)
    const now = clock.now()
    const notify = 'NEVER' as Notify
    const recipient = { ...mailbox('soon@example.test'), notify }
    const to = { 'soon@example.test': { recipient, expiresMs: now + 10 }, 'b@example.test': {}, 'c@example.test': {} }
    await queue.hold(heldMessage({ id: heldId(1), expiresMs: now + 20, to }))
    const ends = async () => (await queue.get(heldId(1)))?.recipients.map(({ expiresMs }) => expiresMs)
    const isOverdue = async (atMs: number) => (await queue.countOverdue(atMs)).overdue === 1
    assert.deepEqual(await ends(), [now + 10, undefined, undefined])
    assert.deepEqual((await queue.get(heldId(1)))?.recipients[0]?.recipient, recipient)
    assert.deepEqual([await isOverdue(now + 9), await isOverdue(now + 10)], [false, true])
    // Another one of it changes, and then the one whose end it was.
    await queue.settle({ id: heldId(1), recipients: [{ index: 1, to: { kind: 'held' } }] })
    assert.equal(await isOverdue(now + 10), true)
    const expired = { kind: 'expired', keepUntilMs: now + day } as const
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: expired }] })
    assert.deepEqual([await isOverdue(now + 19), await isOverdue(now + 20)], [false, true])
    // A person lets it go on, though its time is over.
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: { kind: 'ready' } }] })
    assert.equal(await isOverdue(now + 10), true)
    await queue.settle({ id: heldId(1), recipients: [0, 1, 2].map((index) => ({ index, to: expired })) })
    assert.equal(await isOverdue(now + 20), false)
  },
}
