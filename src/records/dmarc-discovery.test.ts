import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../dns/name.ts'
import { parseDmarc } from './dmarc.ts'
import { type DmarcLookup, discoverDmarcByTree, effectivePolicy } from './dmarc-discovery.ts'

const host = (text: string) => text as HostName
const lookupIn = (world: Readonly<Record<string, readonly string[] | 'fails'>>): DmarcLookup => {
  return async (name) => {
    const texts = world[name.replace(/^_dmarc\./, '')]
    if (texts === 'fails') return { kind: 'failed', why: 'SERVFAIL' }
    return texts ? { kind: 'found', texts } : { kind: 'none' }
  }
}
const reject = ['v=DMARC1; p=reject; sp=quarantine; np=none']

test('the own record is taken at once', async () => {
  const lookup = lookupIn({ 'a.example.com': ['unrelated', ...reject] })
  const found = await discoverDmarcByTree(host('a.example.com'), lookup)
  assert.ok(found.kind === 'found' && found.at === 'a.example.com')
  assert.deepEqual(found.asked, [{ domain: 'a.example.com', found: 'record' }])
})

test('the walk up the tree asks eight times at most', async () => {
  const deep = host('a.b.c.d.e.f.g.h.i.j.example.com')
  const found = await discoverDmarcByTree(deep, lookupIn({ 'example.com': reject }))
  assert.ok(found.kind === 'found' && found.at === 'example.com')
  assert.deepEqual(
    found.asked.map(({ domain }) => domain),
    [
      deep,
      'f.g.h.i.j.example.com',
      'g.h.i.j.example.com',
      'h.i.j.example.com',
      'i.j.example.com',
      'j.example.com',
      'example.com',
      'com',
    ],
  )
  assert.equal(found.asked.length, 8)
  const eight = await discoverDmarcByTree(host('a.b.c.d.e.f.g.h'), lookupIn({}))
  assert.deepEqual(
    eight.asked.map(({ domain }) => domain.length),
    [15, 13, 11, 9, 7, 5, 3, 1],
  )
})

test('of several on the way the topmost counts, but for psd', async () => {
  const at = async (world: Parameters<typeof lookupIn>[0], domain = 'x.a.example.co.uk') => {
    const found = await discoverDmarcByTree(host(domain), lookupIn(world))
    return found.kind === 'found' ? found.at : found.kind
  }
  assert.equal(await at({ 'a.example.co.uk': reject, 'example.co.uk': reject }), 'example.co.uk')
  assert.equal(await at({ 'a.example.co.uk': ['v=DMARC1; p=none; psd=n'], 'example.co.uk': reject }), 'a.example.co.uk')
  // One label below the suffix has a record, or the suffix speaks for it.
  assert.equal(await at({ 'example.co.uk': reject, 'co.uk': ['v=DMARC1; p=none; psd=y'], uk: reject }), 'example.co.uk')
  assert.equal(await at({ 'a.example.co.uk': reject, 'co.uk': ['v=DMARC1; p=none; psd=y'] }), 'co.uk')
  assert.equal(await at({ 'example.co.uk': [...reject, ...reject], uk: reject }), 'uk')
  assert.equal(await at({ 'example.co.uk': ['v=DMARC1; p=nonsense'] }), 'none')
  assert.equal(await at({ 'example.co.uk': 'fails' }), 'failed')
  assert.equal(await at({}), 'none')
})

test('the policy that holds', () => {
  const parsed = parseDmarc(reject[0] ?? '')
  assert.ok(parsed.kind === 'dmarc')
  const at = host('example.com')
  assert.equal(effectivePolicy(at, at, parsed.record, true), 'reject')
  assert.equal(effectivePolicy(host('a.example.com'), at, parsed.record, true), 'quarantine')
  assert.equal(effectivePolicy(host('a.example.com'), at, parsed.record, false), 'none')
})
