import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { startDns } from '../lab/dns.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'
import type { LabRecords } from '../lab/records.ts'
import type { GatewayWords } from '../lab/settings.ts'

/** A gateway that is the backup of example.test, and three exchangers on one port. @param mx  the MX set; `us` is the gateway */
async function backup(
  t: TestContext,
  mx: readonly (readonly [number, string])[],
  words: GatewayWords = {},
  deliver: 'mx' | 'mx:example.test' = 'mx',
) {
  const lab = await startLab(t)
  const first = await lab.backend()
  const port = first.port
  const exchangers = [first, await lab.backend({ port }), await lab.backend({ port })] as const
  const addresses = Object.fromEntries(
    exchangers.map(({ address }, index) => [`mx${index + 1}.example.test`, { A: [address] }]),
  )
  const zone: Record<string, LabRecords> = {
    'example.test': { MX: mx, ttl: 300 },
    'us.example.test': { A: ['192.0.2.99'] },
    ...addresses,
  }
  const dns = await startDns(t, zone)
  const gateway = await lab.gateway({
    deliver: [{ to: deliver, mxPort: port }],
    hostname: 'us.example.test',
    resolver: { servers: [dns.server], timeoutMs: 1_000, attempts: 1 },
    ...words,
  })
  const messages = () => exchangers.map((exchanger: FakeBackend) => exchanger.messages.length)
  return { lab, dns, zone, gateway, exchangers, messages, send: () => lab.send({ to: 'you@example.test' }) }
}

const threeAndUs = [
  [10, 'mx1.example.test'],
  [20, 'mx2.example.test'],
  [30, 'us.example.test'],
  [40, 'mx3.example.test'],
] as const

test('a backup delivers to the better exchangers, the best first, and never to a worse one', async (t) => {
  const { exchangers, messages, send } = await backup(t, threeAndUs)
  assert.equal((await send()).code, 250)
  assert.deepEqual(messages(), [1, 0, 0])
  await exchangers[0].kill()
  assert.equal((await send()).code, 250)
  assert.deepEqual(messages(), [1, 1, 0])
  await exchangers[1].kill()
  const sent = await send()
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
  assert.equal(exchangers[2].sessions.length, 0)
})

test('equal exchangers share the mail', async (t) => {
  const mx = [
    [10, 'mx1.example.test'],
    [10, 'mx2.example.test'],
    [20, 'us.example.test'],
  ] as const
  const { messages, send } = await backup(t, mx)
  for (let message = 0; message < 10; message++) assert.equal((await send()).code, 250)
  assert.deepEqual(messages(), [5, 5, 0])
})

test('null MX: 556 5.1.10', async (t) => {
  const { send, gateway } = await backup(t, [[0, '.']])
  const sent = await send()
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 556, '5.1.10'])
  assert.equal(gateway.lines.filter(({ level }) => level === 'alert').length, 0)
})

test('we do not stand in the MX set: 451 4.3.5, an alert, and nobody is asked; `mx:domain` does not mind', async (t) => {
  const mx = [[10, 'mx1.example.test']] as const
  const { send, gateway, exchangers } = await backup(t, mx)
  const sent = await send()
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
  assert.match(String(gateway.find('route misconfigured')[0]?.fields.why), /we do not stand in the MX/)
  assert.equal(gateway.find('route misconfigured')[0]?.level, 'alert')
  assert.equal(exchangers[0].sessions.length, 0)

  assert.match(
    String(gateway.find('route misconfigured')[0]?.fields.remedy),
    /us\.example\.test.* deliver: "mx:example\.test"/,
  )

  const named = await backup(t, mx, {}, 'mx:example.test')
  assert.equal((await named.send()).code, 250)
})

for (const [why, mx] of [
  ['we do not stand in the MX set', [[10, 'mx1.example.test']]],
  ['nobody is better than us', [[10, 'us.example.test']]],
] as const)
  test(`${why}, and there is a hold: 451 4.3.5 all the same, and nothing is held`, async (t) => {
    const { send, gateway } = await backup(t, mx, { hold: {} })
    const sent = await send()
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
    assert.equal(gateway.held(), 0)
  })

test('domains that share the route of `mx` are told one by one', async (t) => {
  const mx = { MX: [[10, 'mx1.example.test']], ttl: 300 } as const
  const dns = await startDns(t, {
    ...{ 'one.test': mx, 'two.test': mx, 'mx1.example.test': { A: ['192.0.2.1'] } },
    'three.test': { MX: [[10, 'us.example.test']], ttl: 300 },
  })
  const lab = await startLab(t)
  const deliver = ['mx'] as const
  const gateway = await lab.gateway({
    domains: { 'one.test': { deliver }, 'two.test': { deliver }, 'three.test': { deliver } },
    hostname: 'us.example.test',
    resolver: { servers: [dns.server], timeoutMs: 1_000, attempts: 1 },
  })
  for (const domain of ['one.test', 'two.test', 'three.test']) await lab.send({ to: `you@${domain}` })
  assert.deepEqual(
    gateway.find('route misconfigured').map(({ fields }) => fields?.domain),
    ['one.test', 'two.test', 'three.test'],
  )
  assert.match(String(gateway.find('route misconfigured')[2]?.fields?.remedy), /which server has the mailboxes/)
})

test('we are known by an address of the world’s', async (t) => {
  const mx = [
    [10, 'mx1.example.test'],
    [20, 'us.example.test'],
    [30, 'mx2.example.test'],
  ] as const
  const { send, exchangers, messages } = await backup(t, mx, {
    hostname: 'another.name.test',
    publicAddresses: ['192.0.2.99'],
  })
  assert.equal((await send()).code, 250)
  assert.deepEqual(messages(), [1, 0, 0])
  await exchangers[0].kill()
  assert.equal((await send()).code, 451)
  assert.equal(exchangers[1].sessions.length, 0)
})

for (const [what, own, words] of [
  ['that we listen at', freeAddress(), (address: string) => ({ listen: [{ address, port: 0 }] })],
  ['of this machine', '127.0.0.1', () => ({})],
] as const)
  test(`we are known by an address ${what}`, async (t) => {
    const mx = [
      [10, 'mx1.example.test'],
      [20, 'us.example.test'],
      [30, 'mx2.example.test'],
    ] as const
    const { send, dns, zone, exchangers, messages } = await backup(t, mx, {
      hostname: 'another.name.test',
      ...words(own),
    })
    dns.set({ ...zone, 'us.example.test': { A: [own] } })
    assert.equal((await send()).code, 250)
    assert.deepEqual(messages(), [1, 0, 0])
    await exchangers[0].kill()
    assert.equal((await send()).code, 451)
    assert.equal(exchangers[1].sessions.length, 0)
  })

test('nobody is better than us: a loop, 451 4.3.5 and an alert', async (t) => {
  const mx = [
    [10, 'us.example.test'],
    [20, 'mx1.example.test'],
  ] as const
  const { send, gateway, exchangers } = await backup(t, mx)
  const sent = await send()
  assert.deepEqual([sent.code, sent.enhanced], [451, '4.3.5'])
  assert.equal(gateway.find('route misconfigured').length, 1)
  assert.equal(exchangers[0].sessions.length, 0)
})

for (const fault of ['servfail', 'refused', 'silence'] as const) {
  test(`DNS answers with ${fault}: 451 while nothing is known`, async (t) => {
    const { send, dns } = await backup(t, threeAndUs)
    dns.fault('*', fault)
    const sent = await send()
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
  })
}

test('DNS fails later: the last good answer serves', async (t) => {
  const { send, dns, messages, zone } = await backup(t, threeAndUs)
  dns.set(Object.fromEntries(Object.entries(zone).map(([name, node]) => [name, { ...node, ttl: 0 }])))
  assert.equal((await send()).code, 250)
  const asked = dns.asked.length
  dns.fault('*', 'servfail')
  assert.equal((await send()).code, 250)
  assert.ok(dns.asked.length > asked, 'it was asked again')
  assert.deepEqual(messages(), [2, 0, 0])
})

for (const [what, zone] of [
  ['the domain is gone from DNS', {}],
  ['none of its exchangers has an address', { 'example.test': { MX: threeAndUs } }],
  ['the domain has neither MX nor address', { 'example.test': { TXT: ['nothing for mail'] } }],
] as const)
  test(`${what}: for a declared domain that is an outage, never a 5yz`, async (t) => {
    const { send, dns, gateway } = await backup(t, threeAndUs)
    dns.set(zone)
    const sent = await send()
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
    assert.equal(gateway.find('route misconfigured').length, 0)
  })

test('exchangers at private addresses are not connected to unless a person said so', async (t) => {
  const { lab, dns, exchangers } = await backup(t, threeAndUs)
  const gateway = await lab.gateway({
    deliver: [{ to: 'mx', mxPort: exchangers[0].port, private: false }],
    hostname: 'us.example.test',
    resolver: { servers: [dns.server] },
  })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.equal(sent.code, 451)
  assert.equal(exchangers[0].sessions.length, 0)
  // Which address it is, and what can be done, stand wherever somebody looks.
  const why = /of mx[12].example.test 127[.0-9]+ is loopback \(and 1 more such\)$/
  const remedy = 'to deliver to addresses that are not public, write { to: mx, private: true }'
  const told = gateway.find('exchangers unknown')[0]?.fields
  assert.match(String(told?.why), why)
  assert.equal(told?.remedy, remedy)
  const [mx] = gateway.backends()
  assert.match(String(mx?.lastError), why)
  assert.equal(mx?.remedy, remedy)
})

test('what DNS said is kept over a reload; other name servers are asked anew', async (t) => {
  const { dns, gateway, messages, send, zone } = await backup(t, threeAndUs)
  assert.equal((await send()).code, 250)
  const asked = dns.asked.length
  assert.ok(asked > 0)
  // A reload brings equal options in a new object.
  await gateway.apply({
    resolver: { servers: [{ ...dns.server }], timeoutMs: 1_000, attempts: 1 },
    bareNewline: 'reject',
  })
  assert.equal((await send()).code, 250)
  assert.deepEqual([dns.asked.length, messages()], [asked, [2, 0, 0]])

  const other = await startDns(t, zone)
  await gateway.apply({ resolver: { servers: [other.server], timeoutMs: 1_000, attempts: 1 } })
  assert.equal((await send()).code, 250)
  assert.deepEqual([dns.asked.length, other.asked.length > 0], [asked, true])
})

test('exchangers that were down when the last process ended are met at the start, and one that answers is up without mail', async (t) => {
  const { lab, dns, exchangers } = await backup(t, threeAndUs)
  const gateway = await lab.gateway(
    {
      deliver: [{ to: 'mx', mxPort: exchangers[0].port }],
      hostname: 'us.example.test',
      resolver: { servers: [dns.server], timeoutMs: 1_000, attempts: 1 },
    },
    { doubted: ['mx'] },
  )
  await lab.until(() =>
    gateway.backends().some(({ address, state }) => address.includes(exchangers[0].address) && state === 'up'),
  )
  assert.deepEqual(
    exchangers.map(({ messages }) => messages.length),
    [0, 0, 0],
  )
})
