import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { IpAddress } from '../base/ip.ts'
import type { Backend, Endpoint } from './backend.ts'
import { type BalanceView, createBalancer, type Member } from './balance.ts'
import { freshHealth, type Health } from './health.ts'

function member(name: string, weight = 1, tier = 10): Member {
  const backend: Backend = {
    key: name,
    url: `smtp://${name}:25`,
    address: { protocol: 'smtp', host: name as IpAddress, port: 25 },
    options: { tls: 'may', helo: undefined, connections: 20, private: false },
  }
  const endpoint: Endpoint = {
    key: name,
    backend,
    name,
    purpose: 'backend',
    target: { kind: 'tcp', address: name as IpAddress, port: 25 },
  }
  return { endpoint, tier, weight }
}

function view(health: Record<string, Partial<Health>> = {}, busy: Record<string, number> = {}): BalanceView {
  return {
    nowMs: 0,
    health: (endpoint) => ({ ...freshHealth, ...health[endpoint.key] }),
    busy: (endpoint) => busy[endpoint.key] ?? 0,
  }
}

const names = (candidates: readonly { endpoint: Endpoint }[]) => candidates.map((candidate) => candidate.endpoint.key)

function firstChoices(members: readonly Member[], messages: number, seen = view()): Record<string, number> {
  const balancer = createBalancer('round-robin')
  const counts: Record<string, number> = {}
  for (let message = 0; message < messages; message++) {
    const first = names(balancer.order(members, seen))[0] ?? 'none'
    counts[first] = (counts[first] ?? 0) + 1
  }
  return counts
}

test('weights 2:1 give 2,000 and 1,000 of 3,000 messages', () => {
  assert.deepEqual(firstChoices([member('a', 2), member('b', 1)], 3000), { a: 2000, b: 1000 })
})

test('turns are spread, not in blocks: 5:1:1 never gives the first five in a row', () => {
  const balancer = createBalancer('round-robin')
  const members = [member('a', 5), member('b'), member('c')]
  const turns = Array.from({ length: 7 }, () => names(balancer.order(members, view()))[0]).join('')
  assert.equal(turns, 'aabacaa')
})

/** Addresses of one host, which share its weight. */
const addressesOf = (name: string, addresses: readonly string[], weight = 1) =>
  addresses.map((address) => {
    const { endpoint, ...place } = member(name, weight / addresses.length)
    return { ...place, endpoint: { ...endpoint, key: address } }
  })

test('a host with an address that is down or suspect keeps its weight: the others share it', () => {
  const members = [...addressesOf('host', ['v6', 'v4', 'other']), member('b')]
  assert.deepEqual(firstChoices(members, 60), { v6: 10, v4: 10, other: 10, b: 30 })
  assert.deepEqual(firstChoices(members, 60, view({ v6: { isDown: true } })), { v4: 15, other: 15, b: 30 })
  assert.deepEqual(firstChoices(members, 60, view({ v6: { isDown: true }, other: { failures: 1 } })), { v4: 30, b: 30 })
  assert.deepEqual(firstChoices(members, 60, view({ b: { isDown: true } })), { v6: 20, v4: 20, other: 20 })
})

test('least-connections: what is left of a host has its whole weight', () => {
  const members = [...addressesOf('host', ['v6', 'v4'], 2), member('b')]
  const seen = view({ v6: { isDown: true } }, { v4: 3, b: 2 })
  assert.equal(names(createBalancer('least-connections').order(members, seen))[0], 'v4')
})

test('whoever asks again for a message that has had its turn takes the turn of nobody else', () => {
  const members = [member('a', 2), member('b')]
  const balancer = createBalancer('round-robin')
  const firsts = Array.from({ length: 6 }, () => {
    const order = names(balancer.order(members, view()))
    assert.deepEqual(names(balancer.order(members, view(), true)).sort(), ['a', 'b'])
    return order[0]
  })
  assert.equal(firsts.join(''), 'abaaba')
  const back = [member('main'), member('dr', 1, 20)]
  const slowly = createBalancer('round-robin')
  const seen = view({ main: { proven: 1 } })
  const turns = Array.from({ length: 4 }, () => {
    const order = names(slowly.order(back, seen))
    slowly.order(back, seen, true)
    return order[0]
  })
  assert.deepEqual(turns, ['dr', 'main', 'dr', 'main'])
})

test('for any weights each backend gets its share within one message at any moment', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 500 }),
      (weights, count) => {
        const members = weights.map((weight, index) => member(`b${index}`, weight))
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const counts = firstChoices(members, count)
        return weights.every(
          (weight, index) => Math.abs((counts[`b${index}`] ?? 0) - (count * weight) / total) < weights.length,
        )
      },
    ),
  )
})

test('a worse tier is only behind a better one; equal ones of a tier follow each other', () => {
  const order = names(createBalancer('round-robin').order([member('dr', 1, 20), member('a'), member('b')], view()))
  assert.deepEqual(order, ['a', 'b', 'dr'])
})

test('suspects come behind all that are up, also behind those of a worse tier; down and out are not there', () => {
  const members = [member('suspect'), member('down'), member('out'), member('dr', 1, 20)]
  const seen = view({ suspect: { failures: 1 }, down: { isDown: true }, out: { isOut: true } })
  assert.deepEqual(names(createBalancer('round-robin').order(members, seen)), ['dr', 'suspect'])
})

test('nobody left is an empty order: the route is out', () => {
  assert.deepEqual(createBalancer('round-robin').order([member('a')], view({ a: { isDown: true } })), [])
  assert.deepEqual(createBalancer('round-robin').order([], view()), [])
})

test('least-connections: the one with the fewest sessions for its weight', () => {
  const balancer = createBalancer('least-connections')
  const members = [member('a', 2), member('b', 1)]
  assert.equal(names(balancer.order(members, view({}, { a: 3, b: 2 })))[0], 'a')
  assert.equal(names(balancer.order(members, view({}, { a: 5, b: 2 })))[0], 'b')
})

test('a better tier that has just come back takes a quarter, then half, then three quarters of the messages', () => {
  const members = [member('main'), member('dr', 1, 20)]
  const share = (proven: number) => firstChoices(members, 100, view({ main: { proven } })).main
  assert.deepEqual([share(0), share(1), share(2), share(3)], [25, 50, 75, 100])
})

test('where all tiers have just come back, the best takes all: a spare has served nobody meanwhile', () => {
  const members = [member('main', 1, 10), member('other', 1, 10), member('spare', 1, 20)]
  const back = { main: { proven: 0 }, other: { proven: 1 }, spare: { proven: 0 } }
  assert.equal(firstChoices(members, 100, view(back)).spare, undefined)
  const served = { ...back, spare: { proven: 3 } }
  assert.equal(firstChoices(members, 100, view(served)).spare, 50)
})

test('one of two equals that has just come back takes a share that grows too', () => {
  const counts = firstChoices([member('a'), member('b')], 100, view({ b: { proven: 0 } }))
  assert.deepEqual(counts, { a: 80, b: 20 })
})
