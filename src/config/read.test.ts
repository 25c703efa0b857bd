import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { deps, folder, problems } from '../../test/config-folder.ts'
import { loadConfig } from './load.ts'
import { formatProblems } from './source.ts'

test('all mistakes are told at once, each with its place, in order', async (t) => {
  const found = await problems(
    t,
    `hostnam: mx.example.org
listen: { smtp: ["0.0.0.0", "[::]:99999"] }
limits: { messageBytes: 50M, recipents: 1000 }
bareNewline: rapair
tls: { certificate: nope.pem, key: nope.key }
domains:
  example.org: { deliver: mx, auth: 1 }
  EXAMPLE.org.: { deliver: mx }
  example.org: { deliver: mx }
  "*": { deliver: mx }
  "*.co.uk": { deliver: mx }
  "[192.0.2.1]": { deliver: mx }
  exa_mple.com: { deliver: mx }
  a.example: { deliver: "smtp://user:secret@host" }
  b.example: { deliver: "maildir:/x" }
  c.example: { deliver: ["maildir:/x", "smtp://y"], recipients: any }
  d.example:
`,
  )
  const expected = [
    /^1:1 unknown key "hostnam"; did you mean "hostname"\? Known: hostname, listen,/,
    /^2:18 listen\.smtp\[1\] wants an IP address and a port.*this has no port$/,
    /^2:29 listen\.smtp\[2\] wants .*a port above 65535$/,
    /^3:25 limits\.messageBytes wants a size such as 50MiB/,
    /^3:30 unknown key "recipents" in limits; did you mean "recipients"\?/,
    /^4:14 bareNewline wants one of repair, reject; did you mean "repair"\?/,
    /^5:21 \/nope\.pem does not exist$/,
    /^5:36 \/nope\.key does not exist$/,
    /^7:31 unknown key "auth" in domains\.example\.org; Known: deliver, balance,/,
    /^8:3 example\.org is declared already, in \/waypost\.yaml on line 7$/,
    /^9:3 the key "example\.org" stands on line 7 already$/,
    /^10:3 "\*" would take mail for every domain/,
    /^11:3 "\*\.co\.uk" would take mail for everybody's domains below co\.uk/,
    /^12:3 "\[192\.0\.2\.1\]" is an address of a host/,
    /^13:3 "exa_mple\.com" is no domain that mail could be sent to: no mail domain has "_" in it/,
    /^14:25 "smtp:.*no user and no password/,
    /^15:25 a Maildir cannot say who exists: write "recipients: any"/,
    /^16:26 a Maildir stands alone/,
    /^17:3 d\.example: "deliver" is missing/,
  ]
  assert.equal(found.length, expected.length, found.join('\n'))
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
})

test('a wrong value hides no other mistake of its domain or of defaults', async (t) => {
  const found = await problems(
    t,
    `defaults: { hold: 14, deliver: "smpt://10.0.0.1" }
domains:
  a.example: { hold: 14, onDefer: queue, deliver: 127.77.1.1:7602 }
  b.example: { exchangers: [{ preference: 10, host: 192.0.2.1 }], healthy: true, publish: builtn }
  c.example: { recipients: all, deliver: "maildir:/x", addresses: { sales: mx } }
  d.example: { delivr: mx }
  e.example: mx
`,
  )
  const expected = [
    /^1:19 defaults\.hold wants a length of time/,
    /^1:32 "smpt:\/\/10\.0\.0\.1" is no backend here: "smpt:" is no scheme that is known; did you mean "smtp:"\? Backends: /,
    /^3:22 domains\.a\.example\.hold wants/,
    /^3:35 domains\.a\.example\.onDefer wants one of/,
    /^3:51 "127\.77\.1\.1:7602" is no backend here/,
    /^4:53 domains\.b\.example\.exchangers\[1\]\.host wants/,
    /^4:91 "builtn" is no name under publishers:/,
    /^5:28 domains\.c\.example\.recipients wants/,
    /^5:69 "sales" is no address here/,
    /^6:16 unknown key "delivr"/,
    /^7:14 domains\.e\.example wants keys/,
  ]
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
  assert.equal(found.length, expected.length, found.join('\n'))
})

test('a backend that is this gateway itself would carry mail round in circles, wherever it is named', async (t) => {
  const found = await problems(
    t,
    `listen: { smtp: ["0.0.0.0:25", "[::]:25", "192.0.2.1:587"] }
publicAddresses: [203.0.113.1]
postmaster: smtp://localhost
routes:
  pool: ["smtp://192.0.2.9", { to: "smtp://127.0.0.7:25" }]
domains:
  a.example: { deliver: "smtp://[::1]" }
  b.example: { deliver: "lmtp://192.0.2.1:587" }
  c.example: { deliver: smtp://203.0.113.1 }
  d.example: { deliver: ["smtp://127.0.0.1:26", "smtp://203.0.113.1:2525"] }
  e.example: { deliver: pool }
`,
  )
  const expected = [
    /^3:13 "smtp:\/\/localhost" is where this gateway listens itself \(listen\.smtp: 0\.0\.0\.0:25\)/,
    /^5:36 "smtp:\/\/127\.0\.0\.7:25" is where this gateway listens itself/,
    /^7:25 "smtp:\/\/\[::1\]" is where this gateway listens itself \(listen\.smtp: \[::\]:25\)/,
    /^8:25 "lmtp:\/\/192\.0\.2\.1:587" is where this gateway listens itself/,
    /^9:25 "smtp:\/\/203\.0\.113\.1" is this gateway itself, by publicAddresses/,
  ]
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
  assert.equal(found.length, expected.length, found.join('\n'))
})

/** One wrong line each: the text, and what is said of it. */
const single: readonly (readonly [string, RegExp])[] = [
  ['', /1:1 the file is empty/],
  ['# nothing', /the file is empty/],
  ['just text', /1:1 a configuration is keys with values/],
  ['listen: {}', /1:1 "domains" is missing/],
  ['domains:', /1:1 domains wants domains, .*there is nothing here/],
  ['domains: [a]', /1:1 domains wants domains, .*this is a list/],
  ['domains: { a.example: { deliver: mx }', /1:\d+ not valid YAML: /],
  ['domains:\n\ta.example: { deliver: mx }', /2:\d+ a tab in the indentation/],
  ['domains: { a.example: { deliver: mx } }\n---\nb: c', /2:1 a second YAML document/],
  ['domains: { a.example: { deliver: !!str mx } }', /1:\d+ YAML tags/],
  ['domains: { a.example: { deliver: *pool } }', /1:34 the alias "\*pool" names nothing/],
  ['domains: &d { a.example: *d }', /1:\d+ the alias "\*d" stands inside/],
  [
    'domains: { a.example: { deliver: mx }, a.example: { deliver: mx } }',
    /1:40 the key "a.example" stands on line 1 already/,
  ],
  ['domains: { [a]: b }', /1:\d+ a key must be text/],
  ['domains: { "a b": { deliver: mx } }', /1:12 "a b" is no domain/],
  ['domains: { "you@a.example": { deliver: mx } }', /is an address: write the domain/],
  ['domains: { "a.*.example": { deliver: mx } }', /"\*" stands only at the beginning/],
  ['domains: { "127.0.0.1": { deliver: mx } }', /is an address of a host/],
  ['domains: { a.example: { deliver: [] } }', /1:\d+ domains\.a\.example\.deliver wants at least one backend/],
  ['domains: { a.example: { deliver: [[mx]] } }', /deliver\[1\] wants a backend, or keys: to, preference/],
  ['domains: { a.example: { deliver: } }', /deliver wants a backend .*there is nothing here/],
  ['domains: { a.example: { deliver: [smtp://h, smtp://h:25] } }', /1:45 smtp:\/\/h:25 stands in this list already/],
  ['domains: { a.example: { deliver: smtps://h } }', /certificate is not verified yet: write \{ to: smtps/],
  ['domains: { a.example: { deliver: [{ to: smtps://h, tls: may }] } }', /1:57 smtps:/],
  ['domains: { a.example: { deliver: [{ to: smtp://h, private: true }] } }', /this is for mx/],
  ['domains: { a.example: { deliver: [{ to: smtp://h, tls: verify }] } }', /tls wants one of off, may, require/],
  ['domains: { a.example: { deliver: [{ to: smtp://h, helo: a_b }] } }', /helo wants a host name; this has characters/],
  ['domains: { a.example: { deliver: [{ to: "lmtp:/x", tls: may }] } }', /TLS has no meaning/],
  [
    'domains: { a.example: { recipients: any, deliver: [{ to: "maildir:/x", helo: a, connections: 3 }] } }',
    /a Maildir hears no EHLO.*a Maildir has no connections/s,
  ],
  [
    'routes: { pool: mx }\ndomains: { a.example: { deliver: poll } }',
    /2:\d+ "poll" is no name under routes: and no backend; did you mean "pool"\?/,
  ],
  [
    'routes: { mx: mx }\ndomains: { a.example: { deliver: mx } }',
    /1:11 "mx" is no name for a route: it is a backend\. Choose another/,
  ],
  ['routes: { a: b, b: mx }\ndomains: { a.example: { deliver: mx } }', /names no other route/],
  [
    'domains: { a.example: { deliver: { to: smtp://h, weight: 2 } } }',
    /^1:\d+ domains\.a\.example\.deliver wants .*, or a list of backends; keys stand in a list: \[\{ to: … \}\]$/,
  ],
  [
    'domains: { a.example: { deliver: smtp://h, tls: require } }',
    /^1:44 unknown key "tls" in domains\.a\.example; it may stand beside "to:" in a backend: deliver: \[\{ to: …, tls: … \}\]$/,
  ],
  ['routes: { a: { to: mx } }\ndomains: { a.example: { deliver: a } }', /^1:11 routes\.a wants a backend/],
  ['domains: { a.example: { deliver: mx, recipients: all } }', /recipients wants ask, any, a list of local parts/],
  ['domains: { a.example: { deliver: mx, recipients: ["a b"] } }', /"a b" is no local part, .* double quotes alone$/],
  ['domains: { a.example: { deliver: mx, recipients: ["a%b"] } }', /only where it stands under "addresses:"/],
  ['domains: { a.example: { deliver: mx, recipients: ["a@b.example"] } }', /is not in a\.example/],
  ['domains: { a.example: { deliver: mx, recipients: { file: nope } } }', /1:\d+ \/nope does not exist/],
  [
    'domains: { a.example: { deliver: mx, addresses: { sales: mx } } }',
    /^1:51 "sales" is no address here: write "local@"/,
  ],
  [
    'domains: { a.example: { deliver: mx, addresses: { "a@b.example": mx } } }',
    /is not in the domain that it stands under/,
  ],
  ['domains: { a.example: { deliver: mx, addresses: { "a*@a.example": mx } } }', /is no pattern/],
  ['domains: { a.example: { deliver: mx, addresses: { "a@": mx, "A@": mx } } }', /is the same address as another/],
  ['hostname: mx\ndomains: { a.example: { deliver: mx } }', /1:11 hostname wants a full host name.*no dot/],
  ['hostname: 10.0.0.1\ndomains: { a.example: { deliver: mx } }', /1:11 hostname wants .*this is an address/],
  [
    'listen: { smtp: ["127.0.0.1:25", "127.0.0.1:25"] }\ndomains: { a.example: { deliver: mx } }',
    /1:34 this address stands in the list already/,
  ],
  [
    'listen: { smtp: ["127.0.0.1:2526", "0.0.0.0:2526"] }\ndomains: { a.example: { deliver: mx } }',
    /1:36 this has port 2526 of an address in common with listen\.smtp 127\.0\.0\.1:2526/,
  ],
  [
    'listen: { smtp: ["127.0.0.1:2526"], http: 127.0.0.1:2526 }\ndomains: { a.example: { deliver: mx } }',
    /1:43 this is listen\.smtp 127\.0\.0\.1:2526, too/,
  ],
  [
    'listen: { smtp: ["[::]:2526"], dns: ["127.0.0.1:2526", "[::1]:2526"] }\ndomains: { a.example: { deliver: mx } }',
    /^1:56 this has port 2526 of an address in common with listen\.smtp \[::\]:2526/,
  ],
  ['limits: { messageBytes: 1GiB }\ndomains: { a.example: { deliver: mx } }', /more than a quarter of limits\.spool/],
  ['budgets: { dot: 1s }\ndomains: { a.example: { deliver: mx } }', /bodyReserve is no less than budgets\.dot/],
  [
    'trusted: ["10.0.0.0/7"]\ndomains: { a.example: { deliver: mx } }',
    /1:11 trusted\[1\] wants a network .*this is wider than \/8/,
  ],
  [
    'trusted: ["2000::/15"]\ndomains: { a.example: { deliver: mx } }',
    /1:11 trusted\[1\] wants a network .*this is wider than \/16/,
  ],
  [
    'trusted: ["10.0.0.1/8"]\ndomains: { a.example: { deliver: mx } }',
    /1:11 trusted\[1\] wants a network .*; this has bits set behind the prefix: write 10\.0\.0\.0\/8$/,
  ],
  ['trusted: ["2001:db8::1/32"]\ndomains: { a.example: { deliver: mx } }', /; this has bits .*: write 2001:db8::\/32$/],
  ['trusted: ["10.0.0.1/33"]\ndomains: { a.example: { deliver: mx } }', /1:11 trusted\[1\] wants a network [^;]*$/],
  ['outbound: { via: mx }\ndomains: { a.example: { deliver: mx } }', /1:18 mx is what is done without outbound\.via/],
  ['outbound: { via: "maildir:/x" }\ndomains: { a.example: { deliver: mx } }', /1:18 a Maildir hands nothing on/],
  ['outbound: { via: nowhere }\ndomains: { a.example: { deliver: mx } }', /1:18 "nowhere" is no name under routes:/],
  ['state: 5\ndomains: { a.example: { deliver: mx } }', /^1:8 state wants a path, .*write "\.\/" in front/],
  ['state: off\ndomains: { a.example: { deliver: mx } }', /^1:8 state wants a path, .*in front/],
  [
    'hold: 14d\ndomains: { a.example: { deliver: mx } }',
    /^1:1 unknown key "hold" here; it stands under domains\.<name>, limits or defaults$/,
  ],
  [
    'recipients: any\ndomains: { a.example: { deliver: mx } }',
    /^1:1 unknown key "recipients" here; it stands under domains\.<name>, limits or defaults$/,
  ],
  [
    'domains: { a.example: { deliver: mx, hostname: a.example } }',
    /^1:38 unknown key "hostname" in domains\.a\.example; it stands at the top$/,
  ],
  [
    'listen: { smtp: [::]:25 }\ndomains: { a.example: { deliver: mx } }',
    /^1:17 brackets make a list in YAML: write it in quotes, "\[::\]:25"$/,
  ],
  ['listen:\n  smtp: [::1]:25\n  http: off', /^2:9 brackets make a list .*"\[::1\]:25"$/],
  ['listen:\n  smtp:\n    - [::]:25', /^3:7 brackets make a list .*"\[::\]:25"$/],
  ['domains: { a.example: { deliver: smtp://[::1]:25 } }', /^1:34 brackets make a list .*"smtp:\/\/\[::1\]:25"$/],
  [
    'listen: { smtp: [127.0.0.1:25, [::]:25] }\ndomains: { a.example: { deliver: mx } }',
    /^1:32 brackets make a list .*"\[::\]:25"/,
  ],
  ['outbound: { from: postmaster }\ndomains: { a.example: { deliver: mx } }', /1:19 outbound\.from wants an address/],
  [
    'routes: { outbound: mx }\ndomains: { a.example: { deliver: mx } }',
    /"outbound" is no name for a route: it is the way of mail of our own/,
  ],
  ['postmaster: mx\ndomains: { a.example: { deliver: mx } }', /1:13 mx has no domain here/],
  ['defaults: { helo: a_b }\ndomains: { a.example: { deliver: mx } }', /^1:19 defaults\.helo wants a host name[^\n]*$/],
  [
    'defaults: { deliver: "http://x" }\ndomains: { a.example:, b.example: }',
    /^1:22 "http:\/\/x" is no backend here[^\n]*$/,
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what people write
  ['state: ${HOME}/x\ndomains: { a.example: { deliver: mx } }', /1:8 .*is replaced in secrets only/],
  ['include: nothing/*.yaml\ndomains: { a.example: { deliver: mx } }', /1:10 "nothing\/\*\.yaml" matches no file/],
  ['include: nope.yaml\ndomains: { a.example: { deliver: mx } }', /1:10 \/nope\.yaml does not exist/],
  ['include: waypost.yaml\ndomains: { a.example: { deliver: mx } }', /1:10 .*is read already/],
  [
    'domains:\n  *.b.example: { deliver: mx }',
    /^2:3 "\*" begins a YAML alias here: write it in quotes, "\*\.b\.example"$/,
  ],
  ['domains: { *.b.example: mx }', /^1:12 "\*" begins a YAML alias here: .*"\*\.b\.example"$/],
  ['domains:\n  *: { deliver: mx }', /^2:3 "\*" begins a YAML alias here: .*"\*\.example\.com"$/],
  ['domains: { a.example: { deliver: mx, addresses: { *@: mx } } }', /^1:51 "\*" begins a YAML alias here: .*"\*@"$/],
  ['a: *', /^1:4 "\*" begins a YAML alias here/],
  ['hostname: [\n\n', /^1:11 not valid YAML: the "\[" that opens here is not closed/],
  ['a: ["]", {b: c # ]\n', /^1:10 not valid YAML: the "{" that opens here is not closed/],
  ['hostname: "mx.a.example\nlisten: { smtp: "0.0.0.0:25" }', /^1:11 not valid YAML: the quote that opens here/],
  ["a: 'it''s # \"x\nlisten: x", /^1:4 not valid YAML: the quote that opens here/],
  ['# \'tis "so\na: "x\\""\nb: [ "y, z ]\nc: d', /^3:6 not valid YAML: the quote that opens here/],
  [
    'domains: { a.example: { deliver: mx, addresses: { __proto__: mx, "b@": mx } } }',
    /^1:51 "__proto__" is no address here: write "local@"/,
  ],
  ['domains: { a.example: { deliver: mx }, __proto__: { deliver: mx } }', /"__proto__" is no domain/],
  ['routes: { __proto__: mx }\ndomains: { a.example: { deliver: mx } }', /"__proto__" is no name for a route/],
  [
    'domains: { a.example: { deliver: mx, recipients: ["a@b.example"] } }',
    /"a@b\.example" is not in a\.example: recipients are local parts, such as "a"/,
  ],
  ['domains: { a.example: { deliver: mx, recipients: ["a@"] } }', /"a@" is no local part, such as "info": it /],
  ['__proto__: x\ndomains: { a.example: { deliver: mx } }', /1:1 unknown key "__proto__"/],
  ['domains: { a.example: { deliver: mx, constructor: x } }', /unknown key "constructor"/],
]

for (const [text, said] of single) {
  test(`a mistake is told with its place: ${JSON.stringify(text).slice(0, 90)}`, async (t) => {
    assert.match((await problems(t, text)).join('\n'), said)
  })
}

test('options of later days are unknown keys today', async (t) => {
  for (const key of ['auth', 'present', 'rate', 'source']) {
    const [found] = await problems(t, `domains: { a.example: { deliver: [{ to: smtp://h, ${key}: x }] } }`)
    assert.match(found ?? '', new RegExp(`unknown key "${key}"`))
  }
})

test('a file that is not there, not a file or not text', async (t) => {
  const path = await folder(t, { 'waypost.yaml': '' })
  await writeFile(join(path, 'latin1.yaml'), Buffer.from([0x61, 0x3a, 0xe4]))
  for (const [name, why] of [
    ['nope.yaml', /does not exist/],
    ['.', /is not a file/],
    ['latin1.yaml', /is not UTF-8/],
  ] as const) {
    const loaded = await loadConfig(join(path, name), deps)
    assert.equal(loaded.kind, 'invalid')
    const said = loaded.kind === 'invalid' ? formatProblems(loaded.problems) : ''
    assert.match(said, why)
    assert.equal(said.split(join(path, name)).length, 2, `the path is named once: ${said}`)
  }
})
