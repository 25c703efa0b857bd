import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { createResolver } from '../../dns/resolver.ts'
import { createTransport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../declare/wanted.ts'
import { loadCachedSets } from '../plan/cached-sets.ts'
import type { ExaminedZone } from '../plan/examine.ts'
import { planZone } from '../plan/plan.ts'
import type { RecordSet } from '../sets/record-set.ts'
import { noLimits, type Target, type TargetApplied } from '../targets/target.ts'
import { applyZone } from './apply.ts'

const zone = labName('example.test')
const mx = (preference: number): Rdata => ({ type: 'MX', preference, exchange: labName('mx.example.net') })
const before: RecordSet = { name: zone, code: typeCodes.MX, ttlSeconds: 7_200, data: [mx(10)] }
const after: RecordSet = { ...before, ttlSeconds: 60, data: [mx(20)] }

/** A target that answers `outcome` to the change, and shows `live` afterwards. */
async function apply(t: TestContext, outcome: TargetApplied, live: readonly RecordSet[], isKept = true) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-apply-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { server } = await startDns(t, {})
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server], timeoutMs: 300, deadlineMs: 500 }, deps)
  const transport = createTransport(deps)
  t.after(() => {
    resolver.close()
    transport.close()
  })
  const kept = join(folder, 'state', 'published.json')
  let keptAtWrite: number | undefined
  const target: Target = {
    ...{ publisher: 'here', place: 'a test', zone, limits: noLimits, servers: [] },
    read: async () => ({ kind: 'read', sets: live, version: '', isNewZone: false, notes: [] }),
    async apply() {
      const { code, name } = before
      keptAtWrite = (await loadCachedSets(kept, Date.now())).untilMs({ code, name })
      return outcome
    },
    close() {},
  }
  const exchangers = [{ preference: 20, host: 'mx.example.net' as HostName, addresses: undefined }]
  const declaration = {
    domain: 'example.test' as HostName,
    exchangers,
    ttlSeconds: 60,
    publisher: 'here',
    texts: [],
    absent: [],
  }
  const plan = planZone(zone, wantedIn(zone, [declaration]).sets, [before], noLimits)
  const unit = { publisher: 'here', zone, declarations: [declaration] }
  const examined: ExaminedZone = { kind: 'examined', unit, target, plan, version: '', isNewZone: false, concerns: [] }
  const cached = await loadCachedSets(kept, Date.now())
  if (!isKept) await writeFile(join(folder, 'state'), 'a file where the folder would be')
  const options = {
    waitMs: 0,
    timeoutMs: 200,
    asksZone: false,
    isPrivate: false,
    healthy: new Set<never>(),
    progress: () => undefined,
  }
  const applied = await applyZone(examined, options, { clock: steadyClock, cached, transport, resolver })
  return { applied, cached, keptAtWrite }
}

test('what was applied is held by caches for the TTL that it had', async (t) => {
  const startMs = Date.now()
  const { applied, cached, keptAtWrite } = await apply(t, { kind: 'applied' }, [after])
  assert.equal(applied.outcome.kind, 'applied')
  // Who is killed behind the write has kept it already.
  assert.ok(keptAtWrite !== undefined && keptAtWrite >= startMs + 7_200_000)
  const until = applied.cachesUntilMs ?? 0
  assert.ok(until >= startMs + 7_200_000 && until <= Date.now() + 7_200_000)
  assert.equal(cached.untilMs(before), until)
})

test('no answer, and it is done: that is success; no answer and not done is not known', async (t) => {
  const unknown = { kind: 'unknown', why: 'no answer within 200 ms' } as const
  const done = await apply(t, unknown, [after])
  assert.deepEqual(done.applied.outcome, { kind: 'applied', note: 'no answer within 200 ms; and yet it is done' })
  const open = await apply(t, unknown, [before])
  assert.equal(open.applied.outcome.kind, 'unknown')
  // It may still come, so that caches may hold the old one.
  assert.ok(open.cached.untilMs(before) !== undefined)
})

test('what was not done is cached no longer than it would be anyhow', async (t) => {
  const { applied, cached } = await apply(t, { kind: 'conflict', why: 'w', now: [before] }, [before])
  assert.equal(applied.cachesUntilMs, undefined)
  assert.ok((cached.untilMs(before) ?? 0) <= Date.now() + 7_200_000)
})

test('what caches hold cannot be kept: the zone is changed all the same, and that is told', async (t) => {
  const { applied } = await apply(t, { kind: 'applied', note: 'as it is' }, [after], false)
  assert.ok(applied.outcome.kind === 'applied')
  assert.match(applied.outcome.note ?? '', /^as it is; until when caches hold .+ \((ENOTDIR|EEXIST)\), .+ttl-wait$/)
  assert.ok((applied.cachesUntilMs ?? 0) > Date.now())
  const open = await apply(t, { kind: 'not-loaded', why: 'no answer' }, [after], false)
  assert.ok(open.applied.outcome.kind === 'not-loaded')
  assert.match(open.applied.outcome.why, /^no answer; until when /)
})
