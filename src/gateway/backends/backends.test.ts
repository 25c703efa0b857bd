import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { endpoint } from '../../../test/unit/deliver.ts'
import { parseIp } from '../../base/ip.ts'
import { createBackends } from './backends.ts'

const to = endpoint({ port: 25 })
const ip = (text: string) => parseIp(text) ?? assert.fail(text)

function stage() {
  const clock = createFakeClock()
  const collected = collectLog()
  const probed: string[] = []
  const probe = ({ key }: { readonly key: string }) => void probed.push(key)
  const up: (readonly [string, boolean])[] = []
  const onUp = ({ key }: { readonly key: string }, wasAway: boolean) => void up.push([key, wasAway])
  const backends = createBackends({ clock, log: collected.log, onFailed: probe, onSlow: probe, onUp })
  const state = () => backends.list()[0]?.state
  const changes = () => collected.find('backend state').map(({ level, fields: { from, to } }) => [level, from, to])
  return { clock, collected, probed, up, backends, state, changes }
}

test('slow comes by time: the log hears it when it comes and when it goes, and the probe looks', () => {
  const { clock, backends, state, changes, probed } = stage()
  const dots = ['192.0.2.1', '192.0.2.2', '198.51.100.1'].map((client) => backends.dotSent(to, ip(client)))
  clock.advance(60_000)
  assert.deepEqual([state(), changes()], ['up', []])
  clock.advance(1)
  assert.deepEqual([state(), changes(), probed], ['slow', [['warn', 'up', 'slow']], [to.key]])

  clock.advance(100_000)
  for (const dot of dots) backends.dotOver(to, dot, true)
  assert.deepEqual(changes(), [
    ['warn', 'up', 'slow'],
    ['info', 'slow', 'up'],
  ])
})

test('one that was down before the start is suspect and tried as soon as it is met, and one answer ends that', () => {
  const { backends, state, changes, probed } = stage()
  backends.doubt([to.backend.url])
  backends.health(to)
  assert.deepEqual([state(), probed, [...backends.doubted]], ['suspect', [to.key], [to.backend.url]])
  backends.opened(to)
  assert.deepEqual([state(), changes(), [...backends.doubted]], ['up', [['info', 'suspect', 'up']], []])
})

test('one sender alone makes it slow for itself: that is logged as such, and asked of the probe', () => {
  const { clock, collected, backends, state, changes, probed } = stage()
  const dots = [1, 2, 3].map((last) => backends.dotSent(to, ip(`192.0.2.${last}`)))
  clock.advance(60_001)
  assert.deepEqual([state(), changes(), probed], ['up', [], [to.key]])
  const [said] = collected.find('backend slow for one network')
  assert.deepEqual([said?.level, said?.fields.network], ['warn', '192.0.2.0/24'])

  // Somebody else comes, and is left without an answer too: the backend itself is at fault.
  backends.dotSent(to, ip('198.51.100.1'))
  clock.advance(60_001)
  assert.deepEqual([state(), changes()], ['slow', [['warn', 'up', 'slow']]])
  for (const dot of dots) backends.dotOver(to, dot, false)
  assert.equal(state(), 'up')
})

test('what waits for it because its network is slow hears when that is over', () => {
  const { clock, backends, up } = stage()
  const dots = [1, 2, 3].map((last) => backends.dotSent(to, ip(`192.0.2.${last}`)))
  clock.advance(60_001)
  assert.deepEqual(up, [])
  for (const dot of dots) backends.dotOver(to, dot, false)
  assert.deepEqual(up, [[to.key, false]])
})

test('a backend has been away where all of its addresses were down, and not for a failure, slowness or a person', () => {
  const { clock, backends, up } = stage()
  const other = { ...to, key: 'other' }
  const fault = { kind: 'closed', step: 'greeting', reply: undefined, detail: 'closed' } as const
  const isAway = (change: () => void) => {
    up.length = 0
    change()
    return up.map(([, wasAway]) => wasAway)
  }
  const failThrice = (endpoint: typeof to) => {
    for (let times = 0; times < 3; times++) backends.failed(endpoint, fault)
  }
  backends.opened(other)
  backends.failed(to, fault)
  assert.deepEqual(
    isAway(() => backends.opened(to)),
    [false],
  )
  failThrice(to)
  assert.deepEqual(
    isAway(() => backends.opened(to)),
    [false],
    'the other one served',
  )
  backends.setOut(to.backend.url, true)
  assert.deepEqual(
    isAway(() => backends.setOut(to.backend.url, false)),
    [false, false],
  )
  const dots = ['192.0.2.1', '192.0.3.1', '192.0.4.1'].map((client) => backends.dotSent(to, ip(client)))
  clock.advance(60_001)
  assert.deepEqual(
    isAway(() => dots.map((dot) => backends.dotOver(to, dot, true))),
    [false],
  )

  failThrice(to)
  failThrice(other)
  assert.deepEqual(
    isAway(() => backends.opened(to)),
    [true],
  )
  assert.deepEqual(
    isAway(() => backends.opened(other)),
    [false],
    'the first one is there',
  )
})

test('one failure is enough for the probe to look, but at strangers, to whom mail of our own goes', () => {
  const fault = { kind: 'closed', step: 'greeting', reply: undefined, detail: 'closed' } as const
  const { backends, changes, probed } = stage()
  const stranger = { ...to, key: 'stranger', purpose: 'dsn' as const }
  backends.failed(to, fault)
  backends.failed(stranger, fault)
  assert.deepEqual(probed, [to.key])
  backends.opened(to)
  assert.deepEqual(changes(), [
    ['info', 'up', 'suspect'],
    ['info', 'up', 'suspect'],
    ['info', 'suspect', 'up'],
  ])
})

test('dots that are answered in time, and any number of them, are told to nobody', () => {
  const { clock, collected, backends, probed } = stage()
  for (let message = 0; message < 100; message++) {
    const dot = backends.dotSent(to, ip(`192.0.${message % 5}.1`))
    clock.advance(10_000)
    backends.dotOver(to, dot, true)
  }
  assert.deepEqual([collected.lines, probed], [[], []])
})

test('a stopped keeper says nothing more', () => {
  const { clock, collected, backends } = stage()
  for (const client of ['192.0.2.1', '192.0.3.1', '192.0.4.1']) backends.dotSent(to, ip(client))
  backends.stop()
  clock.advance(100_000)
  assert.deepEqual(collected.lines, [])
})
