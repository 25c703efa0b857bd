/** Against a stub of the API of 2013-04-01 as it was documented in 2026-11 (https://docs.aws.amazon.com/Route53/latest/APIReference/). */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { steadyClock } from '../../../../test/lab/fast-clock.ts'
import { labName } from '../../../../test/lab/names.ts'
import { type StubAnswer, type StubRequest, startApiStub } from '../../../../test/unit/api-stub.ts'
import { apex, change, mx, mxSet, now, testTarget, txtSet } from '../../../../test/unit/target-contract.ts'
import type { Clock } from '../../../base/clock.ts'
import { systemDoor } from '../../../base/door.ts'
import { rdataText } from '../../../dns/rdata-text.ts'
import { typeName } from '../../../dns/types.ts'
import { nameText } from '../../../dns/wire-name.ts'
import type { SetContent, SetName } from '../../sets/record-set.ts'
import { textData } from '../../sets/text-kind.ts'
import { elements, elementText, escaped } from './aws-xml.ts'
import { createRoute53Target } from './route53.ts'
import { signAws } from './sign-aws.ts'

const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-the-test', sessionToken: undefined }

interface Held {
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly values: readonly string[]
  /** In place of TTL and values. */
  readonly special?: string
}

function zoneSets(): Held[] {
  const held = (name: string, type: string, ...values: string[]): Held => ({ name, type, ttl: 300, values })
  return [
    held('example.test.', 'NS', 'ns.example.test.'),
    held('example.test.', 'SOA', 'ns.example.test. hostmaster.example.test. 1 3600 600 86400 60'),
    // As the console stores them: without the final dot.
    held('example.test.', 'MX', '10 mx1.example.test', '20 mx2.example.test.'),
    held('example.test.', 'TXT', '"v=spf1 mx -all"', '"another-string"'),
    held('mx1.example.test.', 'A', '192.0.2.1'),
    held('mx2.example.test.', 'A', '192.0.2.2'),
    held('ns.example.test.', 'A', '192.0.2.53'),
    held('www.example.test.', 'A', '192.0.2.80'),
    held('\\052.wild.example.test.', 'TXT', '"caf\\303\\251"'),
    { ...held('alias.example.test.', 'A'), special: '<AliasTarget><DNSName>d.example.net.</DNSName></AliasTarget>' },
  ]
}

interface Words {
  readonly before?: (request: StubRequest) => StubAnswer | 'hang up' | undefined
  readonly zones?: readonly string[]
  /** How often a change is still on its way. */
  readonly pending?: number
  readonly clock?: Clock
}

const xml = (status: number, body: string): StubAnswer => ({
  status,
  body: `<?xml version="1.0"?>\n${body}`,
  headers: { 'content-type': 'text/xml' },
})
const problem = (status: number, code: string, message: string) =>
  xml(
    status,
    `<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
  )

async function start(t: TestContext, words: Words = {}) {
  let sets = zoneSets()
  let pending = words.pending ?? 0
  const clock = words.clock ?? steadyClock
  const stub = await startApiStub(t, '', (request) => {
    const early = words.before?.(request)
    if (early) return early
    assertSigned(request)
    const { method, path, query, headers, body } = request
    if (method === 'GET' && path === '/2013-04-01/hostedzonesbyname') {
      assert.equal(query.get('dnsname'), 'example.test.')
      const zones = (words.zones ?? ['Z1EXAMPLE'])
        .map(
          (id) =>
            `<HostedZone><Id>/hostedzone/${id}</Id><Name>example.test.</Name><Config><PrivateZone>${id.startsWith('P')}</PrivateZone></Config></HostedZone>`,
        )
        .join('')
      return xml(
        200,
        `<ListHostedZonesByNameResponse><HostedZones>${zones}<HostedZone><Id>/hostedzone/Z9</Id><Name>example.tests.</Name></HostedZone></HostedZones></ListHostedZonesByNameResponse>`,
      )
    }
    if (method === 'GET' && path === '/2013-04-01/hostedzone/Z1EXAMPLE/rrset') {
      // It begins with the first at or behind the name and type.
      const at = sets.findIndex(
        ({ name, type }) => name === query.get('name')?.replace(/^\*/, '\\052') && type === query.get('type'),
      )
      const listed = at < 0 ? sets.slice(-1) : sets.slice(at, at + Number(query.get('maxitems')))
      return xml(
        200,
        `<ListResourceRecordSetsResponse><ResourceRecordSets>${listed.map(setXml).join('')}</ResourceRecordSets><IsTruncated>true</IsTruncated></ListResourceRecordSetsResponse>`,
      )
    }
    if (method === 'POST' && path === '/2013-04-01/hostedzone/Z1EXAMPLE/rrset/') {
      assert.equal(headers['content-type'], 'application/xml')
      assert.match(
        body,
        /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<ChangeResourceRecordSetsRequest xmlns="https:\/\/route53\.amazonaws\.com\/doc\/2013-04-01\/">/,
      )
      const after = changed(sets, body)
      if (typeof after === 'string')
        return xml(
          400,
          `<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>${after}</Message></Messages></InvalidChangeBatch>`,
        )
      sets = after
      return xml(
        200,
        '<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>',
      )
    }
    if (method === 'GET' && path === '/2013-04-01/change/C2682N5HXP0BZ4')
      return xml(
        200,
        `<GetChangeResponse><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>${pending-- > 0 ? 'PENDING' : 'INSYNC'}</Status></ChangeInfo></GetChangeResponse>`,
      )
    throw new Error(`${method} ${path}`)
  })
  const target = createRoute53Target(
    {
      ...{ publisher: 'dns', zone: apex, url: stub.url, region: 'us-east-1', key, zoneId: undefined, ca: undefined },
      ...{ servers: [], timeoutMs: 5_000, syncMs: 60_000 },
    },
    { clock, door: systemDoor, addressesOf: async () => [] },
  )
  return {
    target,
    stub,
    all: () => sets,
    dump: async () =>
      sets.map((each) => `${each.name.replace(/\.?example\.test\.$/, '') || '@'} ${each.type} ${JSON.stringify(each)}`),
    async anotherHand({ name, code }: SetName, content: SetContent | undefined) {
      sets = sets.filter((each) => each.name !== nameText(name) || each.type !== typeName(code))
      if (content)
        sets.push({
          ...{ name: nameText(name), type: typeName(code), ttl: content.ttlSeconds },
          values: content.data.map((data) => rdataText(data)),
        })
    },
  }
}

/** Its own signature over what arrived: nothing was changed or left out on the way. */
function assertSigned({ method, path, query, headers, body }: StubRequest): void {
  const date = headers['x-amz-date']
  assert.ok(typeof date === 'string' && /^\d{8}T\d{6}Z$/.test(date))
  const nowMs = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z'))
  const said = { method, path, query: [...query], body, host: headers.host ?? '', nowMs }
  const expected = signAws({ ...said, region: 'us-east-1', service: 'route53' }, key)
  assert.equal(headers.authorization, expected.authorization)
  assert.match(
    headers.authorization ?? '',
    /Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/route53\/aws4_request, SignedHeaders=host;x-amz-date,/,
  )
}

const setXml = ({ name, type, ttl, values, special }: Held) =>
  `<ResourceRecordSet><Name>${escaped(name)}</Name><Type>${type}</Type>${special ?? `<TTL>${ttl}</TTL><ResourceRecords>${values.map((value) => `<ResourceRecord><Value>${escaped(value)}</Value></ResourceRecord>`).join('')}</ResourceRecords>`}</ResourceRecordSet>`

/** What the whole batch makes of the sets, or why none of it is done. */
function changed(before: readonly Held[], body: string): Held[] | string {
  let sets = [...before]
  for (const each of elements(body, 'Change')) {
    const [name, type] = [elementText(each, 'Name') ?? '', elementText(each, 'Type') ?? '']
    const ttl = Number(elementText(each, 'TTL'))
    const values = elements(each, 'ResourceRecord').map((record) => elementText(record, 'Value') ?? '')
    const there = sets.find((set) => set.name === name && set.type === type)
    if (elementText(each, 'Action') === 'DELETE') {
      const isSame =
        there?.ttl === ttl && JSON.stringify([...there.values].sort()) === JSON.stringify([...values].sort())
      if (!there || !isSame)
        return `Tried to delete resource record set [name='${name}', type='${type}'] but the values provided do not match the current values`
      sets = sets.filter((set) => set !== there)
    } else {
      assert.equal(elementText(each, 'Action'), 'CREATE')
      if (there) return `Tried to create resource record set [name='${name}', type='${type}'] but it already exists`
      sets.push({ name, type, ttl, values })
    }
  }
  return sets
}

testTarget('route53', start)

test('what was read is deleted letter for letter, and what stays goes back as it was', async (t) => {
  const stand = await start(t)
  const after = { ttlSeconds: 300, data: [mx(10, 'mx1.example.test'), mx(30, 'mx3.example.test')] }
  assert.equal((await change(stand, [[mxSet, after]])).kind, 'applied')
  assert.deepEqual(stand.all().find(({ type }) => type === 'MX')?.values, [
    '10 mx1.example.test',
    '30 mx3.example.test.',
  ])
})

test('names without a final dot are absolute, so that the plan of what is there is empty', async (t) => {
  const stand = await start(t)
  assert.deepEqual((await now(stand, mxSet))?.data, [mx(10, 'mx1.example.test'), mx(20, 'mx2.example.test')])
})

test('octal escapes are read in names and texts', async (t) => {
  const stand = await start(t)
  const wild = { name: labName('*.wild.example.test'), code: txtSet.code }
  const [data] = (await now(stand, wild))?.data ?? []
  assert.ok(data?.type === 'TXT')
  assert.equal(data.strings[0]?.toString('utf8'), 'café')
})

test('another hand between our look and our batch is a conflict', async (t) => {
  const other: { hand?: () => Promise<void> } = {}
  const stand = await start(t, {
    before: ({ method }) => {
      if (method === 'POST') void other.hand?.()
      return undefined
    },
  })
  other.hand = () => stand.anotherHand(mxSet, { ttlSeconds: 300, data: [mx(1, 'theirs.example.test')] })
  const applied = await change(stand, [[mxSet, { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }]])
  assert.equal(applied.kind, 'conflict')
  assert.deepEqual(stand.all().find(({ type }) => type === 'MX')?.values, ['1 theirs.example.test.'])
})

/** Waits are over at once. */
const hasty: Clock = { ...steadyClock, after: (delayMs, run) => steadyClock.after(delayMs >= 5_000 ? delayMs : 0, run) }

test('a change is waited for until it is in sync', async (t) => {
  const stand = await start(t, { pending: 2, clock: hasty })
  const applied = await change(stand, [[mxSet, { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }]])
  assert.deepEqual(applied, { kind: 'applied' })
  assert.equal(stand.stub.requests.filter(({ path }) => path.includes('/change/')).length, 3)
})

test('throttling is waited for, and nothing is made twice', async (t) => {
  let busy = 2
  const stand = await start(t, {
    clock: hasty,
    before: ({ method }) => (method === 'POST' && busy-- > 0 ? problem(400, 'Throttling', 'Rate exceeded') : undefined),
  })
  const applied = await change(stand, [[txtSet, { ttlSeconds: 300, data: [textData('a "b" <c> & d')] }]])
  assert.equal(applied.kind, 'applied')
  assert.equal(stand.stub.requests.filter(({ method }) => method === 'POST').length, 3)
  assert.deepEqual(stand.all().find(({ type }) => type === 'TXT')?.values, ['"caf\\303\\251"'])
  assert.deepEqual((await now(stand, txtSet))?.data, [textData('a "b" <c> & d')])
})

test('no answer to a batch is unknown', async (t) => {
  const stand = await start(t, { before: ({ method }) => (method === 'POST' ? 'hang up' : undefined) })
  const applied = await change(stand, [[mxSet, { ttlSeconds: 300, data: [mx(5, 'mx5.example.test')] }]])
  assert.equal(applied.kind, 'unknown')
})

test('an alias is left alone, with a clear word', async (t) => {
  const { target } = await start(t)
  const read = await target.read([{ name: labName('alias.example.test'), code: 1 }])
  assert.ok(read.kind === 'unusable')
  assert.match(read.why, /AliasTarget/)
})

for (const [what, words, kind, why] of [
  [
    'a key that it does not know',
    { before: () => problem(403, 'InvalidClientTokenId', 'The security token is invalid') },
    'refused',
    /does not take the key/,
  ],
  [
    'a right that the key has not',
    { before: () => problem(403, 'AccessDenied', 'not authorized') },
    'refused',
    /does not allow it/,
  ],
  ['a zone that is only private', { zones: ['P1'] }, 'no-such-zone', /public/],
  ['two public zones of one name', { zones: ['Z1EXAMPLE', 'Z2EXAMPLE'] }, 'refused', /Z1EXAMPLE, Z2EXAMPLE/],
] as const) {
  test(`${what} is told for what it is, and the secret is in no text`, async (t) => {
    const { target } = await start(t, words as Words)
    const read = await target.read([mxSet])
    assert.ok(read.kind !== 'read')
    assert.equal(read.kind, kind)
    assert.match(read.why, why)
    assert.doesNotMatch(JSON.stringify(read), /a-secret-of-the-test/)
  })
}

test('a private zone of the same name is passed over', async (t) => {
  const stand = await start(t, { zones: ['P7', 'Z1EXAMPLE'] })
  assert.equal((await now(stand, mxSet))?.data.length, 2)
})

test('any text comes back from XML as it went in, and any octets are read without a throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(elementText(`<a><Value>${escaped(text)}</Value></a>`, 'Value'), text)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.constantFrom('<a>', '</a>', '<b>', '&#', '60;', '&lt;', 'x', '&#x110000;')), (parts) => {
      for (const each of elements(parts.join(''), 'a')) assert.ok(!each.includes('</a>'))
      elementText(parts.join(''), 'a')
    }),
  )
})
