/** An engine against a model of a few lines: whatever is done in whatever order, both say the same. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Queue, RecipientState, Settled } from '../../../src/queue/queue.ts'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { attempt, type Cases, day, type MadeQueue, none, settleAll } from './made-queue.ts'

export const model: Cases = {
  async 'does what its model does, whatever the order, also over restarts'(t, make) {
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
  },
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
