/** What becomes of recipients is written down, and only where it is still so. */
import assert from 'node:assert/strict'
import type { RecipientState, Settled } from '../../../src/queue/queue.ts'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { attempt, type Cases, none, settleAll } from './made-queue.ts'

export const settling: Cases = {
  async 'what was delivered goes, with the last recipient the message'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } }))
    await queue.settle({
      id: heldId(1),
      recipients: [{ index: 0, to: { kind: 'gone' } }],
      attempt: attempt('deferred'),
    })
    const entry = await queue.get(heldId(1))
    assert.deepEqual(
      entry?.recipients.map(({ index }) => index),
      [1],
    )
    assert.deepEqual(entry?.attempts, [attempt('deferred')])
    await queue.settle({
      id: heldId(1),
      recipients: [{ index: 1, to: { kind: 'gone' } }],
      attempt: attempt('delivered'),
    })
    assert.equal(await queue.get(heldId(1)), undefined)
    assert.deepEqual(await queue.body(heldId(1)), { kind: 'gone' })
    assert.deepEqual(queue.totals.messages, 0)
    assert.deepEqual(queue.lanes(), [])
    assert.deepEqual(queue.domains(), [])
    // Somebody else may have removed it: no error.
    await queue.settle({ id: heldId(1), recipients: [{ index: 1, to: { kind: 'gone' } }] })
  },

  async 'the first refusal is remembered through later ones'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: 1, firstRefusedMs: 5 }, attempt('deferred'))
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: 2, firstRefusedMs: 9 }, attempt('deferred'))
    const [recipient] = (await queue.get(heldId(1)))?.recipients ?? []
    assert.equal(recipient?.firstRefusedMs, 5)
    assert.equal(recipient?.attempts, 2)
  },

  async 'what is settled as it is keeps its state and all that belongs to it, and has its notice'(t, make) {
    const { queue } = await make(t)
    const dsn = (number: number) => heldMessage({ id: heldId(number), sender: null, to: { 'joe@sender.example': {} } })
    await queue.hold(heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } }))
    const unknown = {
      kind: 'unknown',
      backend: 'smtp://b',
      notBeforeMs: startMs + 5,
      elsewhereMs: startMs + 9,
    } as const
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: unknown }] })
    const told = (from: readonly RecipientState[], number: number) =>
      queue.settle({
        id: heldId(1),
        recipients: [0, 1].map((index) => ({ index, to: { kind: 'as-it-is' }, from })),
        delayTold: true,
        dsn: dsn(number),
      })
    await told(['held'], 2)
    assert.equal(await queue.get(heldId(2)), undefined)
    await told(['unknown'], 3)
    const rows = (await queue.get(heldId(1)))?.recipients.map((held) => [
      held.state,
      held.backend,
      held.notBeforeMs,
      held.elsewhereMs,
      held.wasDelayTold,
    ])
    assert.deepEqual(rows, [
      ['unknown', 'smtp://b', startMs + 5, startMs + 9, true],
      ['ready', undefined, undefined, undefined, false],
    ])
    assert.ok(await queue.get(heldId(3)))
  },

  async 'recipients are added to a message that is there, at their places, and are counted'(t, make) {
    const { queue } = await make(t)
    const to = { 'a@example.test': { index: 3 }, 'b@other.test': { index: 1 } }
    const added = heldMessage({ id: heldId(1), to: { 'c@third.test': { index: 2, state: 'held', wasKnown: true } } })
    assert.deepEqual(await queue.add(added), { kind: 'gone' })
    await queue.hold(heldMessage({ id: heldId(1), to }))
    assert.deepEqual(await queue.add(added), { kind: 'held' })
    const entry = await queue.get(heldId(1))
    assert.deepEqual(
      entry?.recipients.map(({ index, recipient, state }) => [index, recipient.text, state]),
      [
        [1, 'b@other.test', 'ready'],
        [2, 'c@third.test', 'held'],
        [3, 'a@example.test', 'ready'],
      ],
    )
    assert.deepEqual(
      queue.domains().map(({ domain, messages }) => [domain, messages]),
      [
        ['example.test', 1],
        ['other.test', 1],
        ['third.test', 1],
      ],
    )
    // A place that somebody has: nothing is added, and nobody is replaced.
    const clashing = { 'd@example.test': { index: 4 }, 'e@example.test': { index: 2 } }
    await assert.rejects(queue.add(heldMessage({ id: heldId(1), to: clashing })))
    assert.equal((await queue.get(heldId(1)))?.recipients.length, 3)
    assert.equal(queue.totals.messages, 1)
  },

  async 'what was offered when the process ended is ready afterwards'(t, make) {
    const made = await make(t)
    await made.queue.hold(heldMessage({ id: heldId(1), to: { 'you@example.test': { state: 'offered' } } }))
    assert.deepEqual(await made.queue.next(lane('main'), 10, none), [])
    const { queue } = await made.reopen()
    assert.equal((await queue.next(lane('main'), 10, none)).length, 1)
    assert.equal(queue.lanes()[0]?.ready, 1)
  },

  async 'settles lane, reply, proof and the delay notice'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } }))
    const reply = { code: 452, enhanced: '4.2.2', text: ['full'] }
    await queue.settle({
      id: heldId(1),
      recipients: [{ index: 1, to: { kind: 'ready' }, lane: lane('other'), reply }],
      delayTold: true,
      proof: { kind: 'not-proven', why: 'neutral' },
    })
    const entry = await queue.get(heldId(1))
    assert.deepEqual(entry?.message.proof, { kind: 'not-proven', why: 'neutral' })
    assert.deepEqual(
      entry?.recipients.map((recipient) => [recipient.lane, recipient.lastReply, recipient.wasDelayTold]),
      [
        ['main', undefined, false],
        ['other', reply, true],
      ],
    )
    assert.deepEqual(
      queue
        .lanes()
        .map((each) => [each.lane, each.ready])
        .sort(),
      [
        ['main', 1],
        ['other', 1],
      ],
    )
  },

  async 'keeps the last 50 attempts'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    for (let at = 1; at <= 60; at++)
      await settleAll(queue, heldId(1), { kind: 'ready' }, { ...attempt('deferred'), atMs: at })
    const attempts = (await queue.get(heldId(1)))?.attempts ?? []
    assert.deepEqual([attempts.length, attempts[0]?.atMs, attempts.at(-1)?.atMs], [50, 11, 60])
  },

  async 'settles only what is in the state that was meant'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } }))
    await queue.settle({ id: heldId(1), recipients: [{ index: 1, to: { kind: 'held' } }] })
    const both = (to: Settled, from: RecipientState[]) =>
      queue.settle({ id: heldId(1), recipients: [0, 1].map((index) => ({ index, to, from })) })
    const states = async () => (await queue.get(heldId(1)))?.recipients.map(({ index, state }) => [index, state])
    await both({ kind: 'set-aside' }, ['waiting', 'ready'])
    assert.deepEqual(await states(), [
      [0, 'set-aside'],
      [1, 'held'],
    ])
    await both({ kind: 'gone' }, ['set-aside'])
    assert.deepEqual(await states(), [[1, 'held']])
    await both({ kind: 'ready' }, ['held'])
    assert.deepEqual(await states(), [[1, 'ready']])
    assert.equal(queue.lanes()[0]?.ready, 1)
  },
}
