import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'

const hosts = (found: Awaited<ReturnType<ReturnType<typeof labResolver>['exchangers']>>) =>
  found.kind === 'candidates' ? found.candidates.map(({ host, addresses }) => [host, addresses]) : found.kind

test('the domain is an alias: the MX records of its target count', async (t) => {
  const dns = await startDns(t, {
    'www.example.test': { CNAME: 'example.test' },
    'example.test': { MX: [[10, 'mx.example.test']] },
    'mx.example.test': { A: ['192.0.2.1'] },
  })
  const found = await labResolver(t, [dns]).exchangers('www.example.test')
  assert.deepEqual(hosts(found), [['mx.example.test', ['192.0.2.1']]])
  assert.deepEqual(found.notes, ['an alias of example.test.'])
})

test('an MX target is an alias: it is followed and told', async (t) => {
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mail.example.test']] },
    'mail.example.test': { CNAME: 'host.example.net' },
    'host.example.net': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.deepEqual(hosts(found), [['mail.example.test', ['2001:db8::1', '192.0.2.1']]])
  assert.ok(found.kind === 'candidates')
  assert.match(found.candidates[0]?.notes[0] ?? '', /^an alias of host\.example\.net\. /)
})

test('aliases of the domain loop: temporary, and few questions', async (t) => {
  const dns = await startDns(t, { 'example.test': { CNAME: 'a.test' }, 'a.test': { CNAME: 'example.test' } })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.ok(found.kind === 'temporary-failure')
  assert.match(found.why, /loop/)
  assert.equal(dns.asked.length, 1)
})

test('aliases of an MX target loop: temporary where there is no other', async (t) => {
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx.example.test']] },
    'mx.example.test': { CNAME: 'mx.example.test' },
  })
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'temporary-failure')
})

test('an alias of a name that does not exist: no such domain', async (t) => {
  const dns = await startDns(t, { 'example.test': { CNAME: 'gone.test' } })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.ok(found.kind === 'no-such-domain')
  assert.match(found.why, /gone\.test/)
})

test('16 aliases are followed at the domain, 17 are not; 10 at an MX target, 11 are not', async (t) => {
  const chain = (from: string, length: number, end: string) =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        index === 0 ? from : `${index}.${from}`,
        { CNAME: index === length - 1 ? end : `${index + 1}.${from}` },
      ]),
    )
  const dns = await startDns(t, {
    ...chain('sixteen.test', 16, 'end.test'),
    ...chain('seventeen.test', 17, 'end.test'),
    'end.test': { MX: [[10, 'ten.test']] },
    'eleven-domain.test': { MX: [[10, 'eleven.test']] },
    ...chain('ten.test', 10, 'host.test'),
    ...chain('eleven.test', 11, 'host.test'),
    'host.test': { A: ['192.0.2.1'] },
  })
  const resolver = labResolver(t, [dns])
  assert.deepEqual(hosts(await resolver.exchangers('sixteen.test')), [['ten.test', ['192.0.2.1']]])
  assert.equal(hosts(await resolver.exchangers('seventeen.test')), 'temporary-failure')
  assert.equal(hosts(await resolver.exchangers('eleven-domain.test')), 'temporary-failure')
})
