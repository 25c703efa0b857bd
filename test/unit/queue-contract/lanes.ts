/** Lanes follow the configuration. */
import assert from 'node:assert/strict'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import type { Cases } from './made-queue.ts'

export const lanes: Cases = {
  async 'moves recipients to their lanes when the configuration has changed, and back'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'a@one.test': {}, 'b@two.test': {}, 'c@three.test': {} } }))
    await queue.settle({
      id: heldId(1),
      recipients: [
        { index: 1, to: { kind: 'unknown', backend: 'b', notBeforeMs: 5, elsewhereMs: 9 } },
        { index: 2, to: { kind: 'held' } },
      ],
    })
    const laneOf = (to: { domain?: string | undefined }) => (to.domain === 'one.test' ? lane('first') : undefined)
    assert.deepEqual(await queue.relane(laneOf), { moved: 1, withoutRoute: 1 })
    const states = async () => (await queue.get(heldId(1)))?.recipients.map(({ lane: its, state }) => [its, state])
    assert.deepEqual(await states(), [
      ['first', 'ready'],
      ['main', 'no-route'],
      ['main', 'held'],
    ])
    assert.deepEqual(await queue.relane(laneOf), { moved: 0, withoutRoute: 0 })
    assert.deepEqual(await queue.relane(() => lane('main')), { moved: 2, withoutRoute: 0 })
    assert.deepEqual(await states(), [
      ['main', 'ready'],
      ['main', 'unknown'],
      ['main', 'held'],
    ])
    assert.deepEqual(queue.lanes(), [{ lane: 'main', ready: 1, waiting: 0, unknown: 1, oldestMs: startMs }])
  },
}
