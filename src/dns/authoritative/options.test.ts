import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dnsListen, dnsServerOptions } from './options.ts'

test('the defaults', () => {
  const said = dnsServerOptions.parse(undefined)
  assert.deepEqual(said, {
    rateLimit: { perSecond: 200, slip: 2, exempt: [] },
    cookies: { policy: 'on', secrets: [] },
    udpBytes: 1232,
    tcp: { connections: 500, connectionsPerClient: 20, questionsPerSecond: 1000, idle: 10_000 },
    keys: {},
    secondaries: [],
    healthyTtl: 60_000,
    health: { interval: 20_000, timeout: 10_000, port: 25 },
  })
  assert.equal(dnsListen.parse(undefined), undefined)
})

test('listeners, with and without a port', () => {
  assert.deepEqual(dnsListen.parse('127.0.0.1:5353'), [{ address: '127.0.0.1', port: 5353 }])
  assert.deepEqual(dnsListen.parse(['0.0.0.0', '[::]:53']), [
    { address: '0.0.0.0', port: 53 },
    { address: '::', port: 53 },
  ])
  assert.equal(dnsListen.safeParse('localhost:53').success, false)
})

test('a secondary names a key that is there', () => {
  const said = (key: string) => ({
    keys: { 'transfer.example': { secret: 'file:tsig.key' } },
    secondaries: [{ address: '192.0.2.53', key }],
  })
  const good = dnsServerOptions.parse(said('transfer.example'))
  assert.deepEqual(good.secondaries, [{ address: { address: '192.0.2.53', port: 53 }, key: 'transfer.example' }])
  assert.equal(good.keys['transfer.example']?.algorithm, 'hmac-sha256')
  const bad = dnsServerOptions.safeParse(said('another'))
  assert.deepEqual(bad.error?.issues[0]?.path, ['secondaries', 0, 'key'])
  assert.equal(dnsServerOptions.safeParse({ keys: { 'two..dots': { secret: 'file:tsig.key' } } }).success, false)
})

test('a literal secret is no secret', () => {
  assert.equal(
    dnsServerOptions.safeParse({ cookies: { secrets: ['e5e973e5a6b2a43f48e7dc849e37bfcf'] } }).success,
    false,
  )
})
