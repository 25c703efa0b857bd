/** Against a stub of the API v4 as it was documented in 2026-11 (https://developers.cloudflare.com/api/resources/dns/subresources/records/). */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { steadyClock } from '../../../../test/lab/fast-clock.ts'
import { type StubAnswer, type StubRequest, startApiStub } from '../../../../test/unit/api-stub.ts'
import { addressSet, apex, change, mx, mxSet, now, testTarget, txtSet } from '../../../../test/unit/target-contract.ts'
import { systemDoor } from '../../../base/door.ts'
import { rdataCode } from '../../../dns/rdata.ts'
import { rdataText } from '../../../dns/rdata-text.ts'
import { typeName } from '../../../dns/types.ts'
import { nameText } from '../../../dns/wire-name.ts'
import { type SetContent, type SetName, setText } from '../../sets/record-set.ts'
import { textData } from '../../sets/text-kind.ts'
import { createCloudflareTarget } from './cloudflare.ts'

interface Held {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number
  readonly priority?: number
  readonly comment?: string
  readonly meta?: { readonly read_only: boolean }
}

const zoneId = '023e105f4ecef8ad9ca31a8372d0c353'
const token = 'a-token-of-the-test'

function zoneRecords(): Held[] {
  const held = (id: number, name: string, type: string, content: string, more = {}): Held => ({
    ...{ id: `r${id}`, name: name === '@' ? 'example.test' : `${name}.example.test`, type, content, ttl: 300 },
    ...{ comment: `by hand ${id}`, ...more },
  })
  return [
    held(1, '@', 'NS', 'ns.example.test'),
    held(2, '@', 'MX', 'MX1.example.test', { priority: 10 }),
    held(3, '@', 'MX', 'mx2.example.test', { priority: 20 }),
    held(4, '@', 'TXT', '"v=spf1 mx -all"'),
    held(5, '@', 'TXT', 'another-string'),
    held(6, 'ns', 'A', '192.0.2.53'),
    held(7, 'mx1', 'A', '192.0.2.1'),
    held(8, 'mx2', 'A', '192.0.2.2'),
    // Automatic, which is served as 300.
    held(9, 'www', 'A', '192.0.2.80', { ttl: 1 }),
  ]
}

interface Words {
  readonly records?: Held[]
  /** Before the stub looks at a request itself. */
  readonly before?: (request: StubRequest, count: number) => StubAnswer | 'hang up' | undefined
  readonly zones?: number
  /** What it says of the token. */
  readonly permissions?: readonly string[]
}

const json = (status: number, body: object, headers = {}): StubAnswer => ({
  status,
  body: JSON.stringify(body),
  headers,
})
const good = (result: unknown, more = {}) => json(200, { success: true, errors: [], messages: [], result, ...more })
const bad = (status: number, code: number, message: string, headers = {}) =>
  json(status, { success: false, errors: [{ code, message }], messages: [], result: null }, headers)

async function start(t: TestContext, words: Words = {}) {
  let records = words.records ?? zoneRecords()
  let made = 100
  let count = 0
  const stub = await startApiStub(t, '/client/v4', (request) => {
    const early = words.before?.(request, ++count)
    if (early) return early
    const { method, path, query, headers, body } = request
    assert.equal(headers.authorization, `Bearer ${token}`)
    if (method === 'GET' && path === '/client/v4/zones') {
      assert.equal(query.get('name'), 'example.test')
      return good(
        Array.from({ length: words.zones ?? 1 }, () => ({
          ...{ id: zoneId, name: 'example.test', status: 'active' },
          ...(words.permissions ? { permissions: words.permissions } : {}),
        })),
      )
    }
    if (method === 'GET' && path === `/client/v4/zones/${zoneId}/dns_records`) {
      const [size, page] = [Number(query.get('per_page')), Number(query.get('page'))]
      assert.ok(size >= 1 && size <= 5_000_000 && page >= 1)
      const all = records.filter(({ name }) => name === query.get('name.exact'))
      // A total that lies.
      return good(all.slice((page - 1) * size, page * size), { result_info: { page, per_page: size, total_count: 1 } })
    }
    if (method === 'POST' && path === `/client/v4/zones/${zoneId}/dns_records/batch`) {
      assert.equal(headers['content-type'], 'application/json')
      const { deletes, patches, posts } = JSON.parse(body) as Record<string, Held[]>
      assert.ok(deletes && patches && posts)
      assert.ok(deletes.length + patches.length + posts.length <= 200)
      for (const { id } of deletes) assert.ok(records.some((each) => each.id === id))
      records = records.filter((each) => !deletes.some(({ id }) => id === each.id))
      records = records.map((each) => ({ ...each, ...patches.find(({ id }) => id === each.id) }))
      for (const post of posts) {
        assert.ok(post.ttl === 1 || (post.ttl >= 60 && post.ttl <= 86_400))
        assert.doesNotMatch(post.name, /\.$/)
        if (post.type === 'MX') assert.ok(typeof post.priority === 'number' && /^(?:\.|.*[^.])$/.test(post.content))
        if (post.type === 'TXT') assert.match(post.content, /^".*"$/)
        records.push({ ...post, id: `r${++made}` })
      }
      return good({ deletes, patches, posts })
    }
    throw new Error(`${method} ${path}`)
  })
  const target = createCloudflareTarget(
    {
      ...{ publisher: 'dns', zone: apex, url: stub.url, token, zoneId: undefined, ca: undefined },
      ...{ servers: [], timeoutMs: 5_000 },
    },
    { clock: steadyClock, door: systemDoor, addressesOf: async () => [] },
  )
  return {
    target,
    stub,
    all: () => records,
    dump: async () =>
      records.map(
        (each) => `${each.name.replace(/\.?example\.test$/, '') || '@'} ${each.type} ${JSON.stringify(each)}`,
      ),
    async anotherHand({ name, code }: SetName, content: SetContent | undefined) {
      const owner = nameText(name).replace(/\.$/, '')
      records = records.filter((each) => each.name !== owner || each.type !== typeName(code))
      for (const data of content?.data ?? [])
        records.push({
          ...{ id: `r${++made}`, name: owner, type: typeName(rdataCode(data)), ttl: content?.ttlSeconds ?? 1 },
          ...(data.type === 'MX'
            ? { content: nameText(data.exchange).replace(/\.$/, ''), priority: data.preference }
            : { content: rdataText(data) }),
        })
    },
  }
}

testTarget('cloudflare', start)

test('records that stay keep their id and comment; only what changes is sent', async (t) => {
  const stand = await start(t)
  const after = { ttlSeconds: 300, data: [mx(10, 'mx1.example.test'), mx(30, 'mx3.example.test')] }
  assert.equal((await change(stand, [[mxSet, after]])).kind, 'applied')
  const sent = JSON.parse(stand.stub.requests.at(-1)?.body ?? '')
  assert.deepEqual(sent, {
    deletes: [{ id: 'r3' }],
    patches: [],
    posts: [{ type: 'MX', name: 'example.test', ttl: 300, content: 'mx3.example.test', priority: 30 }],
  })
  assert.equal(stand.all().find(({ id }) => id === 'r2')?.comment, 'by hand 2')
})

test('an automatic TTL is the 300 seconds that it is served with, and no change', async (t) => {
  const stand = await start(t)
  assert.equal((await now(stand, addressSet('www')))?.ttlSeconds, 300)
})

test('all pages are read, whatever the total says', async (t) => {
  const many = Array.from(
    { length: 250 },
    (_, at): Held => ({
      ...{ id: `t${at}`, name: 'example.test', type: 'TXT', content: `"text ${at}"`, ttl: 300 },
    }),
  )
  const stand = await start(t, { records: [...many, ...zoneRecords()] })
  assert.equal((await now(stand, txtSet))?.data.length, 252)
  assert.equal((await now(stand, mxSet))?.data.length, 2)
})

test('a busy API is asked again after as long as it says, and nothing is made twice', async (t) => {
  let busy = 2
  const stand = await start(t, {
    before: ({ method }) =>
      method === 'POST' && busy-- > 0 ? bad(429, 10_000, 'rate limited', { 'retry-after': '0' }) : undefined,
  })
  const after = { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }
  assert.equal((await change(stand, [[mxSet, after]])).kind, 'applied')
  assert.equal(stand.all().filter(({ type }) => type === 'MX').length, 1)
  assert.equal(stand.stub.requests.filter(({ method }) => method === 'POST').length, 3)
})

test('a token that may only read is told when the plan is made, before anything is written', async (t) => {
  const notes = async (permissions: readonly string[] | undefined) => {
    const { target } = await start(t, permissions ? { permissions } : {})
    const read = await target.read([mxSet])
    assert.ok(read.kind === 'read')
    return read.notes
  }
  assert.match(
    (await notes(['#zone:read', '#dns_records:read'])).join(),
    /may read .* and not change them: .*"DNS: Edit"/,
  )
  assert.deepEqual(await notes(['#dns_records:edit', '#dns_records:read']), [])
  assert.deepEqual(await notes(undefined), [])
})

test('no answer to a change is unknown, never "nothing was changed"', async (t) => {
  const stand = await start(t, { before: ({ method }) => (method === 'POST' ? 'hang up' : undefined) })
  const applied = await change(stand, [[mxSet, { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }]])
  assert.equal(applied.kind, 'unknown')
})

test('what Cloudflare keeps itself is told at the plan, and refused', async (t) => {
  const records = zoneRecords().map((each) => (each.type === 'MX' ? { ...each, meta: { read_only: true } } : each))
  const stand = await start(t, { records })
  const read = await stand.target.read([mxSet])
  assert.ok(read.kind === 'read')
  assert.match(read.notes.join(), /kept by Cloudflare itself/)
  const applied = await change(stand, [[mxSet, { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }]])
  assert.ok(applied.kind === 'refused')
  assert.equal(stand.stub.requests.filter(({ method }) => method === 'POST').length, 0)
})

test('more than fits into a batch goes in several, no set divided', async (t) => {
  const stand = await start(t)
  const texts = Array.from({ length: 150 }, (_, at) => textData(`text ${at}`))
  const addresses = {
    ttlSeconds: 300,
    data: Array.from({ length: 100 }, (_, at) => ({ type: 'A' as const, address: `192.0.2.${at}` as never })),
  }
  const applied = await change(stand, [
    [txtSet, { ttlSeconds: 300, data: texts }],
    [addressSet('many'), addresses],
  ])
  assert.equal(applied.kind, 'applied')
  assert.equal(stand.stub.requests.filter(({ method }) => method === 'POST').length, 2)
  assert.equal((await now(stand, addressSet('many')))?.data.length, 100)
})

test('the API dies after the first of two batches: there was an exchanger at every instant, it is said what was done, and again makes it whole', async (t) => {
  let posts = 0
  const live: number[] = []
  const stand = await start(t, {
    before: ({ method }) => {
      live.push(stand.all().filter(({ type }) => type === 'MX').length)
      return method === 'POST' && ++posts === 2 ? bad(500, 1000, 'internal error') : undefined
    },
  })
  const mxAfter = { ttlSeconds: 300, data: [mx(5, 'mx5.example.test'), mx(6, 'mx6.example.test')] }
  const texts = { ttlSeconds: 300, data: Array.from({ length: 197 }, (_, at) => textData(`text ${at}`)) }
  const wanted: Parameters<typeof change>[1] = [
    [txtSet, texts],
    [mxSet, mxAfter],
  ]
  const applied = await change(stand, wanted)
  assert.ok(applied.kind === 'partly' || applied.kind === 'unknown', applied.kind)
  const done = applied.kind === 'partly' ? applied.done.map(setText) : []
  assert.deepEqual(done, ['example.test. TXT'])
  assert.ok(live.every((count) => count > 0))
  assert.equal((await now(stand, mxSet))?.data.length, 2, 'the set that was not done is as it was')

  assert.equal((await change(stand, wanted)).kind, 'applied')
  assert.deepEqual(await now(stand, mxSet), { ...mxSet, ...mxAfter })
  assert.equal((await now(stand, txtSet))?.data.length, 197, 'nothing is there twice')
  assert.ok(live.every((count) => count > 0))
})

test('of two zones of one name none is taken before somebody says its id', async (t) => {
  const { target, stub } = await start(t, { zones: 2 })
  const read = await target.read([mxSet])
  assert.ok(read.kind === 'refused')
  assert.match(read.remedy ?? '', /zoneId/)
  assert.ok(stub.requests.every(({ path }) => !path.includes('dns_records')))
})

for (const [what, words, kind, why] of [
  ['a token that it does not take', { before: () => bad(403, 9109, 'Unauthorized') }, 'refused', /9109 Unauthorized/],
  ['a zone that it does not have', { zones: 0 }, 'no-such-zone', /example\.test/],
  ['two zones of one name', { zones: 2 }, 'refused', /2 zones/],
  ['HTML', { before: () => ({ status: 200, body: '<html>' }) }, 'unusable', /documented/],
  ['a connection that ends', { before: () => 'hang up' }, 'unreachable', /does not answer/],
] as const) {
  test(`${what} is told for what it is, and the token is in no text`, async (t) => {
    const { target } = await start(t, words as Words)
    const read = await target.read([mxSet])
    assert.ok(read.kind !== 'read')
    assert.equal(read.kind, kind)
    assert.match(read.why, why)
    assert.doesNotMatch(JSON.stringify(read), new RegExp(token))
  })
}
