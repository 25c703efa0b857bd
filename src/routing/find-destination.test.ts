import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostName, parseName } from '../dns/name.ts'
import { barePostmaster, parseMailbox } from '../mail/address.ts'
import type { Route } from './backend.ts'
import type { MailDomain } from './destinations.ts'
import { addressKey, createDestinations, splitAddressKey } from './find-destination.ts'
import { neverHold } from './hold-policy.ts'

const route = (id: string): Route => ({ id, entries: [], balance: 'round-robin', onDefer: 'pass' })

function host(text: string): HostName {
  const parsed = parseName(text)
  assert.equal(parsed.kind, 'name')
  return parsed.kind === 'name' ? parsed.name : assert.fail()
}

function domain(name: string, more: Partial<Omit<MailDomain, 'name'>> = {}): MailDomain {
  return {
    name: host(name.replace(/^\*\./, '')),
    subdomains: name.startsWith('*.'),
    route: route(name),
    recipients: 'ask',
    addresses: new Map(),
    hold: neverHold,
    ...more,
  }
}

function finder(domains: readonly MailDomain[], left: readonly string[] = []) {
  const destinations = createDestinations(domains, {
    hostname: host('mx1.example.com'),
    leftRecently: (name) => left.includes(name),
  })
  return (address: string) => {
    const parsed = parseMailbox(address)
    if (parsed.kind === 'invalid') return `no address: it ${parsed.why}`
    const found = destinations.find(parsed.mailbox)
    if (found.kind === 'route') return `→ ${found.route.id}`
    return found.kind === 'not-ours' && found.leftRecently ? 'left recently' : found.kind
  }
}

test('a domain matches exactly, in any spelling of the same name', () => {
  const find = finder([domain('example.com'), domain('münchen.example')])
  assert.equal(find('you@example.com'), '→ example.com')
  assert.equal(find('you@EXAMPLE.com.'), '→ example.com')
  assert.equal(find('you@xn--mnchen-3ya.example'), '→ münchen.example')
  for (const other of ['you@a.example.com', 'you@com', 'you@xexample.com', 'you@example.com.evil.example'])
    assert.equal(find(other), 'not-ours', other)
})

test('"*." covers subdomains at any depth and not the name itself; the nearest declaration wins', () => {
  const find = finder([domain('*.example.com'), domain('b.example.com'), domain('*.b.example.com')])
  assert.equal(find('you@example.com'), 'not-ours')
  assert.equal(find('you@a.example.com'), '→ *.example.com')
  assert.equal(find('you@x.y.example.com'), '→ *.example.com')
  assert.equal(find('you@b.example.com'), '→ b.example.com')
  assert.equal(find('you@c.b.example.com'), '→ *.b.example.com')
})

test('address literals are nobody, and a domain that left is told apart', () => {
  const find = finder([domain('example.com')], ['gone.example'])
  assert.equal(find('you@[192.0.2.1]'), 'literal')
  assert.equal(find('postmaster@[IPv6:2001:db8::1]'), 'literal')
  assert.equal(find('you@gone.example'), 'left recently')
  assert.equal(find('you@other.example'), 'not-ours')
})

test('relay syntax is refused in every declared domain unless the address itself is listed', () => {
  const addresses = new Map([
    [addressKey('a%b.example'), route('listed')],
    ['sales*@', route('prefix')],
  ])
  const find = finder([domain('example.com', { addresses, recipients: 'any' })])
  assert.equal(find('victim%elsewhere.example@example.com'), 'relay-syntax')
  assert.equal(find('elsewhere.example!victim@example.com'), 'relay-syntax')
  assert.equal(find('"victim@elsewhere.example"@example.com'), 'relay-syntax')
  assert.equal(find('"vic\\tim@elsewhere.example"@example.com'), 'relay-syntax')
  assert.equal(find('a%b.example@example.com'), '→ listed')
  assert.equal(find('sales%elsewhere.example@example.com'), 'relay-syntax')
  assert.equal(find('victim%elsewhere@other.example'), 'not-ours')
})

test('addresses: the whole address, then local@, then the longest prefix, then the domain', () => {
  const addresses = new Map([
    [`${addressKey('info')}a.example.com`, route('whole')],
    [addressKey('info'), route('local')],
    ['in*@', route('short prefix')],
    ['inf*@', route('long prefix')],
    [addressKey('star*'), route('star')],
  ])
  const find = finder([domain('*.example.com', { addresses, recipients: new Set(['known']) })])
  assert.equal(find('info@a.example.com'), '→ whole')
  assert.equal(find('INFO@b.example.com'), '→ local')
  assert.equal(find('inform@b.example.com'), '→ long prefix')
  assert.equal(find('input@b.example.com'), '→ short prefix')
  assert.equal(find('star*@b.example.com'), '→ star')
  assert.equal(find('stars@b.example.com'), 'unknown-recipient')
  assert.equal(find('"info"@a.example.com'), '→ whole')
  assert.equal(find('known@b.example.com'), '→ *.example.com')
})

test('recipients: a list knows who exists, in any case', () => {
  const find = finder([
    domain('example.com', { recipients: new Set(['you', 'o x']) }),
    domain('all.example', { recipients: 'any' }),
  ])
  assert.equal(find('You@example.com'), '→ example.com')
  assert.equal(find('"o x"@example.com'), '→ example.com')
  assert.equal(find('she@example.com'), 'unknown-recipient')
  assert.equal(find('she@all.example'), '→ all.example')
})

test('postmaster: ours at our name and without a domain, the route of a declared domain there, listed or not', () => {
  const domains = [domain('example.com', { recipients: new Set(['you']) }), domain('mx1.example.com')]
  const find = finder(domains)
  assert.equal(find('PostMaster@example.com'), '→ example.com')
  assert.equal(find('postmaster@mx1.example.com'), 'postmaster')
  assert.equal(find('you@mx1.example.com'), '→ mx1.example.com')
  assert.equal(find('postmaster@other.example'), 'not-ours')
  const deps = { hostname: host('mx1.example.com'), leftRecently: () => false }
  assert.deepEqual(createDestinations(domains, deps).find(barePostmaster), { kind: 'postmaster' })
  assert.equal(
    finder([domain('example.com', { addresses: new Map([[addressKey('postmaster'), route('pm')]]) })])(
      'postmaster@example.com',
    ),
    '→ pm',
  )
})

test('address keys as people write them', () => {
  assert.deepEqual(splitAddressKey('sales@'), { local: 'sales', isPrefix: false, domain: '' })
  assert.deepEqual(splitAddressKey('sales*@'), { local: 'sales', isPrefix: true, domain: '' })
  assert.deepEqual(splitAddressKey('"a@b"@example.com'), { local: '"a@b"', isPrefix: false, domain: 'example.com' })
  assert.equal(splitAddressKey('sales'), undefined)
  assert.equal(splitAddressKey('@example.com'), undefined)
})

test('a hundred thousand domains are found as fast as one', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => domain(`d${index}.example`))
  const find = finder([...many, domain('*.example')])
  const deep = `you@${'a.'.repeat(100)}d77777.example`
  const started = performance.now()
  for (let round = 0; round < 2000; round++) {
    assert.equal(find('you@d77777.example'), '→ d77777.example')
    assert.equal(find(deep), '→ *.example')
  }
  assert.ok(performance.now() - started < 20_000)
})

test('a domain has a way of its own, whatever is listed of its addresses', () => {
  const listed = domain('example.com', {
    addresses: new Map([['postmaster@', route('elsewhere')]]),
    recipients: new Set(),
  })
  const destinations = createDestinations([listed, domain('*.example.net'), domain('mx1.example.com')], {
    hostname: host('mx1.example.com'),
    leftRecently: (name) => name === 'left.test',
  })
  const way = (name: string) => {
    const found = destinations.ofDomain(host(name))
    return found.kind === 'route' ? found.route.id : found.kind === 'not-ours' ? found.leftRecently : found.kind
  }
  assert.deepEqual(['example.com', 'a.example.net', 'example.net'].map(way), ['example.com', '*.example.net', false])
  assert.deepEqual(['mx1.example.com', 'left.test'].map(way), ['postmaster', true])
})
