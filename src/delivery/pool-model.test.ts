/** A pool in any order of events: nobody has more than is his, nobody waits for what stands free, and at the end nothing is left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type FakeOpening,
  type FakeSession,
  fakeServer,
  settled,
  standingClock,
  tooMany,
} from '../../test/unit/fake-sessions.ts'
import { Cancel } from '../base/cancel.ts'
import { Pool } from './pool.ts'
import type { PooledSession } from './pooled-session.ts'
import { mostOfOne } from './shares.ts'
import type { Taken } from './waiting-line.ts'

const which = fc.nat(30)
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      key: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
      isFromHold: fc.nat(3).map((one) => one === 0),
      fresh: fc.nat(5).map((one) => one === 0),
      hasLeft: fc.nat(20).map((one) => one === 0),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('opened' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('not opened' as const),
      which,
      why: fc.constantFrom('down', 'full', 'bug'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('give' as const),
      which,
      state: fc.constantFrom('untouched', 'open', 'done'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('listen' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hear' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reset' as const), which, isFit: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('server closes' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('server speaks' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 3_000, 6_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
/** How much of what a step leads to has happened when the next one comes: so many promises, or all of them. */
const haste = fc.constantFrom<number | 'all'>(0, 1, 2, 3, 4, 6, 9, 'all', 'all', 'all')

test('whatever happens in whatever order: shares are kept, nobody waits for what stands free, and nothing is left at the end', async () => {
  const size = fc.constantFrom(1, 2, 3, 4, 5, 8, 10, 20)
  const steps = fc.array(fc.tuple(step, haste), { minLength: 10, maxLength: 120 })
  await fc.assert(
    fc.asyncProperty(size, steps, fc.boolean(), async (most, all, isStopped) => {
      const model = new Model(most)
      for (const [each, pause] of all) {
        model.do(each)
        if (pause === 'all') await settled()
        else for (let count = 0; count < pause; count++) await undefined
        model.checkShares()
        if (pause !== 'all') continue
        model.checkWaiting()
        model.checkEmpty()
      }
      await model.end(isStopped)
    }),
    { numRuns: 300, seed: 20_261_201 },
  )
})

interface Party {
  readonly key: string
  readonly isFromHold: boolean
}

interface Try extends Party {
  readonly fresh: boolean
  readonly cancel: Cancel
  readonly number: number
  /** Undefined until it has been told. */
  taken?: Taken | 'crashed'
}

class Model {
  readonly most: number
  readonly #clock = standingClock()
  readonly #server = fakeServer()
  readonly #pool: Pool
  readonly #tries: Try[] = []
  /** In use, and whose. */
  readonly #used = new Map<PooledSession, Party>()
  /** Of these, those that wait for a late word: how they end. */
  readonly #listening = new Map<PooledSession, () => void>()
  /** Those whose RSET is not answered, and whose they are until then. */
  readonly #resetting = new Map<FakeSession, Party>()
  #looks = 0
  /** What the server had enough of is for the pool to guess. */
  #wasFull = false
  #isEmpty = false

  constructor(most: number) {
    this.most = most
    this.#pool = new Pool(most, this.#server.open, this.#clock, () => {
      const { openings, sessions } = this.#server
      assert.ok(openings.length === 0 && !sessions.some(({ state }) => state === 'open'), 'empty it is')
      this.#isEmpty = true
    })
  }

  do(what: Step): void {
    const { openings, sessions } = this.#server
    switch (what.kind) {
      case 'take':
        this.#take(what)
        return
      case 'opened':
        pick(openings, what.which)?.succeed()
        return
      case 'not opened':
        this.#failOne(pick(openings, what.which), what.why)
        return
      case 'give':
        this.#give(pick([...this.#used.keys()], what.which), what.state)
        return
      case 'lose':
        this.#lose(pick([...this.#used.keys()], what.which))
        return
      case 'listen':
        this.#listen(pick([...this.#used.keys()], what.which))
        return
      case 'hear':
        pick([...this.#listening.values()], what.which)?.()
        return
      case 'cancel':
        pick(
          this.#tries.filter(({ taken }) => taken === undefined),
          what.which,
        )?.cancel.cancel()
        return
      case 'reset':
        this.#answerReset(pick([...this.#resetting.keys()], what.which), what.isFit)
        return
      case 'server closes':
        pick(
          sessions.filter(({ state }) => state === 'open'),
          what.which,
        )?.close()
        return
      case 'server speaks': {
        const session = pick(
          sessions.filter(({ state }) => state === 'open'),
          what.which,
        )
        if (session) session.hasSpoken = true
        return
      }
      case 'look':
        this.#looks++
        this.#pool.look(-this.#looks).catch(() => undefined)
        return
      case 'pass':
        this.#clock.pass(what.ms)
    }
  }

  #take({
    key,
    isFromHold,
    fresh = false,
    hasLeft = false,
  }: Party & Partial<Record<'fresh' | 'hasLeft', boolean>>): Try {
    const number = this.#tries.length
    const one: Try = { key, isFromHold, fresh, cancel: new Cancel(), number }
    this.#tries.push(one)
    if (hasLeft) one.cancel.cancel()
    const sessionUntilMs = this.#clock.monotonicMs() + 10_000
    const told = (taken: Taken) => {
      assert.equal(one.taken, undefined, 'told once')
      one.taken = taken
      if (taken.kind === 'taken') {
        assert.ok(!this.#used.has(taken.pooled), 'in use once')
        this.#used.set(taken.pooled, one)
      }
    }
    const taken = this.#pool.take({ key, isFromHold, fresh, sessionUntilMs, readyUntilMs: number, cancel: one.cancel })
    if (taken instanceof Promise) taken.then(told, () => (one.taken = 'crashed'))
    else told(taken)
    return one
  }

  #failOne(opening: FakeOpening | undefined, why: string): void {
    if (why === 'full') this.#wasFull = true
    if (why === 'bug') opening?.crash()
    else opening?.fail(why === 'full' ? tooMany : undefined)
  }

  #give(pooled: PooledSession | undefined, state: 'untouched' | 'open' | 'done'): void {
    const party = pooled && this.#used.get(pooled)
    if (!party || this.#listening.has(pooled)) return
    this.#used.delete(pooled)
    this.#pool.give(pooled, state)
    const session = fakeOf(pooled)
    if (session.answerReset) this.#resetting.set(session, party)
  }

  #lose(pooled: PooledSession | undefined): void {
    if (!pooled || this.#listening.has(pooled)) return
    this.#used.delete(pooled)
    this.#pool.lose(pooled)
  }

  /** As `smtp.ts` does. */
  #listen(pooled: PooledSession | undefined): void {
    if (!pooled || this.#listening.has(pooled)) return
    const end = () => {
      this.#pool.stopListening(end)
      if (!this.#listening.delete(pooled)) return
      this.#used.delete(pooled)
      this.#pool.lose(pooled)
    }
    if (this.#pool.keepListening(pooled, end)) this.#listening.set(pooled, end)
    else this.#lose(pooled)
  }

  #answerReset(session: FakeSession | undefined, isFit: boolean): void {
    session?.answerReset?.(isFit)
  }

  /** All that anybody has: in use, behind RSET, being opened. */
  #shares(): readonly Party[] {
    for (const session of this.#resetting.keys()) if (!session.answerReset) this.#resetting.delete(session)
    const opened = this.#server.openings.flatMap(({ readyUntilMs }) => this.#tries[readyUntilMs] ?? [])
    return [...this.#used.values(), ...this.#resetting.values(), ...opened]
  }

  #countOf(shares: readonly Party[]) {
    const held = shares.filter(({ isFromHold }) => isFromHold).length
    const own = (key: string) => shares.filter((each) => !each.isFromHold && each.key === key).length
    return { held, own, mostOwn: Math.max(own('a'), own('b'), own('c')) }
  }

  /** Whoever keeps the pool hears when there is nothing in it. */
  checkEmpty(): void {
    const { busy, idle, waiting } = this.#pool.counts
    if (busy + idle + waiting > 0) this.#isEmpty = false
    else assert.ok(this.#isEmpty || this.#tries.length + this.#looks === 0, 'the pool has said that it is empty')
  }

  checkShares(): void {
    const { busy, idle } = this.#pool.counts
    const open = this.#server.sessions.filter(({ state }) => state === 'open').length + this.#server.openings.length
    assert.ok(open <= this.most + this.#looks, `${open} sessions`)
    assert.ok(busy + idle <= this.most + this.#looks, `${busy} in use, ${idle} idle`)
    const inUse = [...this.#used].filter(
      ([pooled, { isFromHold }]) => isFromHold && !this.#listening.has(pooled),
    ).length
    const heldOpening = this.#server.openings.filter(({ readyUntilMs }) => this.#tries[readyUntilMs]?.isFromHold).length
    assert.ok(inUse + heldOpening <= Math.max(1, Math.floor(this.most / 2)), `${inUse} and ${heldOpening} for the hold`)
    // Of fewer than four nothing is kept for others.
    if (this.#wasFull || this.most < 4) return
    const { held, mostOwn } = this.#countOf(this.#shares())
    // What is kept for others is for a key that has none yet, also where the hold has the rest.
    assert.ok(mostOwn <= 1 || held + mostOwn <= mostOfOne(this.most), `${held} for the hold and ${mostOwn} for one key`)
  }

  /** Nobody who may be served waits while there is something to be had. */
  checkWaiting(): void {
    if (this.#wasFull) return
    const { busy, waiting } = this.#pool.counts
    const isOpening = (one: Try) => this.#server.openings.some(({ readyUntilMs }) => readyUntilMs === one.number)
    const waiters = this.#tries.filter((one) => one.taken === undefined && !isOpening(one))
    assert.equal(waiters.length, waiting)
    if (busy >= this.most) return
    const { held, own, mostOwn } = this.#countOf(this.#shares())
    for (const { key, isFromHold } of waiters)
      assert.ok(
        (isFromHold ? mostOwn : own(key)) + held >= mostOfOne(this.most) && (isFromHold || own(key) > 0),
        `${key} waits, ${busy} are in use`,
      )
  }

  /** Everything comes to its end, and then the counts of the pool are as new. */
  async end(isStopped: boolean): Promise<void> {
    const { openings, sessions } = this.#server
    if (isStopped) this.#pool.close()
    await settled()
    while (this.#pool.counts.busy + this.#pool.counts.waiting > 0) {
      const before = JSON.stringify([this.#pool.counts, this.#tries.length, openings.length, this.#used.size])
      for (const opening of [...openings]) opening.succeed()
      await settled()
      for (const end of [...this.#listening.values()]) end()
      for (const pooled of [...this.#used.keys()]) this.#give(pooled, 'done')
      for (const session of [...this.#resetting.keys()]) this.#answerReset(session, true)
      await settled()
      const after = JSON.stringify([this.#pool.counts, this.#tries.length, openings.length, this.#used.size])
      assert.notEqual(after, before, 'it goes on')
    }
    assert.ok(this.#tries.every(({ taken }) => taken !== undefined))
    this.#clock.pass(120_000)
    assert.deepEqual(this.#pool.counts, { busy: 0, idle: 0, waiting: 0 })
    if (!isStopped) this.checkEmpty()
    assert.ok(sessions.every(({ state }) => state === 'over'))
    if (!isStopped) await this.#asNew()
  }

  /** One key gets its share and no more, the hold its half, and a quarter listens. */
  async #asNew(): Promise<void> {
    const { openings } = this.#server
    const tries = (count: number, of: (at: number) => Party) =>
      Array.from({ length: count }, (_, at) => this.#take(of(at)))
    const half = Math.max(1, Math.floor(this.most / 2))
    const held = tries(half + 1, (at) => ({ key: `lane ${at}`, isFromHold: true }))
    assert.deepEqual([openings.length, held.at(-1)?.taken], [half, { kind: 'busy' }])
    for (const opening of [...openings]) opening.succeed()
    await settled()
    for (const pooled of [...this.#used.keys()]) this.#lose(pooled)
    tries(this.most, () => ({ key: 'a', isFromHold: false }))
    assert.equal(openings.length, mostOfOne(this.most))
    assert.equal(this.#pool.counts.waiting, this.most - mostOfOne(this.most))
    this.#clock.pass(10_000)
    for (const opening of [...openings]) opening.succeed()
    await settled()
    for (const pooled of [...this.#used.keys()]) this.#listen(pooled)
    assert.equal(this.#listening.size, Math.max(1, Math.floor(this.most / 4)))
    for (const end of [...this.#listening.values()]) end()
    assert.deepEqual(this.#pool.counts, { busy: 0, idle: 0, waiting: 0 })
  }
}

const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length]

const fakeOf = (pooled: PooledSession): FakeSession => pooled.session as unknown as FakeSession
