import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { deps, folder, problems } from '../../../test/config-folder.ts'
import { loadConfig } from '../../config/load.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { typeCodes } from '../../dns/types.ts'
import { nameText } from '../../dns/wire-name.ts'

test('every mistake in what is published is told with its place', async (t) => {
  const found = await problems(
    t,
    `hostname: mx.example.com
publishers:
  office: { type: rfc2136, server: 10.0.0.53, tsig: { name: w, secret: c2VjcmV0 } }
  file: { type: zonefil, path: x }
  part: { type: zone }
  api: { type: powerdns, url: "ftp://x", apiKey: "\${KEY}", reload: [x] }
domains:
  a.example:
    exchangers: [{ preference: 65536, host: mx1.a.example }, { preference: 1, host: 192.0.2.1 }]
  b.example: { exchangers: [{ preference: 1, host: mx.b.example }, { preference: 2, host: mx.b.example }], publish: ofice }
  c.example: { exchangers: google }
  d.example: { exchangers: { provider: mailgun, region: mars } }
  e.example: { exchangers: none, absent: [x, e.example SOA, "www.f.example A", "e.example MX 10.mx"] }
  f.example: { exchangers: none, records: { spf: "v=spf1 mx-all", dmarc: "v=DMARC1" }, ttl: 5 }
  "*.g.example": { exchangers: none }
  h.example: { exchangers: [{ preference: 10, host: mx1 }] }
`,
  )
  const expected = [
    /^3:\d+ publishers\.office\.tsig\.secret wants a secret from the environment/,
    /^4:\d+ publishers\.file\.type wants one of rfc2136, .*did you mean "zonefile"/,
    /^5:\d+ publishers\.part\.type wants one of rfc2136, [^;]*; did you mean "zonefile"\?$/,
    /^6:\d+ publishers\.api\.url wants a URL/,
    /^6:\d+ unknown key "reload" in publishers\.api; Known: type, url, apiKey,/,
    /^9:\d+ domains\.a\.example\.exchangers\[1\]\.preference wants a whole number from 0 to 65535/,
    /^9:\d+ domains\.a\.example\.exchangers\[2\]\.host wants .*this is an address, and MX records name hosts/,
    /^10:\d+ mx\.b\.example stands in this list already/,
    /^10:\d+ "ofice" is no name under publishers:; did you mean "office"/,
    /^11:\d+ "google" is no provider that is known here\. Did you mean "google-workspace"/,
    /^12:\d+ "mars" is none of /,
    /^13:\d+ "x" wants a name and a type/,
    /^13:\d+ "e\.example SOA" would remove SOA records/,
    /^13:\d+ "www\.f\.example A" speaks of a name that is not e\.example/,
    /^13:\d+ "e\.example MX 10\.mx" has data that is none of MX/,
    /^14:\d+ no SPF record: "mx-all" is no mechanism/,
    /^14:\d+ no DMARC record/,
    /^14:\d+ domains\.f\.example\.ttl wants a length of time/,
    /^15:\d+ "\*\.g\.example" stands for many names/,
    /^16:53 "mx1" has no dot, .*did you mean "mx1\.h\.example"\?$/,
  ]
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
  assert.equal(found.length, expected.length, found.join('\n'))
})

test('what a domain declares is read, with the defaults; a domain that only publishes takes no mail', async (t) => {
  const { path, file } = await fileOf(
    t,
    `hostname: mx.example.com
defaults: { ttl: 30m, publish: office }
publishers: { office: { type: rfc2136, server: "10.0.0.53:5353", zone: example.com, tsig: { name: waypost, secret: "file:tsig.key" } } }
domains:
  example.com:
    exchangers:
      - { preference: 10, host: MX1.example.com, addresses: [203.0.113.10, "2001:DB8::10"] }
    records: { spf: "v=spf1 mx -all" }
    absent: ["old.example.com A", 'example.com TXT "token=1"']
  example.org: { exchangers: google-workspace, ttl: 1d, publish: builtin, deliver: mx }
  example.net: { exchangers: none }
`,
  )
  const loaded = await loadConfig(file, deps)
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded))
  const [com, org, net] = loaded.publishing.declarations
  assert.deepEqual(com?.exchangers, [
    { preference: 10, host: 'mx1.example.com', addresses: ['203.0.113.10', '2001:db8::10'] },
  ])
  assert.equal(com?.ttlSeconds, 1_800)
  assert.equal(com?.publisher, 'office')
  assert.deepEqual(com?.texts, [{ kind: 'spf', text: 'v=spf1 mx -all' }])
  assert.deepEqual(
    com?.absent.map(({ name, code, data }) => [nameText(name), code, data && rdataText(data)]),
    [
      ['old.example.com.', typeCodes.A, undefined],
      ['example.com.', typeCodes.TXT, '"token=1"'],
    ],
  )
  assert.deepEqual(org?.exchangers, [{ preference: 1, host: 'smtp.google.com', addresses: undefined }])
  assert.deepEqual([org?.ttlSeconds, org?.publisher], [86_400, 'builtin'])
  assert.equal(net?.exchangers, 'none')
  assert.deepEqual(
    loaded.settings.destinations.domains.map(({ name }) => name),
    ['example.org'],
  )
  const { office } = loaded.publishing.publishers
  assert.ok(office?.type === 'rfc2136')
  assert.deepEqual(office.tsig?.secret, { kind: 'file', path: join(path, 'tsig.key') })
})

test('the least and the greatest preference are ones', async (t) => {
  const { file } = await fileOf(
    t,
    'hostname: mx.example.com\ndomains:\n  a.example: { exchangers: [{ preference: 0, host: mx1.a.example }, { preference: 65535, host: mx2.a.example }] }\n',
  )
  const loaded = await loadConfig(file, deps)
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded))
  const [declared] = loaded.publishing.declarations
  assert.ok(Array.isArray(declared?.exchangers))
  assert.deepEqual(
    declared.exchangers.map(({ preference }) => preference),
    [0, 65_535],
  )
})

test('healthy: true is refused where nobody would keep it', async (t) => {
  const found = await problems(
    t,
    `hostname: mx.example.com
publishers: { files: { type: zonefile, path: x }, mine: { type: builtin } }
include: [more.yaml]
domains:
  a.example: { exchangers: [{ preference: 1, host: mx.a.example, addresses: [192.0.2.1] }], healthy: true, publish: files }
  b.example: { exchangers: google-workspace, healthy: true, publish: mine }
  c.example: { exchangers: [{ preference: 1, host: mx.c.example, addresses: [10.0.0.1] }], healthy: true, publish: builtin }
  d.example: { exchangers: [{ preference: 1, host: mx.d.example, addresses: [10.0.0.1] }], healthy: maybe, publish: builtin }
`,
    {
      'more.yaml': `domains:
  e.example: { exchangers: [{ preference: 1, host: mx.e.example, addresses: [10.0.0.1] }], healthy: true, publish: builtin }
`,
    },
  )
  const expected = [
    /^5:\d+ only the built-in server leaves out what is down/,
    /^6:\d+ no exchanger here has "addresses:"/,
    /^8:\d+ domains\.d\.example\.healthy wants true or false/,
    /^more\.yaml:2:\d+ 10\.0\.0\.1 is not public: an included file/,
  ]
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
  assert.equal(found.length, expected.length, found.join('\n'))
})

async function fileOf(t: Parameters<typeof folder>[0], text: string) {
  const path = await folder(t, { 'waypost.yaml': text })
  return { path, file: join(path, 'waypost.yaml') }
}
