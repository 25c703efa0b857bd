import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { silentLog } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { BackendAddress, Endpoint, Route } from '../../routing/backend.ts'
import { createDoubted } from './doubted.ts'

const turn = () => new Promise(setImmediate)

/** A route of one backend that was down, whose exchangers are one a domain. */
function stage(address: BackendAddress, names: readonly string[]) {
  const backend = { key: 'mx', url: 'mx', address, options: {} }
  const route = { id: 'test', entries: [{ backend, weight: 1, preference: 10 }] } as unknown as Route
  const doubted = new Set(['mx'])
  const met: string[] = []
  const clock = createFakeClock()
  const made = createDoubted({
    ...{ clock, log: silentLog, routes: () => [route] },
    domains: () => names.map((name) => ({ name: name as HostName, subdomains: name.startsWith('sub'), route })),
    backends: {
      doubted,
      health: (endpoint) => {
        met.push(endpoint.name)
        return undefined as never
      },
    },
    endpoints: {
      expand: async (_, domain) => ({
        kind: 'members',
        members: [{ endpoint: { key: `mx.${domain}`, name: `mx.${domain}`, backend } as unknown as Endpoint }] as never,
      }),
    },
  })
  return { made, met, doubted, clock }
}

test('exchangers of domains that go by an mx route that was down are met without mail, a few of them', async () => {
  const many = Array.from({ length: 20 }, (_, number) => `d${number}.example`)
  const { made, met, doubted, clock } = stage({ protocol: 'mx', domain: undefined }, ['sub.example', ...many])
  made.meet()
  await turn()
  assert.deepEqual(
    met,
    many.slice(0, 10).map((name) => `mx.${name}`),
  )
  // Each once: the probe gives up what never answers.
  clock.advance(30_000)
  await turn()
  assert.equal(met.length, 10)
  // One that has answered is enough.
  doubted.clear()
  clock.advance(60_000)
  await turn()
  assert.equal(met.length, 10)
  made.stop()
})

test('where the route names the domain itself, that is all that is asked for', async () => {
  const { made, met } = stage({ protocol: 'mx', domain: 'else.example' as HostName }, ['a.example'])
  made.meet()
  await turn()
  assert.deepEqual(met, ['mx.undefined'])
  made.stop()
})
