import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { Backend, BackendAddress, Route } from '../../routing/backend.ts'
import { createEndpoints, type EndpointsDeps, type MxAnswer } from './endpoints.ts'

const ip = (text: string) => text as IpAddress
const host = (text: string) => text as HostName

function backend(address: BackendAddress): Backend {
  const key = JSON.stringify(address)
  return { key, url: key, address, options: { tls: 'may', helo: undefined, connections: 20, private: false } }
}

function route(...entries: (BackendAddress & { weight?: number; preference?: number })[]): Route {
  return {
    id: 'test',
    balance: 'round-robin',
    onDefer: 'pass',
    entries: entries.map(({ weight = 1, preference = 10, ...address }) => ({
      backend: backend(address),
      weight,
      preference,
    })),
  }
}

/** A clock that is set by hand, and what was asked. */
function world(hosts: Record<string, readonly string[]>, mx: MxAnswer = { kind: 'hosts', hosts: [] }) {
  const state = { nowMs: 0, hosts, mx, asked: [] as string[], found: [] as Parameters<EndpointsDeps['onFound']>[0][] }
  const deps: EndpointsDeps = {
    clock: { now: () => 0, monotonicMs: () => state.nowMs, after: () => ({ cancel() {} }) },
    log: silentLog,
    lookupHost: async (name) => {
      state.asked.push(name)
      const found = state.hosts[name]
      if (!found) throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
      return found.map(ip)
    },
    lookupMx: () => state.mx,
    onFound: (leadsTo) => void state.found.push(leadsTo),
    postmaster: () => route({ protocol: 'maildir', path: '/postmaster' }),
  }
  return { state, endpoints: createEndpoints(deps) }
}

const addresses = (expansion: Awaited<ReturnType<ReturnType<typeof createEndpoints>['expand']>>) =>
  expansion.kind === 'members'
    ? expansion.members.map(({ endpoint }) =>
        endpoint.target.kind === 'tcp' ? endpoint.target.address : endpoint.target.kind,
      )
    : expansion.kind

test('a route of addresses needs no look-up and is worked out once', () => {
  const { endpoints } = world({})
  const plain = route({ protocol: 'smtp', host: ip('10.0.0.1'), port: 25 }, { protocol: 'lmtp', path: '/run/lmtp' })
  const first = endpoints.expand(plain, host('example.com'))
  assert.equal(first instanceof Promise, false)
  assert.deepEqual(addresses(first as Awaited<typeof first>), ['10.0.0.1', 'unix'])
  assert.equal(endpoints.expand(plain, host('example.com')), first)
})

test('the addresses of one name share its weight, families in turn', async () => {
  const { endpoints } = world({ backend: ['2001:db8::1', '2001:db8::2', '10.0.0.1'] })
  const expansion = await endpoints.expand(
    route({ protocol: 'smtp', host: host('backend'), port: 25, weight: 3 }),
    undefined,
  )
  assert.deepEqual(addresses(expansion), ['2001:db8::1', '10.0.0.1', '2001:db8::2'])
  assert.deepEqual(expansion.kind === 'members' && expansion.members.map(({ weight }) => weight), [1, 1, 1])
})

test('a name without an address is told with why, once it was asked for, and looked up again after half a minute', async () => {
  const { state, endpoints } = world({})
  const mistyped = route({ protocol: 'smtp', host: host('bakend'), port: 25 })
  assert.equal(endpoints.whyNameless('bakend'), undefined, 'nobody has asked')
  await endpoints.expand(mistyped, undefined)
  assert.equal(endpoints.whyNameless('bakend'), 'ENOTFOUND')
  state.hosts = { bakend: ['10.0.0.1'] }
  state.nowMs += 30_000
  assert.equal(endpoints.whyNameless('bakend'), 'ENOTFOUND')
  assert.equal(state.asked.length, 1)
  state.nowMs += 1
  assert.equal(endpoints.whyNameless('bakend'), 'ENOTFOUND', 'it is being looked up')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(endpoints.whyNameless('bakend'), undefined)
  assert.equal(state.asked.length, 2)
})

test('the addresses of a name that a file names which is not trusted are judged by the door', async () => {
  const { endpoints } = world({ backend: ['10.0.0.1'] })
  const named = route({ protocol: 'smtp', host: host('backend'), port: 25 })
  const purposeOf = async (options: Partial<Backend['options']>) => {
    const entries = named.entries.map((entry) => ({
      ...entry,
      backend: { ...entry.backend, options: { ...entry.backend.options, ...options } },
    }))
    const expansion = await endpoints.expand({ ...named, entries }, undefined)
    return expansion.kind === 'members' && expansion.members.map(({ endpoint }) => endpoint.purpose)
  }
  assert.deepEqual(await purposeOf({ isPublicOnly: true }), ['included'])
  assert.deepEqual(await purposeOf({}), ['backend'])
})

test('a name is asked for every 30 s, and the last good answer serves meanwhile and when it fails', async () => {
  const { state, endpoints } = world({ backend: ['10.0.0.1'] })
  const one = route({ protocol: 'smtp', host: host('backend'), port: 25 })
  await endpoints.expand(one, undefined)
  await endpoints.expand(one, undefined)
  assert.equal(state.asked.length, 1)

  state.nowMs = 31_000
  state.hosts = {}
  assert.deepEqual(addresses(await endpoints.expand(one, undefined)), ['10.0.0.1'])
  assert.equal(state.asked.length, 2)
  state.nowMs = 62_000
  assert.deepEqual(addresses(await endpoints.expand(one, undefined)), ['10.0.0.1'])
})

test('a name without an address is an outage and asked again after a second', async () => {
  const { state, endpoints } = world({})
  const one = route({ protocol: 'smtp', host: host('backend'), port: 25 })
  assert.deepEqual(addresses(await endpoints.expand(one, undefined)), [])
  state.hosts = { backend: ['10.0.0.1'] }
  state.nowMs = 1_001
  assert.deepEqual(addresses(await endpoints.expand(one, undefined)), ['10.0.0.1'])
})

test('exchangers are tiers within the route’s preference; a configured one behind them stays behind', async () => {
  const { endpoints } = world(
    {},
    {
      kind: 'hosts',
      hosts: [
        { host: host('mx1.example.com'), preference: 10, addresses: [ip('192.0.2.1')] },
        { host: host('mx2.example.com'), preference: 65_535, addresses: [ip('192.0.2.2')] },
      ],
    },
  )
  const mixed = route(
    { protocol: 'smtp', host: ip('10.0.0.1'), port: 25, preference: 11 },
    { protocol: 'mx', domain: undefined },
  )
  const expansion = await endpoints.expand(mixed, host('example.com'))
  assert.equal(expansion.kind, 'members')
  const members = expansion.kind === 'members' ? [...expansion.members].sort((a, b) => a.tier - b.tier) : []
  assert.deepEqual(
    members.map(({ endpoint }) => [endpoint.name, endpoint.purpose]),
    [
      ['mx1.example.com', 'mx'],
      ['mx2.example.com', 'mx'],
      ['10.0.0.1', 'backend'],
    ],
  )
})

test('null MX is told where nothing else is named; that and an outage of DNS leave the other backends of the route', async () => {
  const mixed = route(
    { protocol: 'mx', domain: undefined },
    { protocol: 'smtp', host: ip('10.0.0.1'), port: 25, preference: 20 },
  )
  const alone = route({ protocol: 'mx', domain: undefined })
  const nullMx = world({}, { kind: 'null-mx' })
  assert.equal((await nullMx.endpoints.expand(alone, host('example.com'))).kind, 'null-mx')
  const twice = route({ protocol: 'mx', domain: undefined }, { protocol: 'mx', domain: host('other.example') })
  assert.equal((await nullMx.endpoints.expand(twice, host('example.com'))).kind, 'null-mx')
  assert.deepEqual(addresses(await nullMx.endpoints.expand(mixed, host('example.com'))), ['10.0.0.1'])
  // Nobody can say now what the other one would.
  const unresolved = route({ protocol: 'mx', domain: undefined }, { protocol: 'smtp', host: host('away'), port: 25 })
  assert.deepEqual(addresses(await nullMx.endpoints.expand(unresolved, host('example.com'))), [])
  const outage = world({}, { kind: 'outage', why: 'SERVFAIL' })
  assert.deepEqual(addresses(await outage.endpoints.expand(mixed, host('example.com'))), ['10.0.0.1'])
  const loop = world({}, { kind: 'misconfigured', why: 'loop', remedy: 'mend it' })
  assert.deepEqual(addresses(await loop.endpoints.expand(mixed, host('example.com'))), ['10.0.0.1'])
  assert.equal((await loop.endpoints.expand(alone, host('example.com'))).kind, 'misconfigured')
})

test('why the MX of a domain does not let its mail be handed on is known until it does, or nobody has asked for an hour', async () => {
  const { state, endpoints } = world({}, { kind: 'misconfigured', why: 'not in the MX', remedy: 'publish it' })
  const mx = route({ protocol: 'mx', domain: undefined })
  const why = () => ['one.test', 'two.test'].map((domain) => endpoints.whyMisconfigured(mx, host(domain)))
  await endpoints.expand(mx, host('one.test'))
  assert.deepEqual(why(), ['not in the MX', undefined])
  state.mx = { kind: 'ourselves', why: 'nobody is better', remedy: 'name another' }
  await endpoints.expand(mx, host('two.test'))
  assert.deepEqual(why(), ['not in the MX', 'nobody is better'])
  state.mx = { kind: 'hosts', hosts: [] }
  await endpoints.expand(mx, host('one.test'))
  assert.deepEqual(why(), [undefined, 'nobody is better'])
  state.nowMs = 3_600_000
  assert.deepEqual(why(), [undefined, undefined])
})

test('exchangers that cannot be found are told with why, once they were asked for, and looked up again after half a minute', async () => {
  const found: MxAnswer = {
    kind: 'hosts',
    hosts: [{ host: host('mx1'), preference: 10, addresses: [ip('192.0.2.1')] }],
  }
  const { state, endpoints } = world({}, { kind: 'outage', why: 'temporary-failure: no answer' })
  const named = backend({ protocol: 'mx', domain: host('example.com') })
  assert.equal(endpoints.whyUnknown(named), undefined, 'nobody has asked')
  // A knock: it leads to nobody, also where DNS answers.
  assert.deepEqual(await endpoints.of(named), [])
  const why = 'the exchangers of example.com cannot be found: temporary-failure: no answer'
  assert.equal(endpoints.whyUnknown(named)?.why, why)
  state.mx = found
  assert.equal(endpoints.whyUnknown(named)?.why, why)
  await new Promise(setImmediate)
  assert.equal(endpoints.whyUnknown(named)?.why, why)
  state.nowMs = 30_001
  assert.equal(endpoints.whyUnknown(named)?.why, why, 'they are being looked up')
  await new Promise(setImmediate)
  assert.equal(endpoints.whyUnknown(named), undefined)
  assert.deepEqual(await endpoints.of(named), [])
})

test('of the exchangers of its own domains mail alone asks, and the last answer counts', async () => {
  const { state, endpoints } = world({}, { kind: 'outage', why: 'no-such-domain' })
  const own = route({ protocol: 'mx', domain: undefined })
  const [unnamed = assert.fail()] = own.entries.map((each) => each.backend)
  assert.deepEqual(endpoints.of(unnamed), [])
  assert.equal(endpoints.whyUnknown(unnamed), undefined)
  await endpoints.expand(own, host('one.example'))
  assert.equal(endpoints.whyUnknown(unnamed)?.why, 'the exchangers of one.example cannot be found: no-such-domain')
  state.mx = { kind: 'hosts', hosts: [] }
  await endpoints.expand(own, host('two.example'))
  assert.equal(endpoints.whyUnknown(unnamed), undefined)
})

test('a name that has an address at last is told, once, with the backends that it means', async () => {
  const { state, endpoints } = world({})
  const named = route({ protocol: 'smtp', host: host('b.example'), port: 25 })
  await endpoints.expand(named, undefined)
  state.nowMs = 1_001
  await endpoints.expand(named, undefined)
  assert.equal(state.found.length, 0)
  state.hosts = { 'b.example': ['10.0.0.1'], 'c.example': ['10.0.0.2'] }
  for (state.nowMs = 3_000; state.nowMs < 100_000; state.nowMs += 31_000) {
    await endpoints.expand(named, undefined)
    await endpoints.expand(route({ protocol: 'smtp', host: host('c.example'), port: 25 }), undefined)
  }
  const leads = (name: string) =>
    state.found[0]?.(backend({ protocol: 'smtp', host: host(name), port: 587 }), undefined)
  assert.deepEqual([state.found.length, leads('b.example'), leads('c.example')], [1, true, false])
})

test('the end of an outage of DNS is told, once, with the domain whose exchangers are found', async () => {
  const { state, endpoints } = world({}, { kind: 'outage', why: 'temporary-failure' })
  const own = route({ protocol: 'mx', domain: undefined })
  await endpoints.expand(own, host('one.example'))
  await endpoints.expand(own, host('two.example'))
  state.mx = { kind: 'hosts', hosts: [] }
  for (const domain of ['one.example', 'one.example', 'three.example']) await endpoints.expand(own, host(domain))
  const mx = own.entries[0]?.backend ?? assert.fail()
  const leads = (domain: string) => state.found[0]?.(mx, host(domain))
  assert.deepEqual([state.found.length, leads('one.example'), leads('two.example')], [1, true, false])
})
