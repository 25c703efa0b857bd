import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAuthority } from '../../../test/lab/authority.ts'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { createTransport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../declare/wanted.ts'
import type { ExaminedZone } from '../plan/examine.ts'
import { loadHeldSets } from '../plan/held-sets.ts'
import { planZone } from '../plan/plan.ts'
import { noLimits, type Target } from '../targets/target.ts'
import type { Migration } from './migration.ts'
import { nextStep } from './next-step.ts'
import { doStep } from './step-migration.ts'

const zone = labName('example.test')
const domain = 'example.test' as HostName
const host = (name: string) => ({ preference: 10, host: `${name}.example.net` as HostName })
const migration: Migration = {
  ...{ domain, to: '10:new.example.net', startedAtMs: 0, lowTtlSeconds: 300 },
  old: { ttlSeconds: 86_400, exchangers: [host('old')] },
  next: { ttlSeconds: 3_600, exchangers: [host('new')] },
  ...{ heldUntilMs: undefined, policy: undefined, isBack: false, seen: [] },
}
const zoneWith = (ttl: number) =>
  zoneOf('example.test.', `@ SOA ns h 5 14400 3600 604800 300\n@ NS ns.example.net.\n@ ${ttl} MX 10 old.example.net.`)

test('one server that still has the old TTL holds the migration back, until it has the new one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-step-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const late = await startAuthority(t, [zoneWith(86_400)])
  const servers = [await startAuthority(t, [zoneWith(300)]), late].map(({ address, port }) => ({
    address: parseIp(address) ?? assert.fail(),
    port,
  }))
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const { server } = await startDns(t, {})
  const resolver = createResolver({ servers: [server] }, deps)
  const transport = createTransport(deps)
  t.after(() => {
    resolver.close()
    transport.close()
  })
  const target: Target = {
    ...{ publisher: 'here', place: 'a test', zone, limits: noLimits, servers },
    read: async () => ({ kind: 'read', sets: [], version: '', isNewZone: false, notes: [] }),
    apply: async () => ({ kind: 'applied' }),
    close() {},
  }
  const exchangers = [{ ...host('old'), addresses: undefined }]
  const declaration = { domain, exchangers, ttlSeconds: 300, publisher: 'here', texts: [], absent: [] }
  const data = [{ type: 'MX', preference: 10, exchange: labName('old.example.net') }] as const
  const live = [{ name: zone, code: typeCodes.MX, ttlSeconds: 86_400, data }]
  const plan = planZone(zone, wantedIn(zone, [declaration]).sets, live, noLimits)
  const unit = { publisher: 'here', zone, declarations: [declaration] }
  const examined: ExaminedZone = { kind: 'examined', unit, target, plan, version: '', isNewZone: false, concerns: [] }
  const held = await loadHeldSets(join(folder, 'published.json'), Date.now())
  const step = (waitMs: number) =>
    doStep(
      { migration, publisher: 'here', needed: new Set(), allowed: new Set() },
      { kind: 'ready', stage: 'lower-ttl', examined, concerns: [] },
      {
        waitMs,
        timeoutMs: 5_000,
        asksZone: false,
        isPrivate: false,
        healthy: new Set<never>(),
        progress: () => undefined,
      },
      { clock: steadyClock, held, transport, resolver },
    )

  const first = await step(50)
  assert.equal(first.isSeen, false)
  assert.deepEqual(
    first.applied.verified?.servers.map(({ state }) => state.kind),
    ['right', 'other'],
  )
  const again = nextStep(first.migration, Date.now())
  assert.ok(again.kind === 'apply' && again.stage === 'lower-ttl')

  await late.authority.replaceZones([zoneWith(300)])
  const { isSeen, migration: lowered } = await step(60_000)
  assert.equal(isSeen, true)
  const [seen] = lowered.seen
  assert.ok(seen)
  // From now on the old TTL counts: caches that asked the late server have it for a day.
  const wait = nextStep(lowered, Date.now())
  assert.ok(wait.kind === 'wait' && wait.stage === 'add')
  assert.equal(wait.untilMs, seen.atMs + 86_400_000 + 5_000)
})
