import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type LabZone, startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { startLab } from '../../../test/lab/lab.ts'
import { freeAddress } from '../../../test/lab/loopback.ts'
import { labName } from '../../../test/lab/names.ts'
import { startPolicyHost } from '../../../test/lab/policy-host.ts'
import { makeCertificate } from '../../../test/unit/certificate-maker.ts'
import { systemDoor } from '../../base/door.ts'
import type { IpAddress } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { wantedIn } from '../declare/wanted.ts'
import { noLimits } from '../targets/target.ts'
import { type AskOptions, createExchangerAsker } from './ask-exchangers.ts'
import { planZone } from './plan.ts'
import { lookAhead } from './prospect.ts'

const zone = labName('example.test')

interface Words {
  readonly hosts: readonly { readonly host: string; readonly addresses?: readonly string[] }[]
  readonly dns?: LabZone
  readonly options?: Partial<AskOptions>
}

async function look(t: TestContext, { hosts, dns = {}, options = {} }: Words) {
  const { server } = await startDns(t, dns)
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server], timeoutMs: 500, deadlineMs: 1_000 }, deps)
  t.after(() => resolver.close())
  const exchangers = hosts.map(({ host, addresses }) => ({
    ...{ preference: 10, host: host as HostName },
    addresses: addresses as readonly IpAddress[] | undefined,
  }))
  const declaration = { domain: 'example.test' as HostName, exchangers, ttlSeconds: 60, publisher: undefined }
  const wanted = wantedIn(zone, [{ ...declaration, texts: [], absent: [] }])
  const plan = planZone(zone, wanted.sets, [], noLimits)
  const settings = {
    asksSmtp: true,
    isPrivate: true,
    smtpPort: 25,
    httpsPort: 443,
    hello: 'waypost.example.net',
    ...options,
  }
  return lookAhead(plan, settings, { ...deps, resolver, exchangerTurns: createQueueByKey() })
}

test('an exchanger that takes mail for the domain, one that refuses it, one where nobody listens', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend({ rcpt: '550 5.7.1 relay denied' })]
  for (const [index, backend] of backends.entries()) {
    const hosts = [{ host: 'mx.example.test', addresses: [backend.address] }]
    const [prospect] = await look(t, { hosts, options: { smtpPort: backend.port } })
    assert.equal(prospect?.exchangers[0]?.smtp.kind, index === 0 ? 'takes' : 'refuses', JSON.stringify(prospect))
    assert.equal(prospect?.policy.kind, 'none')
  }
  const [backend] = backends
  const hosts = [
    { host: 'dead.example.test', addresses: ['127.9.9.9'] },
    { host: 'mx.example.test', addresses: [backend?.address ?? ''] },
  ]
  const [prospect] = await look(t, { hosts, options: { smtpPort: backend?.port ?? 0 } })
  assert.deepEqual(
    prospect?.exchangers.map(({ smtp }) => smtp.kind),
    ['silent', 'takes'],
  )
})

test('where nobody at all answered in time, our own way out may be closed; who refuses a connection is there', async (t) => {
  const { server } = await startDns(t, {})
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server] }, deps)
  t.after(() => resolver.close())
  const options = { asksSmtp: true, isPrivate: true, smtpPort: 25, httpsPort: 443, hello: 'waypost.example.net' }
  const asker = createExchangerAsker(options, { ...deps, resolver, exchangerTurns: createQueueByKey() })
  const judged = (silence: 'timeout' | 'refused') =>
    asker.judged({
      ...{ host: 'mx.example.test' as HostName, isNew: true, addresses: { kind: 'none', why: 'no address' } },
      smtp: { kind: 'silent', silence, why: 'a silence' },
    }).smtp.kind
  assert.deepEqual([judged('timeout'), judged('refused')], ['not-checked', 'silent'])
})

test('addresses that are not public are not asked unless they are meant; nor is anybody, unless it is wanted', async (t) => {
  const hosts = [{ host: 'mx.example.test', addresses: ['127.0.0.1'] }]
  const [closed] = await look(t, { hosts, options: { isPrivate: false } })
  assert.deepEqual(closed?.exchangers[0]?.smtp, { kind: 'not-checked', why: '127.0.0.1 is loopback' })
  const [unwanted] = await look(t, { hosts, options: { asksSmtp: false } })
  assert.equal(unwanted?.exchangers[0]?.smtp.kind, 'not-wanted')
})

test('hosts elsewhere are looked up: aliases, names that do not exist, and a resolver that fails', async (t) => {
  const hosts = ['alias.example.net', 'nowhere.example.net', 'empty.example.net', 'broken.example.net'].map((host) => ({
    host,
  }))
  const dns: LabZone = {
    'alias.example.net': { CNAME: 'real.example.net' },
    'real.example.net': { A: ['192.0.2.1'] },
    'empty.example.net': { TXT: ['x'] },
  }
  const found = await look(t, { hosts, dns, options: { asksSmtp: false } })
  const addresses = found[0]?.exchangers.map((each) => each.addresses)
  assert.deepEqual(addresses?.slice(0, 3), [
    { kind: 'addresses', addresses: ['192.0.2.1'], alias: 'real.example.net' },
    { kind: 'none', why: 'no such name' },
    { kind: 'none', why: 'no address' },
  ])
})

test('a policy that is announced and cannot be fetched is not checked', async (t) => {
  const hosts = [{ host: 'mx.example.test', addresses: ['192.0.2.1'] }]
  const dns: LabZone = {
    '_mta-sts.example.test': { TXT: ['v=STSv1; id=1'] },
    'mta-sts.example.test': { A: ['127.9.9.9'] },
  }
  const [prospect] = await look(t, { hosts, dns, options: { asksSmtp: false, httpsPort: 9 } })
  assert.equal(prospect?.policy.kind, 'not-checked')
})

test('a policy counts as senders take it: of a host whose certificate is right, and of no other', async (t) => {
  const dns = (address: string): LabZone => ({
    '_mta-sts.example.test': { TXT: ['v=STSv1; id=1'] },
    // Nobody listens at the first.
    'mta-sts.example.test': { A: ['127.9.9.9', address] },
  })
  const root = makeCertificate({ name: 'Root of the test', isCa: true })
  const policy = 'version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 86400\n'
  const seen = async (name: string, policyRoots: string | undefined) => {
    const chain = [makeCertificate({ name, issuer: root }), root]
    const { address, port } = await startPolicyHost(t, { chain, policy }, freeAddress())
    const options = { asksSmtp: false, httpsPort: port, ...(policyRoots === undefined ? {} : { policyRoots }) }
    const [prospect] = await look(t, {
      hosts: [{ host: 'mx.example.test', addresses: ['192.0.2.1'] }],
      ...{ dns: dns(address), options },
    })
    return prospect?.policy
  }
  const right = await seen('mta-sts.example.test', root.pem)
  assert.ok(right?.kind === 'policy', JSON.stringify(right))
  assert.equal(right.policy.mode, 'enforce')
  const strange = await seen('mta-sts.example.test', undefined)
  assert.ok(strange?.kind === 'not-checked')
  assert.match(strange.why, /^mta-sts\.example\.test: .*CERT/)
  const other = await seen('www.example.test', root.pem)
  assert.ok(other?.kind === 'not-checked')
  assert.match(other.why, /ALTNAME/)
})
