import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type DnsLab, startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { systemDoor } from '../../base/door.ts'
import { systemRandom } from '../../base/random.ts'
import { query } from '../../dns/message.ts'
import { createExchange } from './exchange.ts'
import { createViews, extendedErrorsOf } from './views.ts'

const zone = {
  'a.test': { MX: [[10, 'mx.a.test']], ttl: 60 },
  'mx.a.test': { A: ['192.0.2.1'] },
  'alias.test': { CNAME: 'a.test' },
} as const

function viewsOf(
  t: TestContext,
  servers: readonly DnsLab[],
  isValidating = true,
  before: (asked: number) => void = () => {},
) {
  const exchange = createExchange({ clock: steadyClock, random: systemRandom, door: systemDoor })
  t.after(() => exchange.close())
  const options = {
    resolvers: servers.map(({ server }) => server),
    timeoutMs: 300,
    pauseMs: 0,
    believesAd: async () => isValidating,
  }
  const views = createViews(options, exchange, steadyClock)
  let asked = 0
  const see = (name: string, type: 'MX' | 'A', most = 100) =>
    views.see(
      labName(name),
      type,
      () => {
        before(asked)
        return asked++ < most
      },
      steadyClock.monotonicMs() + 5_000,
    )
  return { see, asked: () => asked }
}

test('the same question is asked once, also when it is asked twice at once', async (t) => {
  const dns = await startDns(t, zone)
  const { see } = viewsOf(t, [dns])
  const [first, second] = await Promise.all([see('a.test', 'MX'), see('A.Test', 'MX')])
  assert.equal(first, second)
  assert.equal((await see('a.test', 'MX'))?.kind, 'answer')
  assert.equal(dns.asked.length, 1)
})

test('aliases are followed and told', async (t) => {
  const { see } = viewsOf(t, [await startDns(t, zone)])
  const view = await see('alias.test', 'MX')
  assert.ok(view?.kind === 'answer')
  assert.deepEqual(view.aliases, [labName('a.test')])
  assert.equal(view.trust, 'insecure')
})

test('AD counts where it is believed', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'authentic')
  const trust = async (isValidating: boolean) => {
    const view = await viewsOf(t, [dns], isValidating).see('a.test', 'MX')
    return view?.kind === 'answer' && view.trust
  }
  assert.deepEqual([await trust(true), await trust(false)], ['secure', 'untold'])
})

test('a second server is asked where the first refuses, fails or is silent; the refusal is told where nobody knows more', async (t) => {
  const [first, second] = [await startDns(t, zone), await startDns(t, zone)]
  for (const fault of ['refused', 'servfail', 'silence'] as const) {
    first.fault('*', fault)
    assert.equal((await viewsOf(t, [first, second]).see('a.test', 'MX'))?.kind, 'answer', fault)
  }
  first.fault('*', 'refused')
  second.fault('*', 'silence')
  const view = await viewsOf(t, [first, second]).see('a.test', 'MX')
  assert.ok(view?.kind === 'failed' && view.reason === 'refused')
})

test('SERVFAIL is asked again with CD, and other failures are not', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'servfail')
  const broken = await viewsOf(t, [dns]).see('a.test', 'MX')
  assert.ok(broken?.kind === 'failed')
  assert.deepEqual([broken.reason, broken.unchecked, dns.asked.length], ['servfail', 'failed', 4])
  dns.fault('*', 'silence')
  const silent = await viewsOf(t, [dns]).see('mx.a.test', 'A')
  assert.ok(silent?.kind === 'failed')
  assert.deepEqual([silent.reason, silent.unchecked], ['timeout', 'not-asked'])
})

test('SERVFAIL of a moment, as a rate limit brings it, is no failure', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'servfail')
  const views = viewsOf(t, [dns], true, (asked) => {
    if (asked === 2) dns.fault('*', undefined)
  })
  assert.equal((await views.see('a.test', 'MX'))?.kind, 'answer')
  assert.equal(dns.asked.length, 3)
})

test('who may ask no more gets nothing, and leaves the answer to others', async (t) => {
  const dns = await startDns(t, zone)
  const views = viewsOf(t, [dns])
  assert.equal((await views.see('a.test', 'MX', 0)).kind, 'not-examined')
  assert.equal((await views.see('a.test', 'MX'))?.kind, 'answer')
})

test('wrong ids, other questions, rubbish and strangers are no answers', async (t) => {
  const dns = await startDns(t, zone)
  for (const fault of ['wrong-id', 'wrong-question', 'wrong-source', 'garbage'] as const) {
    dns.fault('*', fault)
    const view = await viewsOf(t, [dns]).see('a.test', 'MX')
    assert.ok(view?.kind === 'failed', fault)
    assert.equal(view.reason, fault === 'garbage' ? 'malformed' : 'timeout', fault)
  }
})

test('of thousands of extended errors the first are kept', () => {
  const options = Array.from({ length: 5_000 }, (_, code) => ({ code: 15, data: Buffer.of(code >> 8, code & 255) }))
  const edns = { udpBytes: 1232, version: 0, dnssecOk: true, options }
  const errors = extendedErrorsOf(query(labName('a.test'), 15, 1, edns))
  assert.deepEqual(
    errors.map(({ code }) => code),
    Array.from({ length: 20 }, (_, code) => code),
  )
})
