import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startAuthority } from '../../../test/lab/authority.ts'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { freeAddress } from '../../../test/lab/loopback.ts'
import { labName } from '../../../test/lab/names.ts'
import { startPolicyHost } from '../../../test/lab/policy-host.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import { makeCertificate } from '../../../test/unit/certificate-maker.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { createTransport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../declare/wanted.ts'
import { loadCachedSets } from '../plan/cached-sets.ts'
import type { ExamineDeps, ExaminedZone, ExamineOptions } from '../plan/examine.ts'
import { changesOf, planZone } from '../plan/plan.ts'
import { textData } from '../sets/text-kind.ts'
import { noLimits, type Target } from '../targets/target.ts'
import { type Migration, type Stage, stageSeen } from './migration.ts'
import { nextStep } from './next-step.ts'
import { policyLines } from './prove-step.ts'
import { doStep, lookAtStep, type StepRequest } from './step-migration.ts'

const zone = labName('example.test')
const domain = 'example.test' as HostName
const host = (name: string) => ({ preference: 10, host: `${name}.example.net` as HostName })
const migration: Migration = {
  ...{ domain, to: '10:new.example.net', startedAtMs: 0, lowTtlSeconds: 300 },
  old: { ttlSeconds: 86_400, exchangers: [host('old')] },
  next: { ttlSeconds: 3_600, exchangers: [host('new')] },
  ...{ cachedUntilMs: undefined, policy: undefined, isBack: false, seen: [] },
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
  const cached = await loadCachedSets(join(folder, 'published.json'), Date.now())
  const step = (waitMs: number) =>
    doStep(
      { migration, publisher: 'here', needed: new Set(), unread: [], allowed: new Set() },
      { kind: 'ready', stage: 'lower-ttl', examined, concerns: [] },
      {
        waitMs,
        timeoutMs: 5_000,
        asksZone: false,
        isPrivate: false,
        healthy: new Set<never>(),
        progress: () => undefined,
      },
      { clock: steadyClock, cached, transport, resolver },
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

/** A zone file that announces a policy, which the host serves as it is said to. */
async function startWithPolicy(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-step-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'zone')
  const lines = ['@ SOA ns h 5 14400 3600 604800 300', '@ NS ns.example.net.', '@ 300 MX 10 old.example.net.']
  await writeFile(path, `${[...lines, '_mta-sts 600 TXT "v=STSv1; id=a;"'].join('\n')}\n`)
  let hosts: readonly string[] = ['old.example.net']
  const root = makeCertificate({ name: 'Root of the test', isCa: true })
  const chain = [makeCertificate({ name: 'mta-sts.example.test', issuer: root }), root]
  const answer = (socket: Socket) => {
    const policy = policyLines({ ...policyOfMove, mode: 'enforce' }, hosts as readonly HostName[]).join('\r\n')
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${policy.length}\r\nConnection: close\r\n\r\n${policy}`)
  }
  const policyHost = await startPolicyHost(t, { chain, answer }, freeAddress())
  const { server } = await startDns(t, {
    '_mta-sts.example.test': { TXT: ['v=STSv1; id=a;'] },
    'mta-sts.example.test': { A: [policyHost.address] },
  })
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server] }, deps)
  t.after(() => resolver.close())
  const options: ExamineOptions = {
    publishers: { here: { type: 'zonefile', path, timeout: 5_000, zone: undefined, servers: undefined } },
    ...{ asksSmtp: false, isPrivate: true, healthy: new Set<never>(), hello: 'waypost.example.net' },
    ...{ smtpPort: 25, httpsPort: policyHost.port, policyRoots: root.pem },
  }
  const examineDeps: ExamineDeps = {
    ...deps,
    ...{
      resolver,
      exchangerTurns: createQueueByKey(),
      cached: await loadCachedSets(join(folder, 'cached'), Date.now()),
    },
    ...{ secrets: async () => ({ kind: 'missing', why: 'none' }), addressesOf: async () => [] },
    builtin: { state: folder, hostname: domain, listen: [], load: async () => ({ kind: 'done' }) },
  }
  return {
    serve(...served: readonly string[]) {
      hosts = served
    },
    look: (moving: Migration, unread: StepRequest['unread'] = []) =>
      lookAtStep(
        { migration: moving, publisher: 'here', needed: new Set(), unread, allowed: new Set() },
        options,
        examineDeps,
      ),
  }
}

const policyOfMove = { mode: 'enforce', maxAgeSeconds: 604_800, recordTtlSeconds: 600, oldId: 'a', newId: 'b' } as const

test('under an enforced policy nothing goes on before the policy that is served lists both sides, and then senders have their time', async (t) => {
  const { serve, look } = await startWithPolicy(t)
  const old = { ttlSeconds: 300, exchangers: [host('old')] }
  const moving: Migration = { ...migration, old, policy: policyOfMove }
  const refused = await look(moving)
  assert.ok(refused.kind === 'refused' && refused.stage === 'policy', JSON.stringify(refused))
  const [concern] = refused.concerns
  assert.equal(concern?.rule, 'mta-sts')
  assert.match(concern.why, /does not list new\.example\.net$/)
  assert.match(concern.remedy, /mx: old\.example\.net \| mx: new\.example\.net \| max_age: 604800/)

  serve('old.example.net', 'new.example.net')
  const ready = await look(moving)
  assert.ok(ready.kind === 'ready', JSON.stringify(ready))
  ready.examined.target.close()
  const [change] = changesOf(ready.examined.plan)
  assert.deepEqual(change?.after?.data, [textData('v=STSv1; id=b;')])

  const announced = stageSeen(moving, 'policy', Date.now())
  const waiting = await look(announced)
  assert.ok(waiting.kind === 'at-rest' && waiting.step.kind === 'wait' && waiting.step.stage === 'add')
  // The record's TTL, and a day in which each sender looks for a new id.
  const day = stageSeen(moving, 'policy', Date.now() - (600 + 86_400 + 6) * 1000)
  const next = nextStep(day, Date.now())
  assert.ok(next.kind === 'apply' && next.stage === 'add')
})

test('addresses are not taken back while it is not known whether another domain needs them', async (t) => {
  const { look } = await startWithPolicy(t)
  const address = parseIp('192.0.2.7') ?? assert.fail()
  const host = 'mx.example.test' as HostName
  const turned: Migration = {
    ...{
      ...migration,
      old: { ttlSeconds: 300, exchangers: [{ preference: 10, host: 'old.example.net' as HostName }] },
    },
    addresses: { sets: [{ host, type: 'A', addresses: [address], before: undefined }], cachedSeconds: 300 },
    ...{ isBack: true, seen: ['addresses', 'restore'].map((stage) => ({ stage: stage as Stage, atMs: 0 })) },
  }
  const unread = { domain: 'other.test' as HostName, why: 'other.test.json is damaged: look at it' }
  const looked = await look(turned, [unread])
  assert.ok(looked.kind === 'failed' && looked.stage === 'withdraw', JSON.stringify(looked))
  assert.equal(looked.failure.remedy, unread.why)
  const known = await look(turned)
  assert.ok(known.kind === 'ready' && known.stage === 'withdraw', JSON.stringify(known))
  known.examined.target.close()
})
