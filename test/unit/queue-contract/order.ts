/** Who goes next, and when what waits is woken. */
import assert from 'node:assert/strict'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { brief, type Cases, none, settleAll } from './made-queue.ts'

export const order: Cases = {
  async 'recipients of one lane go together, oldest turn first, without those that are on their way'(t, make) {
    const { queue } = await make(t)
    await queue.hold(
      heldMessage({
        id: heldId(1),
        receivedMs: startMs + 10,
        sender: 'a@one.example',
        to: { 'a@example.test': {}, 'b@other.test': { lane: lane('second') }, 'c@example.test': {} },
      }),
    )
    await queue.hold(heldMessage({ id: heldId(2), receivedMs: startMs, sender: 'a@two.example' }))
    const tasks = await queue.next(lane('main'), 10, none)
    assert.deepEqual(tasks.map(brief), [
      [heldId(2), ['you@example.test']],
      [heldId(1), ['a@example.test', 'c@example.test']],
    ])
    assert.deepEqual((await queue.next(lane('second'), 10, none)).map(brief), [[heldId(1), ['b@other.test']]])
    assert.deepEqual((await queue.next(lane('main'), 1, new Set([heldId(2)]))).map(brief), [
      [heldId(1), ['a@example.test', 'c@example.test']],
    ])
    assert.deepEqual(await queue.next(lane('nowhere'), 10, none), [])
  },

  async 'a sender domain that floods does not stop a letter that came behind it'(t, make) {
    const { queue } = await make(t)
    for (let number = 0; number < 100; number++)
      await queue.hold(heldMessage({ id: heldId(number), sender: 'list@flood.example' }))
    await queue.hold(heldMessage({ id: heldId(100), sender: 'joe@one.example', receivedMs: startMs + 50 }))
    const tasks = await queue.next(lane('main'), 1000, none)
    assert.equal(
      tasks.findIndex(({ message }) => message.id === heldId(100)),
      3,
    )
    assert.equal(tasks.length, 101)
  },

  async 'what waits is woken when its time has come, and not before'(t, make) {
    const { queue, clock } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await queue.hold(heldMessage({ id: heldId(2), to: { 'you@example.test': { lane: lane('second') } } }))
    const later = clock.now() + 60_000
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: later, firstRefusedMs: 77 })
    await settleAll(queue, heldId(2), { kind: 'waiting', notBeforeMs: later + 1 })
    assert.equal(queue.nextWakeMs(), later)
    assert.deepEqual(await queue.next(lane('main'), 10, none), [])
    assert.deepEqual(await queue.wake(later - 1), [])
    assert.deepEqual(await queue.wake(later), ['main'])
    assert.equal(queue.nextWakeMs(), later + 1)
    const [task] = await queue.next(lane('main'), 10, none)
    assert.equal(task?.recipients[0]?.firstRefusedMs, 77)
    assert.equal(task?.recipients[0]?.attempts, 0)
    assert.deepEqual(await queue.wake(later + 1), ['second'])
    assert.equal(queue.nextWakeMs(), undefined)
  },

  async 'what a backend put off stands behind what was never tried, with all of its recipients'(t, make) {
    const { queue } = await make(t)
    const both = { 'a@example.test': {}, 'b@example.test': {} }
    for (const number of [1, 2, 3])
      await queue.hold(heldMessage({ id: heldId(number), to: both, receivedMs: startMs + number * 1000 }))
    const ids = async () => (await queue.next(lane('main'), 10, none)).map(({ message }) => message.id)
    assert.deepEqual(await ids(), [1, 2, 3].map(heldId))
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: startMs + 5000 })
    await queue.wake(startMs + 5000)
    await settleAll(queue, heldId(2), { kind: 'ready', turnMs: startMs + 4000 })
    assert.deepEqual(await ids(), [3, 2, 1].map(heldId))
    await queue.hold(heldMessage({ id: heldId(4), receivedMs: startMs + 6000 }))
    assert.deepEqual(await ids(), [3, 2, 1, 4].map(heldId))
    // One of two is put off: they go together, once, when the first of them may.
    await queue.settle({ id: heldId(3), recipients: [{ index: 0, to: { kind: 'ready', turnMs: startMs + 7000 } }] })
    const [first, ...others] = await queue.next(lane('main'), 10, none)
    assert.deepEqual([first?.message.id, first?.recipients.length], [heldId(3), 2])
    assert.deepEqual(
      others.map(({ message }) => message.id),
      [2, 1, 4].map(heldId),
    )
  },

  async 'knows when something of a domain has waited long enough'(t, make) {
    const { queue, clock } = await make(t)
    const now = clock.now()
    for (const [number, [domain, waitMs]] of [
      ['one.test', 300],
      ['one.test', 200],
      ['two.test', 100],
    ].entries()) {
      await queue.hold(heldMessage({ id: heldId(number), to: { [`you@${domain}`]: {} } }))
      await settleAll(queue, heldId(number), { kind: 'waiting', notBeforeMs: now + Number(waitMs) })
    }
    await queue.hold(heldMessage({ id: heldId(9), to: { 'you@three.test': {} } }))
    assert.deepEqual(
      await queue.nextWakes(),
      new Map([
        ['two.test', now + 100],
        ['one.test', now + 200],
      ]),
    )
  },
}
