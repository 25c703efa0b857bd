/**
 * What every engine of the hold must do (`src/queue/queue.ts`), as tests over "make a queue": `src/queue/contract.test.ts` runs them for the engines
 * that there are. The property test at the end compares with a model of a few lines.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { parseEnvelopeId, parseNotify, parseOriginalRecipient, parseReturnContent } from '../../src/mail/dsn/request.ts'
import type { Body } from '../../src/mail/message.ts'
import type { Attempt, HeldEntry, Queue, RecipientState, Settled, Task } from '../../src/queue/queue.ts'
import type { HoldLimits } from '../../src/queue/quota.ts'
import type { FakeClock } from '../lab/fake-clock.ts'
import { until } from '../lab/until.ts'
import { heldId, heldMessage, lane, startMs } from './held-message.ts'

export interface MadeQueue {
  readonly queue: Queue
  readonly clock: FakeClock
  /** What was told to be corrupt, and what was dropped. */
  readonly corrupt: readonly string[]
  readonly dropped: readonly HeldEntry[]
  /** Closes it and opens it again on what is stored. */
  reopen(): Promise<MadeQueue>
}

export type MakeQueue = (t: TestContext, limits?: Partial<HoldLimits>) => Promise<MadeQueue>

const none: ReadonlySet<string> = new Set()
const day = 86_400_000

export function testQueue(engine: string, make: MakeQueue): void {
  const it = (what: string, run: (t: TestContext) => Promise<void>) => test(`${engine}: ${what}`, run)

  it('a message comes back as it was', async (t) => {
    const { queue } = await make(t)
    const body = Buffer.from('From: a\r\n\r\nhé \x00\xff\r\n', 'latin1')
    const given = heldMessage({
      id: heldId(1),
      sender: '"a b\\"c"@sender.example',
      body: [body.subarray(0, 5), body.subarray(5)],
      to: {
        'you@example.test': { wasKnown: true },
        '"quoted local"@example.test': {},
        'postmaster@[IPv6:2001:db8::1]': {
          state: 'unknown',
          notBeforeMs: startMs + 5,
          backend: 'smtp://b',
          elsewhereMs: startMs + 9,
          lastReply: { code: 451, enhanced: undefined, text: ['later', 'please'] },
        },
      },
    })
    assert.deepEqual(await queue.hold(given), { kind: 'held' })

    const entry = await queue.get(given.id)
    assert.ok(entry)
    const { body: _, recipients, ...message } = given
    assert.deepEqual(entry.message, { ...message, size: body.length, has8bit: true })
    assert.deepEqual(
      entry.recipients.map(({ index, recipient, state, wasKnown }) => ({ index, recipient, state, wasKnown })),
      recipients.map(({ recipient, state, wasKnown }, index) => ({ index, recipient, state, wasKnown })),
    )
    const [, , unknown] = entry.recipients
    assert.equal(unknown?.backend, 'smtp://b')
    assert.equal(unknown?.notBeforeMs, startMs + 5)
    assert.equal(unknown?.elsewhereMs, startMs + 9)
    assert.deepEqual(unknown?.lastReply, { code: 451, enhanced: undefined, text: ['later', 'please'] })
    assert.deepEqual(await contentOf(queue, given.id), body)
  })

  it('the null reverse-path stays null', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), sender: null }))
    assert.equal((await queue.get(heldId(1)))?.message.envelope.sender, null)
  })

  it('what the sender asks about notifications comes back as it was', async (t) => {
    const { queue } = await make(t)
    const plain = heldMessage({ id: heldId(1) })
    const asked = {
      ...plain,
      envelope: { ...plain.envelope, ret: parseReturnContent('HDRS'), envid: parseEnvelopeId('QQ314159+2B') },
      recipients: plain.recipients.map((held) => ({
        ...held,
        recipient: {
          ...held.recipient,
          notify: parseNotify('SUCCESS,DELAY'),
          originalRecipient: parseOriginalRecipient('rfc822;you+2Btoo@example.test'),
        },
      })),
    }
    await queue.hold(asked)
    const entry = await queue.get(heldId(1))
    assert.deepEqual(entry?.message.envelope, asked.envelope)
    assert.deepEqual(entry?.recipients[0]?.recipient, asked.recipients[0]?.recipient)
    assert.equal(entry?.message.envelope.ret, 'HDRS')
  })

  for (const size of [0, 256 * 1024, 256 * 1024 + 1, 3_000_000]) {
    it(`a body of ${size} octets is kept to the octet, also over a restart`, async (t) => {
      const made = await make(t)
      const body = Buffer.alloc(size, 'abcdefgh\r\n')
      const blocks = [body.subarray(0, size >> 1), body.subarray(size >> 1)]
      assert.deepEqual(await made.queue.hold(heldMessage({ id: heldId(1), body: blocks, has8bit: false })), {
        kind: 'held',
      })
      assert.ok((await contentOf(made.queue, heldId(1))).equals(body))
      const { queue } = await made.reopen()
      assert.ok((await contentOf(queue, heldId(1))).equals(body))
      await settleAll(queue, heldId(1), { kind: 'gone' })
      assert.deepEqual(await queue.body(heldId(1)), { kind: 'gone' })
    })
  }

  it('recipients of one lane go together, oldest turn first, without those that are on their way', async (t) => {
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
  })

  it('a sender domain that floods does not stop a letter that came behind it', async (t) => {
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
  })

  it('what was delivered goes, with the last recipient the message', async (t) => {
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
  })

  it('what waits is woken when its time has come, and not before', async (t) => {
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
  })

  it('what a backend put off stands behind what was never tried, with all of its recipients', async (t) => {
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
  })

  it('a body is what was stored also where it was fetched ahead, and gone when its message is', async (t) => {
    const { queue } = await make(t)
    for (const number of [1, 2, 3]) await queue.hold(heldMessage({ id: heldId(number) }))
    assert.equal((await queue.next(lane('main'), 10, none)).length, 3)
    await settleAll(queue, heldId(2), { kind: 'gone' })
    assert.deepEqual(await queue.body(heldId(2)), { kind: 'gone' })
    for (const number of [1, 3])
      for (const _ of ['ahead', 'asked for'])
        assert.equal((await contentOf(queue, heldId(number))).toString(), `To: you\r\n\r\n${heldId(number)}\r\n`)
    assert.equal((await queue.next(lane('main'), 10, none)).length, 2)
    const settling = settleAll(queue, heldId(1), { kind: 'gone' })
    await queue.next(lane('main'), 10, none)
    await settling
    assert.deepEqual(await queue.body(heldId(1)), { kind: 'gone' })
  })

  it('the first refusal is remembered through later ones', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: 1, firstRefusedMs: 5 }, attempt('deferred'))
    await settleAll(queue, heldId(1), { kind: 'waiting', notBeforeMs: 2, firstRefusedMs: 9 }, attempt('deferred'))
    const [recipient] = (await queue.get(heldId(1)))?.recipients ?? []
    assert.equal(recipient?.firstRefusedMs, 5)
    assert.equal(recipient?.attempts, 2)
  })

  it('what is unknown is not ready, and is asked about when its time has come', async (t) => {
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
  })

  it('what is settled as it is keeps its state and all that belongs to it, and has its notice', async (t) => {
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
  })

  it('recipients are added to a message that is there, at their places, and are counted', async (t) => {
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
  })

  it('what was offered when the process ended is ready afterwards', async (t) => {
    const made = await make(t)
    await made.queue.hold(heldMessage({ id: heldId(1), to: { 'you@example.test': { state: 'offered' } } }))
    assert.deepEqual(await made.queue.next(lane('main'), 10, none), [])
    const { queue } = await made.reopen()
    assert.equal((await queue.next(lane('main'), 10, none)).length, 1)
    assert.equal(queue.lanes()[0]?.ready, 1)
  })

  it('a DSN is held with what it tells of, and only then', async (t) => {
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
  })

  it('settles lane, reply, proof and the delay notice', async (t) => {
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
  })

  it('keeps the last 50 attempts', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    for (let at = 1; at <= 60; at++)
      await settleAll(queue, heldId(1), { kind: 'ready' }, { ...attempt('deferred'), atMs: at })
    const attempts = (await queue.get(heldId(1)))?.attempts ?? []
    assert.deepEqual([attempts.length, attempts[0]?.atMs, attempts.at(-1)?.atMs], [50, 11, 60])
  })

  it('whose time is over is found in whatever state, oldest first, and what is kept when that time is over', async (t) => {
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
  })

  it('lists by page with filters', async (t) => {
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
  })

  it('finds ids by how they begin', async (t) => {
    const { queue } = await make(t)
    for (const number of [5, 10, 11, 200]) await queue.hold(heldMessage({ id: heldId(number) }))
    assert.deepEqual(await queue.idsWith('000000001', 10), [10, 11].map(heldId))
    assert.deepEqual(await queue.idsWith('00000000', 2), [5, 10].map(heldId))
    assert.deepEqual(await queue.idsWith(heldId(200), 10), [heldId(200)])
    assert.deepEqual(await queue.idsWith('9', 10), [])
    assert.deepEqual(await queue.idsWith('%', 10), [])
  })

  it('knows when something of a domain has waited long enough', async (t) => {
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
  })

  it('settles only what is in the state that was meant', async (t) => {
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
  })

  it('settles what is unknown only where it is still the same backend that may have it', async (t) => {
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
  })

  it('behind whose dot it is unknown is not forgotten of what lost its route meanwhile', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1) }))
    await queue.relane(() => undefined)
    const to = { kind: 'unknown', backend: 'smtp://b', notBeforeMs: startMs + 5, elsewhereMs: startMs + 9 } as const
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to, from: ['ready'] }] })
    assert.equal((await queue.get(heldId(1)))?.recipients[0]?.state, 'no-route')
    await queue.relane(() => lane('main'))
    const held = (await queue.get(heldId(1)))?.recipients[0]
    assert.deepEqual([held?.state, held?.backend, held?.elsewhereMs], ['unknown', 'smtp://b', startMs + 9])
  })

  it('what a person holds stays held behind an attempt that was under way, unless that was final', async (t) => {
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
  })

  it('takes a message in that a person holds', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), to: { 'you@example.test': { state: 'held' } } }))
    assert.deepEqual(await queue.next(lane('main'), 10, none), [])
    assert.deepEqual(queue.domains()[0]?.byState, { held: 1 })
  })

  it('moves recipients to their lanes when the configuration has changed, and back', async (t) => {
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
  })

  it('keeps its quotas: all, a domain, and what is kept for a person', async (t) => {
    // Each counts a KiB for itself and one for its recipient.
    const { queue, dropped } = await make(t, { holdBytes: 40 * 3000 })
    const body = Buffer.alloc(3000 - 2048, 65)
    const held = (number: number, domain: string) =>
      queue.hold(heldMessage({ id: heldId(number), body, to: { [`a@${domain}`]: {} } }))
    // At once, so that what is on its way counts.
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, number) => held(number, 'one.test')))
    assert.equal(outcomes.filter(({ kind }) => kind === 'held').length, 10)
    assert.deepEqual(outcomes.at(-1), { kind: 'full', why: 'domain' })
    const would = (...domains: string[]) => queue.wouldHold({ size: 952, recipients: 1, domains })
    assert.deepEqual(would('one.test'), { kind: 'full', why: 'domain' })
    assert.deepEqual(would('other.test'), { kind: 'held' })
    assert.deepEqual(would('other.test', 'one.test'), { kind: 'full', why: 'domain' })
    assert.equal(queue.wouldHold({ size: 952, recipients: 26, domains: ['other.test'] }).kind, 'held')
    assert.equal(queue.wouldHold({ size: 952, recipients: 28, domains: ['other.test'] }).kind, 'full')
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
  })

  it('counts recipients too, also behind a restart: a small body for a thousand takes what a thousand take', async (t) => {
    const made = await make(t, { holdBytes: 4 * 40_000 })
    const to = (count: number, first = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, number) => [`user${first + number}@one.test`, {}]))
    const hold = (queue: Queue, number: number, count: number) =>
      queue.hold(heldMessage({ id: heldId(number), body: Buffer.from('\r\n'), to: to(count) }))
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
  })

  it('never takes the last of the disk', async (t) => {
    const { queue } = await make(t, { freeBytes: Number.MAX_SAFE_INTEGER })
    const asked = { size: 0, recipients: 1, domains: ['example.test'] }
    assert.deepEqual(queue.wouldHold(asked), { kind: 'full', why: 'disk' })
    assert.deepEqual(await queue.hold(heldMessage({ id: heldId(1) })), { kind: 'full', why: 'disk' })
    assert.equal(queue.totals.messages, 0)
  })

  it('the oldest is known again when the oldest has left', async (t) => {
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
  })

  it('the same id twice is a mistake, and the first stays', async (t) => {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), body: Buffer.from('first\r\n') }))
    const [twice, other] = await Promise.allSettled([
      queue.hold(heldMessage({ id: heldId(1), body: Buffer.from('second\r\n') })),
      queue.hold(heldMessage({ id: heldId(2) })),
    ])
    assert.equal(twice?.status, 'rejected')
    assert.deepEqual(other, { status: 'fulfilled', value: { kind: 'held' } })
    assert.equal((await contentOf(queue, heldId(1))).toString(), 'first\r\n')
    assert.equal(queue.totals.messages, 2)
    await assert.rejects(queue.hold(heldMessage({ id: '../../etc/passwd' })))
  })

  it('does what its model does, whatever the order, also over restarts', async (t) => {
    let made = await make(t)
    let lastId = 0
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
        const model: Model = new Map()
        for (const next of commands) {
          if (next.kind === 'hold') lastId++
          made = await obey(made, model, next, lastId)
        }
        await same(made.queue, model)
        for (const number of model.keys()) await settleAll(made.queue, heldId(number), { kind: 'gone' })
        await same(made.queue, new Map())
      }),
      { numRuns: 40 },
    )
  })
}

type Model = Map<number, ModelMessage>

interface ModelMessage {
  readonly size: number
  readonly recipients: Map<number, { lane: string; domain: string; state: RecipientState; notBeforeMs?: number }>
}

const laneNames = ['main', 'second', 'third']
const domainNames = ['one.test', 'two.test', 'three.test']
const small = fc.integer({ min: 0, max: 2 })
const wakeMs = startMs + 1000

const command = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      to: fc.array(fc.tuple(small, small), { minLength: 1, maxLength: 4 }),
      octets: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(20),
      places: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
      to: fc.constantFrom('gone', 'gone', 'ready', 'waiting', 'unknown', 'refused', 'held', 'set-aside'),
      lane: fc.option(small, { nil: undefined }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('relane' as const),
      lanes: fc.tuple(small, small, fc.option(small, { nil: undefined })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

async function obey(made: MadeQueue, model: Model, next: Command, number: number): Promise<MadeQueue> {
  const { queue } = made
  switch (next.kind) {
    case 'hold': {
      const to = next.to.map(([domain, way], place) => ({
        domain: domainNames[domain] ?? '',
        lane: laneNames[way] ?? '',
        place,
      }))
      const message = heldMessage({
        id: heldId(number),
        body: Buffer.alloc(next.octets, 65),
        to: Object.fromEntries(to.map(({ domain, lane: way, place }) => [`u${place}@${domain}`, { lane: lane(way) }])),
      })
      assert.equal((await queue.hold(message)).kind, 'held')
      model.set(number, {
        size: next.octets,
        recipients: new Map(to.map(({ domain, lane: way, place }) => [place, { domain, lane: way, state: 'ready' }])),
      })
      return made
    }
    case 'settle': {
      const chosen = [...model.keys()][next.which]
      if (chosen === undefined) return made
      const way = next.lane === undefined ? undefined : laneNames[next.lane]
      const to = settledFor(next.to)
      await queue.settle({
        id: heldId(chosen),
        recipients: next.places.map((index) => ({ index, to, ...(way !== undefined && { lane: lane(way) }) })),
        attempt: attempt('deferred'),
      })
      settleModel(model, chosen, next.places, to, way)
      return made
    }
    case 'wake': {
      await queue.wake(wakeMs)
      for (const { recipients } of model.values())
        for (const recipient of recipients.values()) {
          if (recipient.state === 'waiting') recipient.state = 'ready'
        }
      return made
    }
    case 'relane': {
      const of = (domain: string) => {
        const way = next.lanes[domainNames.indexOf(domain)]
        return way === undefined ? undefined : laneNames[way]
      }
      await queue.relane(({ domain }) => of(domain ?? '') as ReturnType<typeof lane> | undefined)
      for (const { recipients } of model.values())
        for (const each of recipients.values()) relaneModel(each, of(each.domain))
      return made
    }
    case 'reopen': {
      const again = await made.reopen()
      await same(again.queue, model)
      return again
    }
  }
}

function settledFor(kind: string): Settled {
  switch (kind) {
    case 'waiting':
      return { kind, notBeforeMs: wakeMs }
    case 'unknown':
      return { kind, backend: 'smtp://b', notBeforeMs: wakeMs, elsewhereMs: wakeMs + 5 }
    case 'refused':
      return { kind, keepUntilMs: wakeMs + day }
    default:
      return { kind: kind as 'gone' }
  }
}

function settleModel(
  model: Map<number, ModelMessage>,
  number: number,
  places: number[],
  to: Settled,
  way: string | undefined,
) {
  const message = model.get(number)
  for (const place of places) {
    const recipient = message?.recipients.get(place)
    if (!recipient) continue
    if (to.kind === 'gone') message?.recipients.delete(place)
    else if (to.kind !== 'as-it-is') {
      // What a person holds goes on by what is final alone.
      const stays = recipient.state === 'held' && !['refused', 'held'].includes(to.kind)
      if (stays && to.kind === 'unknown') Object.assign(recipient, { wasUnknown: true })
      if (stays) continue
      recipient.state = to.kind
      if (way !== undefined) recipient.lane = way
      if (to.kind !== 'held') Object.assign(recipient, { wasUnknown: to.kind === 'unknown' })
    }
  }
  if (message?.recipients.size === 0) model.delete(number)
}

function relaneModel(
  recipient: { lane: string; state: RecipientState; wasUnknown?: boolean },
  way: string | undefined,
) {
  if (way !== undefined) {
    recipient.lane = way
    if (recipient.state === 'no-route') recipient.state = recipient.wasUnknown ? 'unknown' : 'ready'
  } else if (['ready', 'waiting', 'unknown'].includes(recipient.state)) recipient.state = 'no-route'
}

/** Everything that the queue says of itself is what the model says. */
async function same(queue: Queue, model: ReadonlyMap<number, ModelMessage>): Promise<void> {
  const messages = [...model].sort(([a], [b]) => a - b)
  const { messages: entries } = await queue.list({}, 1000)
  assert.deepEqual(
    entries.map(({ message, recipients }) => [
      message.id,
      message.size,
      recipients.map(({ index, lane: way, state, recipient }) => [index, way, state, recipient.domain]),
    ]),
    messages.map(([number, { size, recipients }]) => [
      heldId(number),
      size,
      [...recipients].map(([place, { lane: way, state, domain }]) => [place, way, state, domain]),
    ]),
  )
  assert.equal(queue.totals.messages, model.size)
  assert.equal(
    queue.totals.bytes,
    messages.reduce((sum, [, { size }]) => sum + size, 0),
  )
  const recipients = messages.flatMap(([number, message]) =>
    [...message.recipients.values()].map((each) => ({ ...each, number, size: message.size })),
  )
  const messagesOf = (chosen: typeof recipients) => new Set(chosen.map(({ number }) => number)).size
  assert.deepEqual(
    queue
      .lanes()
      .map(({ lane: way, ready, waiting, unknown }) => ({ way, ready, waiting, unknown }))
      .sort((a, b) => (a.way < b.way ? -1 : 1)),
    [...new Set(recipients.map(({ lane: way }) => way))].sort().map((way) => {
      const count = (state: RecipientState) =>
        messagesOf(recipients.filter((each) => each.lane === way && each.state === state))
      return { way, ready: count('ready'), waiting: count('waiting'), unknown: count('unknown') }
    }),
  )
  assert.deepEqual(
    queue
      .domains()
      .map(({ domain, messages: held, bytes, byState }) => ({ domain, held, bytes, byState }))
      .sort((a, b) => (a.domain < b.domain ? -1 : 1)),
    [...new Set(recipients.map(({ domain }) => domain))].sort().map((domain) => {
      const there = recipients.filter((each) => each.domain === domain)
      const sizes = new Map(there.map(({ number, size }) => [number, size]))
      const byState: Partial<Record<RecipientState, number>> = {}
      for (const { state } of there) byState[state] = (byState[state] ?? 0) + 1
      return { domain, held: sizes.size, bytes: [...sizes.values()].reduce((a, b) => a + b, 0), byState }
    }),
  )
  for (const way of laneNames) {
    const tasks = await queue.next(lane(way), 1000, none)
    const there = recipients.filter((each) => each.lane === way && each.state === 'ready')
    assert.deepEqual(
      tasks.map(({ message }) => message.id).sort(),
      [...new Set(there.map(({ number }) => heldId(number)))].sort(),
    )
    assert.equal(tasks.flatMap((task) => task.recipients).length, there.length)
  }
}

export async function contentOf(queue: Queue, id: string): Promise<Buffer> {
  const opened = await queue.body(id)
  assert.equal(opened.kind, 'opened')
  if (opened.kind !== 'opened') throw new Error('unreachable')
  try {
    return await bytesOf(opened.body)
  } finally {
    opened.body.release()
  }
}

export async function bytesOf(body: Body): Promise<Buffer> {
  const blocks: Buffer[] = []
  for await (const block of body.blocks()) blocks.push(block)
  return Buffer.concat(blocks)
}

async function settleAll(queue: Queue, id: string, to: Settled, tried?: Attempt): Promise<void> {
  const entry = await queue.get(id)
  const recipients = entry?.recipients.map(({ index }) => ({ index, to })) ?? []
  await queue.settle({ id, recipients, ...(tried && { attempt: tried }) })
}

const attempt = (outcome: Attempt['outcome']): Attempt => ({
  atMs: startMs,
  backend: 'smtp://b.example',
  outcome,
  text: '451 4.2.0 later',
  recipients: 1,
})

const brief = ({ message, recipients }: Task) => [message.id, recipients.map(({ recipient }) => recipient.text)]
