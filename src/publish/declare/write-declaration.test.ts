import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import { loadConfig } from '../../config/load.ts'
import type { HostName } from '../../dns/name.ts'
import type { LiveDomain } from './live-domain.ts'
import { declarationLines, spanWord } from './write-declaration.ts'

const domain = 'example.com' as HostName
const mx = (preference: number, host: string, addresses?: readonly string[]) => ({
  ...{ preference, host: host as HostName },
  addresses: addresses as readonly IpAddress[] | undefined,
})
const bare: LiveDomain = { domain, mx: undefined, texts: [], notes: [], isSecondHand: false }
const google = [
  mx(1, 'aspmx.l.google.com'),
  mx(5, 'alt1.aspmx.l.google.com'),
  mx(5, 'alt2.aspmx.l.google.com'),
  mx(10, 'alt3.aspmx.l.google.com'),
  mx(10, 'alt4.aspmx.l.google.com'),
]

/** What `waypost config check` makes of it. */
async function declared(t: TestContext, live: LiveDomain) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-import-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'waypost.yaml')
  await writeFile(path, `hostname: mx.example.com\ndomains:\n${declarationLines(live, undefined).join('\n')}\n`)
  const loaded = await loadConfig(path, { clock: createFakeClock(), machineName: 'mx.example.com' })
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded))
  return loaded.publishing.declarations[0]
}

for (const [what, exchangers] of [
  ['hosts of nobody', [mx(20, 'mx2.example.com', ['192.0.2.2', '2001:db8::2']), mx(10, 'mx1.example.net')]],
  ['the older five of Google', google],
  ['Google with one missing', google.slice(1)],
  ['Google beside another', [...google, mx(50, 'mail.example.com')]],
  ['Fastmail', [mx(10, 'in1-smtp.messagingengine.com'), mx(20, 'in2-smtp.messagingengine.com')]],
  ['Fastmail with other numbers', [mx(1, 'in1-smtp.messagingengine.com'), mx(2, 'in2-smtp.messagingengine.com')]],
  ['Microsoft 365', [mx(0, 'example-com.mail.protection.outlook.com')]],
] as const) {
  test(`${what}: the declaration that is written says just what is live`, async (t) => {
    const declaration = await declared(t, { ...bare, mx: { ttlSeconds: 5_400, exchangers } })
    assert.ok(declaration?.exchangers && declaration.exchangers !== 'none')
    const sorted = (all: readonly { preference: number; host: string }[]) =>
      all.map(({ preference, host }) => `${preference} ${host}`).toSorted()
    assert.deepEqual(sorted(declaration.exchangers), sorted(exchangers))
    assert.equal(declaration.ttlSeconds, 5_400)
    for (const { host, addresses } of exchangers)
      assert.deepEqual(declaration.exchangers.find((each) => each.host === host)?.addresses, addresses)
  })
}

test('a host that ends in the domain twice is doubted', () => {
  const exchangers = [mx(10, 'mx1.example.com'), mx(20, 'mx2.example.com.example.com')]
  const lines = declarationLines({ ...bare, mx: { ttlSeconds: 3_600, exchangers } }, 'dns')
  assert.deepEqual(lines.slice(2, 4), [
    '      - { preference: 10, host: "mx1.example.com" }',
    '      - { preference: 20, host: "mx2.example.com.example.com" } # ends in example.com twice: is mx2.example.com meant? A final dot is missing then',
  ])
})

test('a provider is named where its very set is there', () => {
  const lines = declarationLines(
    {
      ...bare,
      mx: {
        ttlSeconds: 60,
        exchangers: [mx(10, 'in1-smtp.messagingengine.com'), mx(20, 'in2-smtp.messagingengine.com')],
      },
    },
    'dns',
  )
  assert.deepEqual(lines, ['  example.com:', '    exchangers: fastmail # Fastmail', '    ttl: 1m', '    publish: dns'])
})

test('a null MX is none, and beside others nothing', async (t) => {
  assert.equal((await declared(t, { ...bare, mx: { ttlSeconds: 60, exchangers: [mx(0, '.')] } }))?.exchangers, 'none')
  const mixed = await declared(t, { ...bare, mx: { ttlSeconds: 60, exchangers: [mx(0, '.'), mx(5, 'a.example.net')] } })
  assert.ok(mixed?.exchangers !== 'none')
  assert.deepEqual(
    mixed?.exchangers?.map(({ host }) => host),
    ['a.example.net'],
  )
})

test('policies are taken over to the letter, macros and dollars too; one with another TTL is only told', async (t) => {
  const spf = 'v=spf1 exists:%{i}.spf.example.com include:_spf.example.net ~all'
  const texts = [
    { kind: 'spf', text: spf, ttlSeconds: 300, isShared: true },
    { kind: 'dmarc', text: 'v=DMARC1; p=none; rua=mailto:a$b@example.com', ttlSeconds: 60, isShared: false },
    { kind: 'tlsRpt', text: 'v=TLSRPTv1; rua=mailto:tls@example.com', ttlSeconds: 300, isShared: false },
  ] as const
  const live = { ...bare, mx: { ttlSeconds: 60, exchangers: [mx(10, 'a.example.net')] }, texts }
  assert.deepEqual((await declared(t, live))?.texts, [
    { kind: 'spf', text: spf },
    { kind: 'dmarc', text: 'v=DMARC1; p=none; rua=mailto:a$b@example.com' },
  ])
  assert.ok(declarationLines(live, undefined).some((line) => /#.*tlsRpt.*300 s/.test(line)))
})

for (const word of ['$\x7bHOME}', '$$\x7bHOME}$', '\\$\x7ba}"$\x7bb}"']) {
  test(`what looks like a variable is taken over as it stands: ${word}`, async (t) => {
    const text = `v=DMARC1; p=none; x=${word}`
    const texts = [{ kind: 'dmarc', text, ttlSeconds: 60, isShared: true }] as const
    const live = { ...bare, mx: { ttlSeconds: 60, exchangers: [mx(10, 'a.example.net')] }, texts }
    assert.deepEqual((await declared(t, live))?.texts, [{ kind: 'dmarc', text }])
  })
}

test('times are as short as people write them', () => {
  assert.deepEqual([0, 59, 60, 3_600, 5_400, 86_400].map(spanWord), ['0s', '59s', '1m', '1h', '90m', '1d'])
})

test('a domain that has nothing is declared with nothing, and the file is in order', async (t) => {
  const declaration = await declared(t, bare)
  assert.equal(declaration?.exchangers, undefined)
  assert.deepEqual(declaration?.texts ?? [], [])
})
