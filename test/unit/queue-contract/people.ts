/** What a person sees and does. */
import assert from 'node:assert/strict'
import type { Queue } from '../../../src/queue/queue.ts'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { attempt, type Cases, day, none, settleAll } from './made-queue.ts'

export const people: Cases = {
  async 'lists by page with filters'(t, make) {
    const { queue } = await make(t)
    for (let number = 0; number < 25; number++)
      await queue.hold(
        heldMessage({
          id: heldId(number),
          sender: `Joe${number % 2}@Sender.example`,
          receivedMs: startMs + number,
          to: { [`you${number % 5}@d${number % 3}.test`]: {}, 'all@every.test': { lane: lane('other') } },
        }),
      )
    await settleAll(queue, heldId(7), { kind: 'held' })
    const ids = async (filter: Parameters<Queue['list']>[0], limit = 10) => {
      const found: string[] = []
      for (let from: string | undefined, pages = 0; ; pages++) {
        assert.ok(pages < 100)
        const page = await queue.list(filter, limit, from)
        assert.ok(page.messages.length <= limit)
        found.push(...page.messages.map(({ message }) => message.id))
        if (page.next === undefined) return found
        from = page.next
      }
    }
    const all = Array.from({ length: 25 }, (_, number) => number)
    assert.deepEqual(await ids({}), all.map(heldId))
    assert.deepEqual(await ids({ ids: [heldId(3), heldId(1), 'nothing'] }), [1, 3].map(heldId))
    assert.deepEqual(await ids({ sender: 'JOE1@sender.EXAMPLE' }), all.filter((n) => n % 2 === 1).map(heldId))
    assert.equal((await ids({ sender: '@sender.example' })).length, 25)
    assert.deepEqual(await ids({ domain: 'd2.test' }, 3), all.filter((n) => n % 3 === 2).map(heldId))
    assert.deepEqual(await ids({ recipient: 'you4@d1.test' }), all.filter((n) => n % 15 === 4).map(heldId))
    assert.deepEqual(await ids({ states: ['held'] }), [heldId(7)])
    assert.deepEqual(await ids({ states: ['refused'] }), [])
    assert.deepEqual(await ids({ receivedAfterMs: startMs + 20, receivedBeforeMs: startMs + 23 }), [21, 22].map(heldId))
  },

  async 'finds ids by how they begin'(t, make) {
    const { queue } = await make(t)
    for (const number of [5, 10, 11, 200]) await queue.hold(heldMessage({ id: heldId(number) }))
    assert.deepEqual(await queue.idsWith('000000001', 10), [10, 11].map(heldId))
    assert.deepEqual(await queue.idsWith('00000000', 2), [5, 10].map(heldId))
    assert.deepEqual(await queue.idsWith(heldId(200), 10), [heldId(200)])
    assert.deepEqual(await queue.idsWith('9', 10), [])
    assert.deepEqual(await queue.idsWith('%', 10), [])
  },

  async 'what a person holds stays held behind an attempt that was under way, unless that was final'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await settleAll(queue, heldId(1), { kind: 'held' })
    const held = async () => (await queue.get(heldId(1)))?.recipients[0]
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: startMs + 5 }, attempt('deferred'))
    await settleAll(queue, heldId(1), { kind: 'ready' })
    assert.deepEqual([(await held())?.state, (await held())?.notBeforeMs], ['held', undefined])
    assert.deepEqual(await queue.wake(startMs + 5), [])
    const unknown = {
      kind: 'unknown',
      backend: 'smtp://b',
      notBeforeMs: startMs + 5,
      elsewhereMs: startMs + 9,
    } as const
    await settleAll(queue, heldId(1), unknown, attempt('unknown'))
    await settleAll(queue, heldId(1), { kind: 'held' })
    assert.deepEqual(
      [(await held())?.state, (await held())?.backend, (await held())?.elsewhereMs],
      ['held', 'smtp://b', startMs + 9],
    )
    await settleAll(queue, heldId(1), { kind: 'refused', keepUntilMs: startMs + day }, attempt('refused'))
    assert.equal((await held())?.state, 'refused')
  },

  async 'takes a message in that a person holds'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'you@example.test': { state: 'held' } } }))
    assert.deepEqual(await queue.next(lane('main'), 10, none), [])
    assert.deepEqual(queue.domains()[0]?.byState, { held: 1 })
  },
}
