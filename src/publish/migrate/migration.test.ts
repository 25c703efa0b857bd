import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { type MxSet, sameMxSet } from '../sets/mx-set.ts'
import { type BeginWords, judgeBeginning } from './judge-beginning.ts'
import { type Migration, type MigrationAddresses, type Stage, stageSeen, stagesOf } from './migration.ts'
import { nextStep, turnBack } from './next-step.ts'
import { beside, expectedSets, setAfter } from './stage-sets.ts'

const day = 86_400
const mx = (preference: number, host: string) => ({ preference, host: host as HostName })
const old: MxSet = { ttlSeconds: day, exchangers: [mx(10, 'mx1.old.example'), mx(20, 'mx2.old.example')] }
const next: MxSet = { ttlSeconds: 3_600, exchangers: [mx(10, 'in1.new.example'), mx(20, 'in2.new.example')] }
const words: BeginWords = {
  domain: 'example.com' as HostName,
  to: 'new',
  old,
  next,
  lowTtlSeconds: 300,
  cachedUntilMs: undefined,
  policy: undefined,
}

function begun(changed: Partial<BeginWords> = {}, nowMs = 0): Migration {
  const beginning = judgeBeginning({ ...words, ...changed }, nowMs)
  assert.ok(beginning.kind === 'begun', beginning.kind)
  return beginning.migration
}

test('a whole migration goes through its steps, each no earlier than it is safe', () => {
  let migration = begun()
  let nowMs = 0
  const path: (readonly [Stage | undefined, number])[] = []
  for (let turn = 0; turn < 20; turn++) {
    const step = nextStep(migration, nowMs)
    if (step.kind === 'done') break
    if (step.kind === 'wait') nowMs = step.untilMs
    else if (step.kind === 'apply') {
      path.push([step.stage, nowMs / 1000])
      migration = stageSeen(migration, step.stage, nowMs)
    }
  }
  assert.deepEqual(path, [
    ['lower-ttl', 0],
    ['add', day + 5],
    ['switch', day + 5 + 305],
    ['raise-ttl', day + 5 + 610],
  ])
  assert.equal(nextStep(migration, nowMs).kind, 'done')
})

test('that both sides may send comes first, and what follows waits as long as without it', () => {
  const spf = { ttlSeconds: 60, oldText: 'v=spf1 mx -all', jointText: 'v=spf1 mx include:new.example -all' }
  let migration = begun({ spf })
  assert.deepEqual(nextStep(migration, 0), { kind: 'apply', stage: 'authorise', proof: 'nothing' })
  assert.deepEqual(setAfter(migration, 'authorise'), old)
  migration = stageSeen(migration, 'authorise', 0)
  assert.deepEqual(nextStep(migration, 0), { kind: 'apply', stage: 'lower-ttl', proof: 'nothing' })
  assert.ok(expectedSets(migration).some((set) => sameMxSet(set, old)))
  migration = stageSeen(migration, 'lower-ttl', 0)
  const step = nextStep(migration, 0)
  assert.ok(step.kind === 'wait' && step.untilMs === day * 1000 + 5_000)
  const back = turnBack(migration, 0)
  assert.deepEqual(back && stagesOf(back), ['authorise', 'lower-ttl', 'restore'])

  const low = begun({ spf, old: { ...old, ttlSeconds: 60 }, cachedUntilMs: 5_000_000 })
  assert.equal(nextStep(stageSeen(low, 'authorise', 0), 0).kind, 'wait')
})

test('nothing follows the lowered TTL a moment before the old one has passed since the last server had it', () => {
  const migration = stageSeen(begun(), 'lower-ttl', 60_000)
  const safeMs = 60_000 + day * 1000 + 5_000
  assert.deepEqual(nextStep(migration, safeMs - 1), {
    kind: 'wait',
    stage: 'add',
    untilMs: safeMs,
    why: 'caches may hold the old records with the TTL that they had',
  })
  assert.deepEqual(nextStep(migration, safeMs), { kind: 'apply', stage: 'add', proof: 'new-take-mail' })
})

test('what caches hold from before an earlier change is waited for behind the lowered TTL, and told as that', () => {
  const waitOf = (cachedUntilMs: number) => {
    const step = nextStep(stageSeen(begun({ cachedUntilMs, old: { ...old, ttlSeconds: 600 } }), 'lower-ttl', 0), 0)
    return step.kind === 'wait' ? [step.untilMs, step.why] : []
  }
  assert.deepEqual(waitOf(3_600_000), [
    3_600_000,
    'caches may hold the records with the longer TTL that they had before an earlier change',
  ])
  assert.deepEqual(waitOf(1_000), [605_000, 'caches may hold the old records with the TTL that they had'])
})

test('a TTL that is low already is not lowered, and what caches hold of a longer one is waited for', () => {
  const migration = begun({ old: { ...old, ttlSeconds: 60 }, cachedUntilMs: 5_000_000 })
  assert.deepEqual(stagesOf(migration), ['add', 'switch', 'raise-ttl'])
  assert.equal(migration.lowTtlSeconds, 60)
  assert.equal(nextStep(migration, 4_999_999).kind, 'wait')
  assert.equal(nextStep(migration, 5_000_000).kind, 'apply')
})

test('with an MTA-STS policy, both sets are listed and senders have had a day before a new exchanger is named', () => {
  const policy = { mode: 'enforce', maxAgeSeconds: 604_800, recordTtlSeconds: 600, oldId: 'a', newId: 'b' } as const
  let migration = begun({ policy })
  migration = stageSeen(migration, 'lower-ttl', 0)
  const step = nextStep(migration, 2 * day * 1000)
  assert.deepEqual(step, { kind: 'apply', stage: 'policy', proof: 'policy-lists-both' })
  migration = stageSeen(migration, 'policy', 2 * day * 1000)
  const wait = nextStep(migration, 2 * day * 1000)
  assert.ok(wait.kind === 'wait' && wait.stage === 'add')
  assert.equal(wait.untilMs, (2 * day + 600 + day + 5) * 1000)
})

const addresses: MigrationAddresses = {
  sets: [{ host: 'in1.new.example' as HostName, type: 'A', before: undefined, addresses: ['192.0.2.1' as IpAddress] }],
  cachedSeconds: 3_600,
}

test('addresses of new hosts come first, and nobody is sent there before caches forget that there were none', () => {
  let migration = begun({ addresses, old: { ...old, ttlSeconds: 600 }, cachedUntilMs: 10_000_000 })
  assert.deepEqual(stagesOf(migration), ['addresses', 'lower-ttl', 'add', 'switch', 'raise-ttl'])
  assert.deepEqual(nextStep(migration, 0), { kind: 'apply', stage: 'addresses', proof: 'nothing' })
  assert.deepEqual(setAfter(migration, 'addresses'), migration.old)
  migration = stageSeen(migration, 'addresses', 0)
  // The TTL is lowered meanwhile, and both are waited for together.
  assert.deepEqual(nextStep(migration, 0), { kind: 'apply', stage: 'lower-ttl', proof: 'nothing' })
  migration = stageSeen(begun({ addresses, old: { ...old, ttlSeconds: 600 } }), 'addresses', 0)
  migration = stageSeen(migration, 'lower-ttl', 1_000)
  const wait = nextStep(migration, 1_000_000)
  assert.ok(wait.kind === 'wait' && wait.stage === 'add')
  assert.equal(wait.untilMs, 3_605_000)
  assert.match(wait.why, /may hold that the new exchangers have other addresses, or none/)
  assert.equal(nextStep(migration, 3_605_000).kind, 'apply')

  const low = begun({ addresses, old: { ...old, ttlSeconds: 60 }, cachedUntilMs: 5_000_000 })
  assert.deepEqual(nextStep(low, 0), { kind: 'apply', stage: 'addresses', proof: 'nothing' })
  assert.equal(nextStep(stageSeen(low, 'addresses', 0), 4_999_999).kind, 'wait')
})

test('on the way back the addresses stay for as long as caches may lead there, and go then', () => {
  const seen = (['addresses', 'lower-ttl', 'add'] as const).map((stage) => ({ stage, atMs: 0 }))
  const back = turnBack({ ...begun({ addresses }), seen }, day * 2000)
  assert.deepEqual(back && stagesOf(back), ['addresses', 'lower-ttl', 'add', 'restore', 'withdraw'])
  assert.ok(back)
  const restored = stageSeen(back, 'restore', day * 2000)
  const wait = nextStep(restored, day * 2000)
  assert.ok(wait.kind === 'wait' && wait.stage === 'withdraw' && wait.untilMs === day * 2000 + 305_000)
  assert.deepEqual(nextStep(restored, wait.untilMs), { kind: 'apply', stage: 'withdraw', proof: 'nothing' })
  assert.equal(nextStep(stageSeen(restored, 'withdraw', wait.untilMs), wait.untilMs).kind, 'aborted')
  // Where nobody was led there yet, nothing is waited for; a crash may have left what nobody saw.
  const early = turnBack(begun({ addresses }), 0)
  assert.ok(early)
  assert.deepEqual(stagesOf(early), ['restore', 'withdraw'])
  assert.equal(nextStep(stageSeen(early, 'restore', 0), 0).kind, 'apply')
})

test('a short max_age shortens the wait for the policy', () => {
  const policy = { mode: 'enforce', maxAgeSeconds: 3_600, recordTtlSeconds: 600, oldId: 'a', newId: 'b' } as const
  const migration = stageSeen(stageSeen(begun({ policy }), 'lower-ttl', 0), 'policy', 0)
  const wait = nextStep(migration, 0)
  assert.ok(wait.kind === 'wait' && wait.untilMs === 4_205_000)
})

test('the new ones stand behind the old ones, in their order, and keep it where there is no room', () => {
  assert.deepEqual(beside(old.exchangers, next.exchangers), [
    ...old.exchangers,
    mx(30, 'in1.new.example'),
    mx(40, 'in2.new.example'),
  ])
  assert.deepEqual(beside([mx(0, 'a.example'), mx(65_535, 'b.example')], [mx(7, 'c.example'), mx(7, 'd.example')]), [
    mx(0, 'a.example'),
    mx(1, 'b.example'),
    mx(2, 'c.example'),
    mx(2, 'd.example'),
  ])
  // A host of both sets stays where it was until the switch.
  assert.deepEqual(beside([mx(10, 'a.example')], [mx(5, 'a.example'), mx(20, 'b.example')]), [
    mx(10, 'a.example'),
    mx(20, 'b.example'),
  ])
})

test('back brings the very set that was there, from every step, without waiting', () => {
  let migration = begun()
  let nowMs = 0
  for (const stage of stagesOf(migration)) {
    const back = turnBack(migration, nowMs)
    assert.ok(back, stage)
    const step = nextStep(back, nowMs)
    assert.ok(step.kind === 'apply' && step.stage === 'restore', stage)
    assert.deepEqual(setAfter(back, 'restore'), old)
    const restored = stageSeen(back, 'restore', nowMs)
    const wait = nextStep(restored, nowMs)
    // Before the new ones were named nobody can have heard of them.
    if (stage !== 'lower-ttl') {
      assert.ok(wait.kind === 'wait' && wait.stage === undefined, stage)
      assert.equal(nextStep(restored, wait.untilMs).kind, 'aborted')
    } else assert.equal(wait.kind, 'aborted')
    assert.equal(turnBack(restored, nowMs), undefined)
    migration = stageSeen(migration, stage, nowMs)
    nowMs += 100 * day * 1000
  }
  assert.equal(turnBack(migration, nowMs), undefined)
})

test('back while the old TTL is waited out ends at once; when the new ones may have been named, it waits', () => {
  const lowered = stageSeen(begun(), 'lower-ttl', 0)
  const back = turnBack(lowered, 0)
  assert.ok(back)
  const open = nextStep(lowered, 0)
  assert.ok(open.kind === 'wait')
  assert.equal(nextStep(stageSeen(back, 'restore', open.untilMs - 1), open.untilMs - 1).kind, 'aborted')
  assert.equal(nextStep(stageSeen(back, 'restore', open.untilMs), open.untilMs).kind, 'wait')
})

test('after the switch, back needs the old exchangers to work; before it, nothing', () => {
  const early = turnBack(stageSeen(begun(), 'lower-ttl', 0), 0)
  assert.ok(early)
  const first = nextStep(early, 0)
  assert.ok(first.kind === 'apply' && first.proof === 'nothing')
  const seen = (['lower-ttl', 'add', 'switch'] as const).map((stage) => ({ stage, atMs: 0 }))
  const late = nextStep({ ...begun(), seen, isBack: true }, 0)
  assert.ok(late.kind === 'apply' && late.proof === 'old-take-mail')
})

test('what is no migration is refused with what to do', () => {
  const kinds = (changed: Partial<BeginWords>) => judgeBeginning({ ...words, ...changed }, 0)
  assert.equal(kinds({ old: undefined }).kind, 'impossible')
  assert.equal(kinds({ old: { ttlSeconds: 60, exchangers: [mx(0, '.')] } }).kind, 'impossible')
  assert.equal(kinds({ next: { ttlSeconds: 60, exchangers: [mx(0, '.')] } }).kind, 'impossible')
  assert.equal(kinds({ next: { ttlSeconds: 60, exchangers: [] } }).kind, 'impossible')
  assert.equal(kinds({ next: { ...old, ttlSeconds: 1 } }).kind, 'nothing-to-move')
})

/**
 * The world: servers that get a change one after the other, and caches that ask any of them at any time and keep what they heard for its TTL. The
 * old exchangers work until the migration says that it is over; the new ones begin at some moment, and go on until a way back is over. Where their
 * addresses are published on the way, caches may hold that there are none.
 */
interface Chances {
  readonly seed: number
  readonly oldTtl: number
  readonly nextTtl: number
  readonly lowTtl: number
  readonly servers: number
  readonly caches: number
  readonly readyAt: number
  readonly abortAt: number
  readonly idle: number
  /** How long a cache holds that a new host has no address; 0: they have theirs all the while. */
  readonly negativeTtl: number
}

const chances: fc.Arbitrary<Chances> = fc.record({
  seed: fc.integer(),
  oldTtl: fc.integer({ min: 1, max: 400 }),
  nextTtl: fc.integer({ min: 1, max: 200 }),
  lowTtl: fc.integer({ min: 1, max: 60 }),
  servers: fc.integer({ min: 1, max: 3 }),
  caches: fc.integer({ min: 1, max: 5 }),
  readyAt: fc.integer({ min: 0, max: 900 }),
  abortAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 1_500 })),
  idle: fc.integer({ min: 0, max: 40 }),
  negativeTtl: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 })),
})

/** @returns what a sender could see that does not work, and how it ended */
function live(chance: Chances): { readonly fault: string | undefined; readonly end: string } {
  let state = chance.seed >>> 0
  const upTo = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * (most + 1))
  }
  const first: MxSet = { ttlSeconds: chance.oldTtl, exchangers: old.exchangers }
  const { negativeTtl } = chance
  const cached = negativeTtl > 0 ? { addresses: { ...addresses, cachedSeconds: negativeTtl } } : {}
  const start = { set: first, hasHosts: negativeTtl === 0 }
  const servers = Array.from({ length: chance.servers }, () => ({ now: start, pending: start, atSecond: 0 }))
  const anyServer = () => servers[upTo(servers.length - 1)]?.now ?? start
  const caches = Array.from({ length: chance.caches }, () => ({
    ...{ set: first, untilSecond: -1, hasHosts: start.hasHosts, hostsUntil: -1 },
  }))
  const to = { ...next, ttlSeconds: chance.nextTtl }
  let migration = begun({ old: first, next: to, lowTtlSeconds: chance.lowTtl, ...cached })
  let writing: Stage | undefined
  let end = 'open'
  const isOld = (host: string) => host.endsWith('old.example')
  const hasHostsAfter = (stage: Stage) =>
    negativeTtl === 0 ||
    stage === 'addresses' ||
    (stage !== 'withdraw' && migration.seen.some((each) => each.stage === 'addresses'))
  for (let second = 0; second < 4_000; second++) {
    for (const server of servers) if (server.atSecond <= second) server.now = server.pending
    const isOver = end !== 'open'
    const works = (host: string) => (isOld(host) ? end !== 'done' : second >= chance.readyAt && end !== 'aborted')
    for (const cache of caches) {
      if (upTo(6) === 0 && cache.untilSecond <= second) {
        cache.set = anyServer().set
        cache.untilSecond = second + cache.set.ttlSeconds
      }
      const isNamed = cache.untilSecond > second && cache.set.exchangers.some(({ host }) => !isOld(host))
      if (cache.hostsUntil <= second && (isNamed || upTo(6) === 0)) {
        cache.hasHosts = anyServer().hasHosts
        cache.hostsUntil = second + (cache.hasHosts ? chance.nextTtl : negativeTtl)
      }
      if (cache.untilSecond <= second) continue
      const best = Math.min(...cache.set.exchangers.map(({ preference }) => preference))
      const tried = cache.set.exchangers.filter(({ preference }) => preference === best)
      if (!tried.every(({ host }) => works(host) && (isOld(host) || cache.hasHosts)))
        return { fault: `at ${second} s: ${JSON.stringify(cache.set)}`, end }
    }
    if (isOver && second > 3_500) break
    if (isOver || upTo(chance.idle) !== 0) continue
    if (second >= chance.abortAt) migration = turnBack(migration, second * 1000) ?? migration
    const step = nextStep(migration, second * 1000)
    if (step.kind === 'done' || step.kind === 'aborted') end = step.kind
    if (step.kind !== 'apply') continue
    if (step.proof === 'new-take-mail' && second < chance.readyAt) continue
    const set = setAfter(migration, step.stage)
    const hasHosts = hasHostsAfter(step.stage)
    assert.ok(expectedSets(migration).some((each) => sameMxSet(each, set)))
    if (writing !== step.stage) {
      // Somebody pulls the plug right behind the write: what was begun is simply begun again.
      writing = step.stage
      for (const server of servers) Object.assign(server, { pending: { set, hasHosts }, atSecond: second + upTo(30) })
      continue
    }
    if (servers.every(({ now }) => sameMxSet(now.set, set) && now.hasHosts === hasHosts)) {
      migration = stageSeen(migration, step.stage, second * 1000)
      writing = undefined
    }
  }
  return { fault: undefined, end }
}

test('caches that honour TTLs never hold a set whose first exchangers do not take mail, whatever happens when', () => {
  fc.assert(
    fc.property(chances, (chance) => {
      const { fault, end } = live(chance)
      assert.equal(fault, undefined)
      assert.notEqual(end, 'open')
    }),
    { numRuns: 300 },
  )
})

/**
 * Senders with queues, minute by minute: each asks its own cache, tries hosts by preference, comes again after a while where it is asked for patience,
 * and gives up after five days (RFC 5321 §4.5.4.1). Old exchangers take mail up to a moment, and bounce it from then on.
 */
function days(oldStops: 'when it is done' | 'at the switch') {
  let state = 7
  const upTo = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * (most + 1))
  }
  let migration = begun()
  let live = old
  const caches = Array.from({ length: 4 }, () => ({ set: old, untilMs: 0 }))
  let queue: { bornMs: number; nextMs: number; cache: number }[] = []
  const counts = { delivered: 0, lost: 0, toOldAfterSwitch: 0 }
  for (let nowMs = 0; nowMs < 9 * day * 1000; nowMs += 60_000) {
    const step = nextStep(migration, nowMs)
    if (step.kind === 'apply') {
      live = setAfter(migration, step.stage)
      migration = stageSeen(migration, step.stage, nowMs)
    }
    const isSwitched = migration.seen.some(({ stage }) => stage === 'switch')
    const oldBounces = step.kind === 'done' || (oldStops === 'at the switch' && isSwitched)
    if (nowMs < 3 * day * 1000)
      for (let count = upTo(6); count > 0; count--) queue.push({ bornMs: nowMs, nextMs: nowMs, cache: upTo(3) })
    queue = queue.filter((message) => {
      if (message.nextMs > nowMs) return true
      const cache = caches[message.cache] ?? assert.fail()
      if (cache.untilMs <= nowMs) Object.assign(cache, { set: live, untilMs: nowMs + live.ttlSeconds * 1000 })
      for (const { host } of cache.set.exchangers.toSorted((one, other) => one.preference - other.preference)) {
        const isOld = host.endsWith('old.example')
        if (isOld && oldBounces) {
          counts.lost++
          return false
        }
        if (upTo(9) < 3) continue
        counts.delivered++
        if (isOld && isSwitched) counts.toOldAfterSwitch++
        return false
      }
      message.nextMs = nowMs + (30 + upTo(210)) * 60_000
      if (message.nextMs - message.bornMs < 5 * day * 1000) return true
      counts.lost++
      return false
    })
  }
  return { ...counts, queued: queue.length }
}

test('with queues of five days nothing is lost, though senders with an old answer come to the old hosts, which bounce in the end', () => {
  const { delivered, lost, toOldAfterSwitch, queued } = days('when it is done')
  assert.ok(delivered > 2_000 && toOldAfterSwitch > 0, JSON.stringify({ delivered, toOldAfterSwitch }))
  assert.deepEqual({ lost, queued }, { lost: 0, queued: 0 })
  assert.ok(days('at the switch').lost > 0)
})
