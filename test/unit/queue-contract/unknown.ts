/** Behind whose dot nobody answered. */
import assert from 'node:assert/strict'
import type { Settled } from '../../../src/queue/queue.ts'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { type Cases, none, settleAll } from './made-queue.ts'

export const unknown: Cases = {
  async 'what is unknown is not ready, and is asked about when its time has come'(t, make) {
    const { queue, clock } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    const notBeforeMs = clock.now() + 1000
    await settleAll(queue, heldId(1), {
      kind: 'unknown',
      backend: 'smtp://b',
      notBeforeMs,
      elsewhereMs: notBeforeMs + 5,
    })
    assert.deepEqual(await queue.next(lane('main'), 10, none), [])
    assert.deepEqual(await queue.nextUnknown(lane('main'), 10, none), [])
    assert.deepEqual(queue.lanes(), [{ lane: 'main', ready: 0, waiting: 0, unknown: 1, oldestMs: startMs }])
    clock.advance(1000)
    const [task] = await queue.nextUnknown(lane('main'), 10, none)
    assert.equal(task?.recipients[0]?.backend, 'smtp://b')
    assert.deepEqual(await queue.wake(clock.now()), ['main'])
    assert.equal(queue.nextWakeMs(), undefined)
    assert.equal((await queue.nextUnknown(lane('main'), 10, none)).length, 1)
    assert.deepEqual(await queue.nextUnknown(lane('main'), 10, new Set([heldId(1)])), [])
  },

  async 'settles what is unknown only where it is still the same backend that may have it'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    const at = (backend: string) =>
      ({ kind: 'unknown', backend, notBeforeMs: startMs + 5, elsewhereMs: startMs + 9 }) as const
    const settle = (to: Settled, behind: string) =>
      queue.settle({ id: heldId(1), recipients: [{ index: 0, to, from: ['unknown', 'held'], behind }] })
    const state = async () => (await queue.get(heldId(1)))?.recipients[0]?.state
    await settleAll(queue, heldId(1), at('smtp://other'))
    await settle({ kind: 'waiting', notBeforeMs: startMs + 5 }, 'smtp://one')
    await settle({ kind: 'gone' }, 'smtp://one')
    assert.equal(await state(), 'unknown')
    // Held by a person, it is still known behind whose dot it is.
    await settleAll(queue, heldId(1), { kind: 'held' })
    await settle({ kind: 'waiting', notBeforeMs: startMs + 5 }, 'smtp://one')
    assert.equal(await state(), 'held')
    await settle({ kind: 'waiting', notBeforeMs: startMs + 5 }, 'smtp://other')
    assert.equal(await state(), 'waiting')
  },

  async 'behind whose dot it is unknown is not forgotten of what lost its route meanwhile'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await queue.relane(() => undefined)
    const to = { kind: 'unknown', backend: 'smtp://b', notBeforeMs: startMs + 5, elsewhereMs: startMs + 9 } as const
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to, from: ['ready'] }] })
    assert.equal((await queue.get(heldId(1)))?.recipients[0]?.state, 'no-route')
    await queue.relane(() => lane('main'))
    const held = (await queue.get(heldId(1)))?.recipients[0]
    assert.deepEqual([held?.state, held?.backend, held?.elsewhereMs], ['unknown', 'smtp://b', startMs + 9])
  },

  async 'what is put off behind a dot keeps when it was refused first, and its backend also where it is set aside'(
    t,
    make,
  ) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    const to = { kind: 'unknown', backend: 'smtp://b', notBeforeMs: startMs + 5, elsewhereMs: startMs + 9 } as const
    await settleAll(queue, heldId(1), { ...to, firstRefusedMs: startMs + 3 })
    await settleAll(queue, heldId(1), { ...to, firstRefusedMs: startMs + 4 })
    await settleAll(queue, heldId(1), { kind: 'set-aside' })
    const held = (await queue.get(heldId(1)))?.recipients[0]
    assert.deepEqual(
      [held?.state, held?.backend, held?.elsewhereMs, held?.firstRefusedMs],
      ['set-aside', 'smtp://b', startMs + 9, startMs + 3],
    )
  },
}
