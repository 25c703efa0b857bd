import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { type GatewayWords, settingsOf } from '../../../test/lab/settings.ts'
import { job, mailbox } from '../../../test/unit/deliver.ts'
import { parseIp } from '../../base/ip.ts'
import { createBudget, createKeyedBudget, createRateCounter } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { createMessageIds } from '../../mail/trace.ts'
import { shortSteps } from '../../smtp/client/step-limits.ts'
import type { Peer } from '../../smtp/server/handler.ts'
import { createBackends } from '../backends/backends.ts'
import { LiveFirst } from '../carry/live-first.ts'
import { WaitingPlaces } from '../carry/waiting-places.ts'
import { createToldSparingly } from '../told-sparingly.ts'
import { createConnectionPlaces } from './connection-places.ts'
import { createGuesses } from './guesses.ts'
import { createRepeatMemory } from './repeat-memory.ts'
import { createSenderHandlers } from './sender-handler.ts'
import { createToldRefusals } from './told-refusals.ts'

/** Who may connect, from any address of the world; nobody gets as far as mail. */
function stage(limits: GatewayWords['limits'], clock = createFakeClock(), log = silentLog) {
  const place = { state: '/nowhere', certificate: '', key: '', address: '127.0.0.1' }
  const settings = settingsOf({ deliver: 'smtp://127.0.0.1:25', ...(limits ? { limits } : {}) }, place)
  const nobody = () => assert.fail('nobody asks a backend')
  const delivery = {
    begin: nobody,
    probe: nobody,
    sessions: nobody,
    isOurs: () => false,
    holdForSenders: undefined,
    etrn: undefined,
    close: nobody,
  }
  const onConnect = createSenderHandlers({
    clock: steadyClock,
    log,
    ids: createMessageIds(systemRandom),
    settings: () => settings,
    cutThroughDeps: ({ hostname, budgets }) => ({
      clock: steadyClock,
      log: silentLog,
      sparingly: createToldSparingly({ clock: steadyClock, log: silentLog }),
      delivery,
      backends: createBackends({ clock: steadyClock, log: silentLog, onFailed: nobody, onSlow: nobody, onUp: nobody }),
      endpoints: { expand: nobody, of: nobody, whyNameless: nobody, whyUnknown: nobody, whyMisconfigured: nobody },
      balancer: nobody,
      hostname,
      budgets,
      steps: shortSteps,
      waitingPlaces: new WaitingPlaces(steadyClock, budgets.sessionIdleInTransactionMs),
      live: new LiveFirst(steadyClock),
    }),
    places: createConnectionPlaces({ clock, log, limits: () => settings.limits }),
    refusedByClient: createRateCounter(steadyClock, 60_000),
    guesses: createGuesses(steadyClock, () => 30),
    strangers: createRateCounter(steadyClock, 60_000),
    toldRefusals: createToldRefusals({ clock, log, most: () => 30 }),
    repeats: createRepeatMemory(steadyClock),
    isOurs: () => false,
    holdForSenders: undefined,
    ownProbes: { take: () => false },
    etrn: undefined,
    bodies: {
      memory: createBudget(() => 0),
      memoryPerNetwork: createKeyedBudget(() => 0),
      spool: createBudget(() => 0),
      spoolPerNetwork: createKeyedBudget(() => 0),
    },
    spoolPath: nobody,
  })
  return (address: string) => onConnect(peer(address))
}

function peer(text: string): Peer {
  const address = parseIp(text) ?? assert.fail(text)
  return { address, port: 4242, local: { address, port: 25 }, isGone: false, whenGone() {} }
}

test('IPv6 is counted by /64: addresses of one network are one client, and those of the next are another', () => {
  const connect = stage({ connectionsPerAddress: 2, connectionsPerNetwork: 100 })
  assert.equal(connect('2001:db8:1:2::1').kind, 'handler')
  const second = connect('2001:db8:1:2:ffff:ffff:ffff:ffff')
  assert.equal(second.kind, 'handler')
  const third = connect('2001:db8:1:2::3')
  assert.equal(third.kind, 'refused')
  if (third.kind === 'refused')
    assert.deepEqual(
      [third.reply.code, third.reply.text],
      [421, ['Too many connections from your address, please try again later']],
    )
  assert.equal(connect('2001:db8:1:3::1').kind, 'handler')

  if (second.kind === 'handler') second.handler.closed()
  assert.equal(connect('2001:db8:1:2::3').kind, 'handler')
})

test('IPv4 is counted by address, a v4-mapped one with it', () => {
  const connect = stage({ connectionsPerAddress: 2, connectionsPerNetwork: 100 })
  assert.deepEqual(
    ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1', '192.0.2.2'].map((address) => connect(address).kind),
    ['handler', 'handler', 'refused', 'handler'],
  )
})

test('a network is a /48 or a /24', () => {
  const connect = stage({ connectionsPerAddress: 100, connectionsPerNetwork: 2 })
  assert.deepEqual(
    ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:ffff::1', '2001:db8:2::1'].map((from) => connect(from).kind),
    ['handler', 'handler', 'refused', 'handler'],
  )
  assert.deepEqual(
    ['192.0.2.1', '192.0.2.2', '192.0.2.255', '192.0.3.1'].map((from) => connect(from).kind),
    ['handler', 'handler', 'refused', 'handler'],
  )
})

const plenty = { connectionsPerAddress: 1_000_000, connectionsPerNetwork: 1_000_000, connections: 1_000_000 }
const admitted = (connect: (address: string) => { kind: string }, from: string, times: number) =>
  Array.from({ length: times }, () => connect(from).kind).filter((kind) => kind === 'handler').length

test('new connections a second: ten seconds of them at once, then the rate; others are served meanwhile', () => {
  const clock = createFakeClock()
  const connect = stage({ ...plenty, connectionRate: 3 }, clock)
  assert.equal(admitted(connect, '192.0.2.1', 100), 30)
  const refused = connect('192.0.2.1')
  assert.deepEqual(refused.kind === 'refused' && [refused.reply.code, refused.reply.enhanced], [421, undefined])
  assert.equal(admitted(connect, '192.0.2.2', 1), 1)
  clock.advance(2_000)
  assert.equal(admitted(connect, '192.0.2.1', 100), 6)
})

test('a network may make as many new connections as four of its clients', () => {
  const connect = stage({ ...plenty, connectionRate: 1 })
  const counts = [1, 2, 3, 4, 5].map((last) => admitted(connect, `192.0.2.${last}`, 20))
  assert.deepEqual(counts, [10, 10, 10, 10, 0])
  assert.equal(admitted(connect, '192.0.3.1', 1), 1)
  assert.equal(admitted(connect, '2001:db8::1', 20) + admitted(connect, '2001:db8::2', 20), 10)
})

test('connections of this machine are not counted', () => {
  const connect = stage({ ...plenty, connectionRate: 1 })
  for (const address of ['127.0.0.1', '127.9.8.7', '::1']) assert.equal(admitted(connect, address, 5_000), 5_000)
})

test('a flood is logged by its first lines, and one network does not hide another', () => {
  const clock = createFakeClock()
  const { log, find } = collectLog()
  const connect = stage({ ...plenty, connectionRate: 1 }, clock, log)
  admitted(connect, '192.0.2.1', 1_000)
  assert.equal(find('connection refused').length, 5)
  admitted(connect, '198.51.100.1', 1_000)
  assert.equal(find('connection refused', { client: '198.51.100.1' }).length, 5)
  for (let network = 0; network < 100; network++) admitted(connect, `10.0.${network}.1`, 20)
  assert.equal(find('connection refused').length, 60)
})

test('30 refused recipients a minute from one /64, whatever addresses and connections: then no backend is asked for it', async () => {
  const connect = stage({})
  const ask = async (from: string, recipient: string) => {
    const connected = connect(from)
    if (connected.kind !== 'handler') return assert.fail(`${from} is turned away`)
    const { handler } = connected
    const { envelope, client } = job()
    await handler.mail(envelope, client)
    const [said] = await handler.rcpt([mailbox(recipient)]).finally(() => handler.closed())
    return `${said?.code} ${said?.enhanced}`
  }
  for (let host = 1; host <= 30; host++)
    assert.equal(await ask(`2001:db8:1:2:${host}::1`, 'you@elsewhere.test'), '550 5.7.1')
  assert.equal(await ask('2001:db8:1:2:ffff::1', 'you@example.test'), '450 4.7.1')
  // The next network's is as good as any.
  await assert.rejects(ask('2001:db8:1:3::1', 'you@example.test'), /nobody asks a backend/)
})
