import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HostName, parseName } from '../../dns/name.ts'
import { catalogue, providers } from './catalogue.ts'
import { nearestTypo } from './nearest-typo.ts'

const name = (text: string): HostName => {
  const parsed = parseName(text)
  return parsed.kind === 'name' ? parsed.name : assert.fail(parsed.why)
}

const typo = (text: string) => {
  const found = nearestTypo(name(text))
  return found && [found.meant, found.provider.id, found.how]
}

test('one wrong letter, a lost one and two swapped ones', () => {
  assert.deepEqual(typo('aspmx.l.googl.com'), ['aspmx.l.google.com', 'google-workspace', 'misspelt'])
  assert.deepEqual(typo('aspmx.l.goolge.com'), ['aspmx.l.google.com', 'google-workspace', 'misspelt'])
  assert.deepEqual(typo('smtp.gogle.com'), ['smtp.google.com', 'google-workspace', 'misspelt'])
  assert.deepEqual(typo('in1-smtp.messagingenigne.com'), ['in1-smtp.messagingengine.com', 'fastmail', 'misspelt'])
})

test('a wrong letter behind the part that is the account’s own', () => {
  const meant = 'contoso-com.mail.protection.outlook.com'
  assert.deepEqual(typo('contoso-com.mail.protection.outlok.com'), [meant, 'microsoft-365', 'misspelt'])
  assert.deepEqual(typo('contoso-com.mail.protecton.outlook.com'), [meant, 'microsoft-365', 'misspelt'])
})

test('the zone’s name behind a host: the final dot was missing', () => {
  assert.deepEqual(typo('mx1.forwardemail.net.example.com'), [
    'mx1.forwardemail.net',
    'forward-email',
    'missing-final-dot',
  ])
  const meant = 'contoso-com.mail.protection.outlook.com'
  assert.deepEqual(typo(`${meant}.contoso.com`), [meant, 'microsoft-365', 'missing-final-dot'])
})

test('a host of a provider, and one that is like none, are no typing errors', () => {
  const right = ['aspmx.l.google.com', 'contoso-com.mail.protection.outlook.com', 'mx.example.com', 'mail.one.example']
  for (const host of [...right, 'mx1.example.com', '.', 'com', 'google.com', 'mx.zo.com', 'mx1.hover.net'])
    assert.equal(typo(host), undefined, host)
})

test('a letter changed anywhere in any host that is long enough is found, or makes another known host', () => {
  const hosts = [...new Set(catalogue().index.templates.map(({ template }) => template))]
    .filter(({ head, suffix }) => head === undefined && suffix.length >= 12)
    .map(({ suffix }) => suffix)
  fc.assert(
    fc.property(fc.constantFrom(...hosts), fc.nat(), fc.constantFrom('a', 'q', '7'), (host, seed, letter) => {
      const at = seed % host.length
      if (host[at] === '.' || host[at] === letter) return
      const wrong = name(`${host.slice(0, at)}${letter}${host.slice(at + 1)}`)
      const isKnown = catalogue().index.match(wrong).length > 0
      const found = nearestTypo(wrong)
      if (isKnown) assert.equal(found, undefined)
      else if (!catalogue().index.match(host)[0]?.isLeftover) assert.equal(found?.how, 'misspelt', wrong)
    }),
    { numRuns: 1000 },
  )
})

test('what is meant is always a host of the provider that it names', () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/)
  const tail = fc.constantFrom(
    'google.com',
    'outlook.con',
    'mail.ovh.net',
    'mx.micrsoft',
    'pphosted.com',
    'example.com',
  )
  fc.assert(
    fc.property(fc.array(label, { maxLength: 6 }), tail, (labels, end) => {
      const found = nearestTypo(name([...labels, end].join('.')))
      if (found === undefined) return
      assert.ok(providers().includes(found.provider))
      assert.equal(catalogue().index.match(found.meant)[0]?.provider, found.provider)
    }),
    { numRuns: 1000 },
  )
})
