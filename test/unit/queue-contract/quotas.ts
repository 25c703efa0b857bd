/** Room: quotas, counts, and what is left of the disk. */
import assert from 'node:assert/strict'
import type { IpAddress } from '../../../src/base/ip.ts'
import type { NewHeld, Queue } from '../../../src/queue/queue.ts'
import { until } from '../../lab/until.ts'
import { heldId, heldMessage, startMs } from '../held-message.ts'
import { type Cases, day, settleAll } from './made-queue.ts'

/** Of no client's network. */
const ours = { client: undefined }

export const quotas: Cases = {
  async 'keeps its quotas: all, a domain, and what is kept for a person'(t, make) {
    // Each counts a KiB for itself and one for its recipient.
    const { queue, dropped } = await make(t, { holdBytes: 40 * 3000 })
    const body = Buffer.alloc(3000 - 2048, 65)
    const held = (number: number, domain: string) =>
      queue.hold({ ...heldMessage({ id: heldId(number), body, to: { [`a@${domain}`]: {} } }), isTrusted: true })
    // At once, so that what is on its way counts.
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, number) => held(number, 'one.test')))
    assert.equal(outcomes.filter(({ kind }) => kind === 'held').length, 10)
    assert.deepEqual(outcomes.at(-1), { kind: 'full', why: 'domain' })
    const would = (...domains: string[]) => queue.wouldHold({ ...ours, size: 952, recipients: 1, domains })
    assert.deepEqual(would('one.test'), { kind: 'full', why: 'domain' })
    assert.deepEqual(would('other.test'), { kind: 'held' })
    assert.deepEqual(would('other.test', 'one.test'), { kind: 'full', why: 'domain' })
    assert.equal(queue.wouldHold({ ...ours, size: 952, recipients: 26, domains: ['other.test'] }).kind, 'held')
    assert.equal(queue.wouldHold({ ...ours, size: 952, recipients: 28, domains: ['other.test'] }).kind, 'full')
    for (let number = 100; number < 130; number++) assert.equal((await held(number, `d${number}.test`)).kind, 'held')
    assert.deepEqual(await held(200, 'other.test'), { kind: 'full', why: 'hold' })
    assert.deepEqual(would('other.test'), { kind: 'full', why: 'hold' })

    for (let number = 100; number < 106; number++)
      await settleAll(queue, heldId(number), { kind: 'refused', keepUntilMs: startMs + day })
    await until(() => dropped.length === 2)
    assert.deepEqual(
      dropped.map(({ message }) => message.id),
      [100, 101].map(heldId),
    )
    assert.equal(await queue.get(heldId(101)), undefined)
    assert.equal((await held(201, 'other.test')).kind, 'held')
  },

  async 'leaves the rest of a domain to others, where a client network has its share and half is taken'(t, make) {
    const made = await make(t, { holdBytes: 4 * 16 * 3000 })
    const body = Buffer.alloc(3000 - 2048, 65)
    let last = 0
    const message = (address: string, domain = 'one.test'): NewHeld => {
      const words = heldMessage({ id: heldId(last++), body, to: { [`a@${domain}`]: {} } })
      return { ...words, client: words.client && { ...words.client, address: address as IpAddress } }
    }
    const hold = async (address: string, domain?: string) => {
      const outcome = await made.queue.hold(message(address, domain))
      return outcome.kind === 'full' ? outcome.why : outcome.kind
    }
    // At once, so that what is on its way counts: half of the domain's for whoever comes first, then four of its sixteen a network.
    const first = await Promise.all(Array.from({ length: 10 }, () => hold('192.0.2.7')))
    assert.deepEqual(first, [...Array(8).fill('held'), 'network', 'network'])
    const would = (client: string) =>
      made.queue.wouldHold({ size: 952, recipients: 1, domains: ['one.test'], client: client as IpAddress })
    assert.deepEqual([would('192.0.2.200'), would('192.0.3.7').kind], [{ kind: 'full', why: 'network' }, 'held'])
    assert.equal(await hold('192.0.2.99', 'other.test'), 'held')
    for (let number = 0; number < 4; number++) assert.equal(await hold(`2001:db8:1:${number}::7`), 'held')
    assert.equal(await hold('2001:db8:1:ffff::7'), 'network')
    // Behind a restart as before.
    const { queue } = await made.reopen()
    assert.deepEqual(await queue.hold(message('192.0.2.7')), { kind: 'full', why: 'network' })
    assert.deepEqual(await queue.hold(message('2001:db8:1::8')), { kind: 'full', why: 'network' })
    assert.equal((await queue.hold(message('2001:db8:2::8'))).kind, 'held')
    // Nobody stops what a person takes in, or a relay that is trusted brings.
    assert.equal((await queue.hold({ ...message('192.0.2.7'), isTrusted: true })).kind, 'held')
    // What goes leaves its room; what is only kept for a person is not in anybody's way.
    for (let number = 0; number < 4; number++) await settleAll(queue, heldId(number), { kind: 'gone' })
    for (let number = 4; number < 7; number++)
      await settleAll(queue, heldId(number), { kind: 'refused', keepUntilMs: startMs + day })
    assert.equal((await queue.hold(message('192.0.2.7'))).kind, 'held')
  },

  async 'counts recipients too, also behind a restart: a small body for a thousand takes what a thousand take'(
    t,
    make,
  ) {
    const made = await make(t, { holdBytes: 4 * 40_000 })
    const to = (count: number, first = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, number) => [`user${first + number}@one.test`, {}]))
    const hold = (queue: Queue, number: number, count: number) =>
      queue.hold({ ...heldMessage({ id: heldId(number), body: Buffer.from('\r\n'), to: to(count) }), isTrusted: true })
    assert.deepEqual(await hold(made.queue, 1, 40), { kind: 'full', why: 'domain' })
    assert.deepEqual(await hold(made.queue, 2, 30), { kind: 'held' })
    assert.deepEqual(await hold(made.queue, 3, 10), { kind: 'full', why: 'domain' })
    const { queue } = await made.reopen()
    assert.deepEqual(await hold(queue, 4, 10), { kind: 'full', why: 'domain' })
    // Whoever has left takes nothing any more.
    const gone = Array.from({ length: 10 }, (_, index) => ({ index, to: { kind: 'gone' as const } }))
    await queue.settle({ id: heldId(2), recipients: gone })
    assert.deepEqual(await hold(queue, 5, 10), { kind: 'held' })
    assert.equal(queue.totals.bytes, 4)
  },

  async 'never takes the last of the disk'(t, make) {
    const { queue } = await make(t, { freeBytes: Number.MAX_SAFE_INTEGER })
    const asked = { ...ours, size: 0, recipients: 1, domains: ['example.test'] }
    assert.deepEqual(queue.wouldHold(asked), { kind: 'full', why: 'disk' })
    assert.deepEqual(await queue.hold(heldMessage({ id: heldId(1) })), { kind: 'full', why: 'disk' })
    assert.equal(queue.totals.messages, 0)
  },

  async 'the oldest is known again when the oldest has left'(t, make) {
    const { queue, clock } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), receivedMs: startMs }))
    await queue.hold(heldMessage({ id: heldId(2), receivedMs: startMs + 500 }))
    await settleAll(queue, heldId(1), { kind: 'gone' })
    await until(() => {
      clock.advance(1000)
      return queue.totals.oldestMs === startMs + 500
    })
    assert.equal(queue.lanes()[0]?.oldestMs, startMs + 500)
    assert.equal(queue.domains()[0]?.oldestMs, startMs + 500)
  },
}
