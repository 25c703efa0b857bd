import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GatewayWords, settingsOf } from '../../test/lab/settings.ts'
import { systemClock } from '../base/clock.ts'
import { parseIp } from '../base/ip.ts'
import { createBudget, createKeyedBudget, createRateCounter } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { createMessageIds } from '../mail/trace.ts'
import type { Peer } from '../smtp/server/handler.ts'
import { createAccept } from './accept.ts'
import { createBackends } from './backends.ts'
import { createRepeatMemory } from './repeat-memory.ts'

/** Who may connect, from any address of the world; nobody gets as far as mail. */
function stage(limits: GatewayWords['limits']) {
  const place = { state: '/nowhere', certificate: '', key: '', address: '127.0.0.1' }
  const settings = settingsOf({ ...(limits ? { limits } : {}) }, place)
  const nobody = () => assert.fail('nobody asks a backend')
  const delivery = { begin: nobody, probe: nobody, sessions: nobody, isOurs: () => false, close: nobody }
  const accept = createAccept({
    clock: systemClock,
    log: silentLog,
    ids: createMessageIds(systemRandom),
    settings: () => settings,
    carrying: ({ hostname, budgets }) => ({
      clock: systemClock,
      log: silentLog,
      delivery,
      backends: createBackends({ clock: systemClock, log: silentLog, onDown: nobody }),
      endpoints: { expand: nobody },
      balancer: nobody,
      hostname,
      budgets,
    }),
    connections: {
      used: 0,
      perClient: createKeyedBudget(() => settings.limits.connectionsPerAddress),
      perNetwork: createKeyedBudget(() => settings.limits.connectionsPerNetwork),
    },
    refusals: createRateCounter(systemClock, 60_000),
    repeats: createRepeatMemory(systemClock),
    isOurs: () => false,
    bodies: {
      memory: createBudget(() => 0),
      memoryPerNetwork: createKeyedBudget(() => 0),
      spool: createBudget(() => 0),
      spoolPerNetwork: createKeyedBudget(() => 0),
    },
    spoolPath: nobody,
  })
  return (address: string) => accept(peer(address))
}

function peer(text: string): Peer {
  const address = parseIp(text) ?? assert.fail(text)
  return { address, port: 4242, local: { address, port: 25 }, isGone: false, whenGone() {} }
}

// SEMANTICS.md §12, §13
test('IPv6 is counted by /64: addresses of one network are one client, and those of the next are another', () => {
  const connect = stage({ connectionsPerAddress: 2, connectionsPerNetwork: 100 })
  assert.equal(connect('2001:db8:1:2::1').kind, 'handler')
  const second = connect('2001:db8:1:2:ffff:ffff:ffff:ffff')
  assert.equal(second.kind, 'handler')
  const third = connect('2001:db8:1:2::3')
  assert.equal(third.kind, 'refused')
  if (third.kind === 'refused') assert.equal(third.reply.code, 421)
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
