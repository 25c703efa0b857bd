import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { problems } from '../../test/config-folder.ts'

/** Exactly these are told, in this order. */
async function told(t: TestContext, text: string, expected: readonly RegExp[]): Promise<void> {
  const found = await problems(t, text)
  assert.equal(found.length, expected.length, found.join('\n'))
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
}

test('who wants the dashboard off is told where to write it', (t) =>
  told(t, 'domains: { a.example: { deliver: smtp://10.0.0.1 } }\nweb: off\n', [
    /^2:6 web wants keys with values: access, hosts, tls; to have it off, write "listen: \{ http: off \}"$/,
  ]))

test('who says in another word that there shall be no dashboard is told the right one', async (t) => {
  for (const word of ['false', 'no', 'none'])
    await told(t, `domains: { a.example: { deliver: mx } }\nlisten: { http: ${word} }\n`, [
      /^2:17 listen\.http wants an IP address and a port, .*; this is no address: to have no dashboard, write "http: off"$/,
    ])
})

test('who writes a word or an address is shown what stands there', async (t) => {
  const one = (text: string, pattern: RegExp) => told(t, text, [pattern])
  const domain = 'domains: { a.example: { deliver: mx } }'
  await one(
    `${domain}\npostmaster: admin`,
    /"admin" is no name .* no backend such as smtp:\/\/mail\.example\.com or maildir/,
  )
  await one(
    `${domain}\npostmaster: admin@b.example`,
    /"admin@b\.example" is no backend here: it is an address, .* such as smtp:\/\/mail\.b\.example\. Backends:/,
  )
  await one(
    'domains: { a.example: mx }',
    /a\.example wants keys with values, such as \{ deliver: smtp:\/\/mail\.example\.com \}:/,
  )
  await one(
    'domains: { a.example: }',
    /^1:12 a\.example: "deliver" is missing, .* such as "deliver: smtp:\/\/mail\.example\.com"$/,
  )
  await one(`${domain}\ntls: on`, /^2:6 tls wants keys with values, such as \{ certificate: .*, key: .* \}:/)
  await one(`${domain}\nlog: mail.log`, /^2:6 log wants keys with values, such as \{ file: /)
  await one(`${domain}\nlisten: 25`, /^2:9 listen wants keys with values, such as \{ smtp: "0\.0\.0\.0:25" \}:/)
  await one(
    `${domain}\nalerts: { email: admin }`,
    /email wants a list, such as \[\{ to: \[admin@example\.net\], via: "smtps:/,
  )
  await told(t, `${domain}\nalerts: { email: [{ to: admin }] }`, [
    /^2:19 "via" is missing .* It wants a server such as smtp:\/\/mail\.example\.net:587$/,
    /^2:25 .*to wants a list of addresses, such as \[admin@example\.net\]$/,
  ])
  await one(
    `${domain}\nweb: { access: ann }`,
    /web\.access wants a list, such as \[\{ name: ann, .*"waypost web password --name ann/,
  )
})

test('a secret in the place of its hash is told where the hash comes from', (t) =>
  told(t, 'domains: { a.example: { deliver: mx } }\nweb: { access: [{ name: ann, role: view, token: abc }] }', [
    /^2:42 unknown key "token" in web\.access\[1\]; did you mean "hash"\?/,
    /^2:49 web\.access\[1\]\.hash wants a hash .* made by "waypost web token"$/,
  ]))

test('a mistake in one backend of a list hides none in the others, nor in the rest of its own', (t) =>
  told(
    t,
    `domains:
  a.example:
    deliver:
      - smtp://10.0.0.1:99999
      - { to: smtp://10.0.0.2, wieght: 3 }
      - { to: "smpt://10.0.0.3", weight: 0 }
      - [smtp://10.0.0.4]
      - { to: smtps://10.0.0.5, tls: verify, connections: many }
      -
      - { to: "maildir:/x", helo: x.example, weight: heavy }
      - smtp://10.0.0.6 25
      - { to: smtp://10.0.0.2 }
`,
    [
      /^4:9 "smtp:\/\/10\.0\.0\.1:99999" is no backend here: its port/,
      /^5:32 unknown key "wieght"/,
      /^6:15 "smpt:\/\/10\.0\.0\.3" is no backend here/,
      /^6:42 .*deliver\[3\]\.weight wants/,
      /^7:9 .*deliver\[4\] wants a backend.*; this is a list$/,
      /^8:38 .*deliver\[5\]\.tls wants one of off, may, require/,
      /^8:59 .*deliver\[5\]\.connections wants/,
      /^9:7 .*deliver\[6\] wants a backend.*; there is nothing here$/,
      /^10:15 a Maildir stands alone/,
      /^10:35 a Maildir hears no EHLO/,
      /^10:54 .*deliver\[7\]\.weight wants/,
      /^11:9 "smtp:\/\/10\.0\.0\.6 25" is no backend here/,
      /^12:15 smtp:\/\/10\.0\.0\.2:25 stands in this list already/,
    ],
  ))

test('so it is with recipients', (t) =>
  told(t, 'domains: { a.example: { deliver: mx, recipients: [info, [x], "a b", "", sales@b.example] } }', [
    /^1:57 .*recipients\[2\] wants a local part, such as info; this is a list$/,
    /^1:62 "a b" is no local part/,
    /^1:69 .*recipients\[4\] wants a local part/,
    /^1:73 "sales@b\.example" is not in a\.example/,
  ]))

test('so it is wherever lists of backends stand', (t) =>
  told(
    t,
    `routes: { pool: ["http://a", { to: mx, weight: x }] }
defaults: { deliver: ["http://b", { weight: 1 }] }
postmaster: ["http://c", { to: mx:d.example, weight: x }]
outbound: { via: ["http://e", 5, [x]], from: nobody }
domains:
  a.example: { deliver: pool, addresses: { "a@": ["http://f", [x]], "b@": "http://g", sales: mx } }
`,
    [
      /^1:18 "http:\/\/a" is no backend here/,
      /^1:48 routes\.pool\[2\]\.weight wants/,
      /^2:23 "http:\/\/b" is no backend here/,
      /^2:35 "to" is missing in defaults\.deliver\[2\]: The backend/,
      /^3:14 "http:\/\/c" is no backend here/,
      /^3:54 postmaster\[2\]\.weight wants/,
      /^4:19 "http:\/\/e" is no backend here/,
      /^4:31 "5" is no backend, and a name under routes: stands alone/,
      /^4:34 outbound\.via\[3\] wants a backend/,
      /^4:46 outbound\.from wants an address/,
      /^6:51 "http:\/\/f" is no backend here/,
      /^6:63 domains\.a\.example\.addresses\.a@\[2\] wants a backend/,
      /^6:75 "http:\/\/g" is no backend here/,
      /^6:87 "sales" is no address here/,
    ],
  ))

test('a misspelt name of a route is one mistake, wherever it stands', (t) =>
  told(
    t,
    `routes: { inside: ["smtp://10.0.0.1"], second: insdie }
defaults: { deliver: insid }
postmaster: inside
outbound: { via: "inside " }
domains:
  a.example:
  b.example: { deliver: second, addresses: { "a@": in-side } }
  c.example: { deliver: [inside, "smtp://10.0.0.2"] }
  d.example: { deliver: mail.example.net }
`,
    [
      /^1:48 "insdie" is no backend: a named route .* names no other route$/,
      /^2:22 "insid" is no name under routes: and no backend; did you mean "inside"\?/,
      /^4:18 "inside " is no name under routes: and no backend; did you mean "inside"\?/,
      /^7:52 "in-side" is no name under routes: and no backend; did you mean "inside"\?/,
      /^8:26 "inside" is no backend, and a name under routes: stands alone, as in "deliver: inside"/,
      /^9:25 "mail\.example\.net" is no backend here: it has no scheme; write smtp:\/\/mail\.example\.net/,
    ],
  ))

test('a route whose name is none, or routes: that are none, are no mistake of who names them', async (t) => {
  await told(
    t,
    `routes: { my_pool: mx, a.b: mx }
domains:
  a.example: { deliver: my_pool }
  b.example: { deliver: a.b }
  c.example: { deliver: my_pol }
`,
    [
      /^1:11 "my_pool" is no name for a route: a-z/,
      /^1:24 "a\.b" is no name for a route/,
      /^5:25 "my_pol" is no name under routes: .*; did you mean "my_pool"\?/,
    ],
  )
  await told(t, 'routes: [{ pool: mx }]\ndomains: { a.example: { deliver: pool } }', [
    /^1:1 routes wants names with backends; this is a list$/,
  ])
})

test('a misspelt key is told once and read as what was meant', async (t) => {
  const one = (text: string, pattern: RegExp) => told(t, text, [pattern])
  await one('route: { pool: mx }\ndomains: { a.example: { deliver: pool } }', /^1:1 unknown key "route"; did you/)
  await one('domain: { a.example: { deliver: mx } }', /^1:1 unknown key "domain"; did you mean "domains"\?/)
  await one('default: { deliver: mx }\ndomains: { a.example: , b.example: }', /^1:1 unknown key "default"; did you/)
  await one(
    'publisher: { ours: { type: builtin } }\ndomains: { a.example: { deliver: mx, exchangers: none, publish: ours } }',
    /^1:1 unknown key "publisher"; did you mean "publishers"\?/,
  )
  await one('domains: { a.example: { deliver: [{ too: mx }] } }', /^1:37 unknown key "too" .*; did you mean "to"\?/)
  await one(
    'domains: { a.example: { deliver: "maildir:/x", recipiants: any } }',
    /^1:48 unknown key "recipiants" .*; did you mean "recipients"\?/,
  )
  await one(
    'publishers: { p: { type: zonefile, pth: "/z/{zone}" } }\ndomains: { a.example: { deliver: mx } }',
    /^1:36 unknown key "pth" in publishers\.p; did you mean "path"\?/,
  )
  await one('domains: { a.example: {deliver:mx} }', /^1:24 unknown key .*; a space is missing: write "deliver: mx"$/)
})

test("another's word for a key is told once and read as ours", async (t) => {
  const entry = (keys: string) => `domains: { a.example: { deliver: [{ ${keys} }] } }`
  await told(t, entry('to: mx, priority: 20'), [
    /^1:45 unknown key "priority" in .*; did you mean "preference"\? Known: to, preference/,
  ])
  for (const word of ['host', 'server', 'address'])
    await told(t, entry(`${word}: "smtp://10.0.0.1"`), [new RegExp(`unknown key "${word}" .*; did you mean "to"\\?`)])
  await told(t, entry('to: "smtp://10.0.0.1", port: 26'), [
    /^1:60 unknown key "port" in .*; the port stands in to: smtp:\/\/host:port$/,
  ])
  await told(t, 'domains: { a.example: { backends: ["smtp://10.0.0.1"] } }', [
    /"backends" .*; did you mean "deliver"\?/,
  ])
  await told(t, 'domains: { a.example: { to: "smtp://10.0.0.1" } }', [/"to" .*; did you mean "deliver"\?/])
  await told(t, 'domains: { a.example: { deliver: mx, priority: 5 } }', [
    /"priority" in .*; it may stand beside "to:" in a backend: deliver: \[\{ to: …, preference: … \}\]$/,
  ])
})

test('a misspelt key hides no mistake below it, and no right one beside it', (t) =>
  told(
    t,
    `route: { pool: "http://x" }
domains:
  a.example: { delivr: poll, deliver: pool }
  b.example: { delivr: poll, delver: pool }
`,
    [
      /^1:1 unknown key "route"/,
      /^1:16 "http:\/\/x" is no backend here/,
      /^3:16 unknown key "delivr"/,
      /^4:16 unknown key "delivr"/,
      /^4:24 "poll" is no name under routes/,
      /^4:30 unknown key "delver"/,
    ],
  ))

test('a mistake in what an alias brings in again is told once, at its place', (t) =>
  told(
    t,
    `routes:
  a: &pool [{ to: smtp://10.0.0.1, weight: x }, "http://x", { to: mx, wait: 1 }]
  b: *pool
domains:
  a.example: &shared { deliver: a, hold: 3 }
  b.example: *shared
  c.example: *nobody
  d.example: { deliver: *nothing }
  e.example: { <<: *shared }
`,
    [
      /^2:44 routes\.a\[1\]\.weight wants/,
      /^2:49 "http:\/\/x" is no backend here/,
      /^2:71 unknown key "wait"/,
      /^5:42 domains\.a\.example\.hold wants/,
      /^7:14 the alias "\*nobody" names nothing that was marked before; text that begins with "\*" stands in quotes$/,
      /^8:25 the alias "\*nothing" names nothing/,
      /^9:16 unknown key "<<" in domains\.e\.example; YAML's merge keys are not read/,
    ],
  ))

test('an item of a list with nothing behind its hyphen is shown by that hyphen', (t) =>
  told(
    t,
    `routes:
  a:
    -
    - smtp://10.0.0.1
    - # - here
    - { to: smtp://10.0.0.2 }
    -
  b:
  - - x
  -
domains: { a.example: { deliver: mx } }
`,
    [
      /^3:5 routes\.a\[1\] .*; there is nothing here$/,
      /^5:5 routes\.a\[3\] /,
      /^7:5 routes\.a\[5\] /,
      /^9:5 routes\.b\[1\] .*; this is a list$/,
      /^10:3 routes\.b\[2\] /,
    ],
  ))
