import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startApiStub } from '../../../../test/unit/api-stub.ts'
import { apex, change, mx, mxSet, now, type TargetStand } from '../../../../test/unit/target-contract.ts'
import { systemClock } from '../../../base/clock.ts'
import { systemDoor } from '../../../base/door.ts'
import { createPowerDnsTarget } from './powerdns.ts'

const apiKey = 'a-secret-of-the-test'
const path = '/api/v1/servers/localhost/zones/example.test.'

/** @param got  what a GET of the zone is answered with */
async function start(t: TestContext, got: { readonly status: number; readonly body: unknown }) {
  const stub = await startApiStub(t, '', (request) => {
    if (request.path !== path) throw new Error(`${request.method} ${request.path}`)
    if (request.method === 'PATCH') return { status: 204, body: '' }
    return { status: got.status, body: JSON.stringify(got.body) }
  })
  const target = createPowerDnsTarget(
    {
      ...{ publisher: 'api', zone: apex, url: stub.url, serverId: 'localhost', apiKey, ca: undefined },
      ...{ servers: [], timeoutMs: 10_000 },
    },
    { clock: systemClock, door: systemDoor, addressesOf: async () => [] },
  )
  const stand: TargetStand = { target, dump: async () => [], anotherHand: async () => undefined }
  return { target, stand, requests: stub.requests }
}

const zone = (name: string, contents: readonly string[]) => ({
  kind: 'Native',
  rrsets: [{ name, type: 'MX', ttl: 300, records: contents.map((content) => ({ content, disabled: false })) }],
})

for (const [release, got] of [
  ['of now', { status: 404, body: { error: 'Not Found' } }],
  ['before 4.2', { status: 422, body: { error: "Could not find domain 'example.test.'" } }],
] as const) {
  test(`a zone that a server ${release} does not have is told as that, and not as an error of the request`, async (t) => {
    const { target } = await start(t, got)
    const read = await target.read([mxSet])
    assert.ok(read.kind === 'no-such-zone', JSON.stringify(read))
    assert.match(read.why, /does not have the zone example\.test\./)
    assert.ok(!JSON.stringify(read).includes(apiKey))
  })
}

test('another 422 is a refusal, with what the server says', async (t) => {
  const { target } = await start(t, { status: 422, body: { error: 'RRset example.test. IN MX: Conflicts' } })
  const read = await target.read([mxSet])
  assert.ok(read.kind === 'refused')
  assert.match(read.why, /HTTP 422: RRset example\.test\. IN MX: Conflicts/)
})

test('what is sent is canonical, whatever stands there: lower case, absolute, one blank between preference and host', async (t) => {
  const { stand, requests } = await start(t, { status: 200, body: zone('Example.Test.', ['10  MX1.example.test.']) })
  assert.deepEqual((await now(stand, mxSet))?.data, [mx(10, 'MX1.example.test')])
  const after = { ttlSeconds: 300, data: [mx(10, 'mx1.example.test'), mx(20, 'mx2.example.test')] }
  assert.equal((await change(stand, [[mxSet, after]])).kind, 'applied')
  const sent = requests.find(({ method }) => method === 'PATCH')
  assert.equal(sent?.headers['x-api-key'], apiKey)
  assert.deepEqual(JSON.parse(sent?.body ?? '').rrsets, [
    {
      ...{ name: 'example.test.', type: 'MX', changetype: 'REPLACE', ttl: 300 },
      records: [
        { content: '10 mx1.example.test.', disabled: false },
        { content: '20 mx2.example.test.', disabled: false },
      ],
    },
  ])
})
