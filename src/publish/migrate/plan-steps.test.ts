import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { startSilent } from '../../../test/lab/silent-server.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { loadCachedSets } from '../plan/cached-sets.ts'
import type { ExamineDeps, ExamineOptions } from '../plan/examine.ts'
import type { Migration } from './migration.ts'
import { planSteps, type StepToPlan } from './plan-steps.ts'

const mx = (host: string) => ({ preference: 10, host: host as HostName })

const step = (domain: string, publisher: string): StepToPlan => {
  const migration: Migration = {
    ...{ domain: domain as HostName, to: '10:new.example.net', startedAtMs: 0, lowTtlSeconds: 300 },
    old: { ttlSeconds: 3_600, exchangers: [mx('old.example.net')] },
    next: { ttlSeconds: 3_600, exchangers: [mx('new.example.net')] },
    ...{ cachedUntilMs: undefined, policy: undefined, isBack: false, seen: [] },
  }
  return { request: { migration, publisher, needed: new Set(), unread: [], allowed: new Set() }, stage: 'lower-ttl' }
}

test('a publisher that does not answer is asked once for all of its migrations, and holds up those of no other', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-steps-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const lines = ['@ SOA ns h 5 14400 3600 604800 300', '@ NS ns.example.net.', '@ 3600 MX 10 old.example.net.']
  await writeFile(join(folder, 'here.test'), `${lines.join('\n')}\n`)
  const silent = await startSilent(t)
  const { server } = await startDns(t, {})
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server] }, deps)
  t.after(() => resolver.close())
  const shared = { zone: undefined, servers: undefined }
  const options: ExamineOptions = {
    publishers: {
      dead: { type: 'rfc2136', server: silent.server, timeout: 50, ...shared },
      here: { type: 'zonefile', path: join(folder, '{zone}'), timeout: 5_000, ...shared },
    },
    ...{ asksSmtp: false, isPrivate: true, healthy: new Set<never>(), hello: 'waypost.example.net' },
    ...{ smtpPort: 25, httpsPort: 443 },
  }
  const examineDeps: ExamineDeps = {
    ...deps,
    ...{
      resolver,
      exchangerTurns: createQueueByKey(),
      cached: await loadCachedSets(join(folder, 'cached'), Date.now()),
    },
    ...{ secrets: async () => ({ kind: 'missing', why: 'none' }), addressesOf: async () => [] },
    builtin: { state: folder, hostname: 'mx.test' as HostName, listen: [], load: async () => ({ kind: 'done' }) },
  }

  const steps = [step('first.test', 'dead'), step('here.test', 'here'), step('second.test', 'dead')]
  const [first, here, second] = await planSteps(steps, options, examineDeps)

  assert.ok(first?.kind === 'failed' && first.failure.kind === 'unreachable', JSON.stringify(first))
  assert.ok(second?.kind === 'failed' && second.failure.kind === 'unreachable', JSON.stringify(second))
  assert.equal(second.failure.why, `${first.failure.why}; it was not asked once more`)
  assert.match(silent.asked(), /first/)
  assert.doesNotMatch(silent.asked(), /second/)
  assert.ok(here?.kind === 'examined', JSON.stringify(here))
  here.examined.target.close()
  assert.deepEqual(
    here.examined.plan.sets.map(({ after }) => after?.ttlSeconds),
    [300],
  )
})
