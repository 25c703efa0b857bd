import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Begun, Transaction } from '../../delivery/delivery.ts'
import type { Candidate } from '../../routing/balance.ts'
import { beginWithHeadStart } from './head-start.ts'

function candidate(address: string): Candidate {
  const options = { tls: 'may', helo: undefined, connections: 20, private: false } as const
  const backend = {
    key: 'b',
    url: 'b',
    address: { protocol: 'smtp', host: address as IpAddress, port: 25 },
    options,
  } as const
  const target = { kind: 'tcp', address: address as IpAddress, port: 25 } as const
  return { tier: 10, endpoint: { key: address, backend, target, name: 'host', purpose: 'backend' } }
}

/** Attempts that the test decides, and a clock whose timer it fires. */
function stage() {
  const settle = new Map<string, (begun: Begun) => void>()
  const abandoned: string[] = []
  const delays: number[] = []
  let fire: () => void = () => assert.fail('no timer')
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    after: (delayMs, run) => {
      delays.push(delayMs)
      fire = run
      return { cancel() {} }
    },
  }
  const begin = ({ endpoint }: Candidate) => new Promise<Begun>((resolve) => settle.set(endpoint.key, resolve))
  const begun = (key: string): Begun => ({
    kind: 'begun',
    transaction: { abandon: () => abandoned.push(key) } as unknown as Transaction,
  })
  const failed: Begun = { kind: 'failed', fault: { kind: 'refused', step: 'connect', reply: undefined, detail: 'no' } }
  return { settle, abandoned, delays, clock, begin, begun, failed, headStartIsOver: () => fire() }
}

const six = candidate('2001:db8::1')
const four = candidate('192.0.2.1')

test('the first answers in time: the second is never asked for', async () => {
  const { settle, clock, begin, begun } = stage()
  const started = beginWithHeadStart(six, () => assert.fail('not yet'), begin, clock)
  settle.get(six.endpoint.key)?.(begun('six'))
  assert.deepEqual(
    (await started).map((each) => each.candidate),
    [six],
  )
})

test('the first hangs: the second serves, and the first goes back to its pool when it comes', async () => {
  const { settle, abandoned, delays, clock, begin, begun, headStartIsOver } = stage()
  const started = beginWithHeadStart(six, () => four, begin, clock)
  // RFC 8305 §5
  assert.deepEqual(delays, [250])
  headStartIsOver()
  await new Promise(setImmediate)
  settle.get(four.endpoint.key)?.(begun('four'))
  assert.deepEqual(
    (await started).map((each) => each.candidate),
    [four],
  )
  settle.get(six.endpoint.key)?.(begun('six'))
  await new Promise(setImmediate)
  assert.deepEqual(abandoned, ['six'])
})

test('one fails late, the other serves; both fail: both are told', async () => {
  const late = stage()
  const started = beginWithHeadStart(six, () => four, late.begin, late.clock)
  late.headStartIsOver()
  await new Promise(setImmediate)
  late.settle.get(six.endpoint.key)?.(late.failed)
  late.settle.get(four.endpoint.key)?.(late.begun('four'))
  assert.deepEqual(
    (await started).map((each) => each.begun.kind),
    ['begun'],
  )

  const both = stage()
  const none = beginWithHeadStart(six, () => four, both.begin, both.clock)
  both.headStartIsOver()
  await new Promise(setImmediate)
  both.settle.get(four.endpoint.key)?.(both.failed)
  both.settle.get(six.endpoint.key)?.(both.failed)
  assert.deepEqual(
    (await none).map((each) => each.begun.kind),
    ['failed', 'failed'],
  )
})
