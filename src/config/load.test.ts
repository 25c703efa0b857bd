import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { deps, destination, folder, load, problems } from '../../test/config-folder.ts'
import { productionBudgets, productionLimits } from '../../test/lab/settings.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { readInBackground } from './background.ts'
import { loadConfig, loadLastGood } from './load.ts'
import { formatProblems } from './source.ts'

const pair = readFileSync(new URL('../../test/fixtures/mx.example.test.pem', import.meta.url), 'utf8')

test('the least that works, with every default', async (t) => {
  const loaded = await load(t, 'domains: { example.org: { deliver: mx } }')
  const { settings, summary } = loaded
  assert.equal(settings.hostname, 'box.example.net')
  assert.deepEqual(settings.listen, [{ address: '127.0.0.1', port: 2525 }])
  assert.match(settings.state, /\/waypost-data$/)
  assert.equal(settings.postmaster.entries[0]?.backend.url, `maildir:${settings.state}/postmaster`)
  assert.deepEqual(settings.limits, productionLimits)
  assert.deepEqual(settings.budgets, productionBudgets)
  const [{ route } = assert.fail()] = settings.destinations.domains
  assert.deepEqual([route.balance, route.onDefer], ['round-robin', 'pass'])
  const [{ backend, preference, weight } = assert.fail()] = route.entries
  assert.deepEqual([preference, weight], [10, 1])
  assert.deepEqual(backend.options, { tls: 'may', helo: undefined, connections: 20, private: false })
  assert.equal(settings.tls, undefined)
  assert.equal(destination(loaded, 'you@example.org'), 'mx')
  assert.deepEqual(
    { domains: summary.domains, routes: summary.routes, backends: summary.backends },
    { domains: 1, routes: 2, backends: 2 },
  )
})

test('whose mail goes elsewhere says so, whatever the defaults are', async (t) => {
  const kept = 'exchangers: [{ preference: 10, host: mx.example.net }]'
  const domains = `domains:\n  a.example:\n  b.example: { deliver: none, ${kept} }\n`
  const loaded = await load(t, `defaults: { deliver: "smtp://192.0.2.1" }\n${domains}`)
  assert.deepEqual(
    ['you@a.example', 'you@b.example'].map((address) => destination(loaded, address)),
    ['smtp://192.0.2.1:25', 'not-ours'],
  )
  assert.deepEqual([loaded.summary.domains, loaded.summary.declared], [1, 1])
  // The defaults can say it too, of all that say nothing else.
  const other = await load(
    t,
    `defaults: { deliver: none }\ndomains: { a.example: { deliver: mx }, b.example: { ${kept} } }`,
  )
  assert.deepEqual([other.summary.domains, other.summary.declared], [1, 1])

  const wrong = `defaults: { deliver: none }\nroutes: { none: mx }\ndomains:\n  a.example:\n  b.example: { deliver: none, ${kept}, addresses: { "x@": mx } }`
  const [route, nothing, addresses, ...more] = await problems(t, wrong)
  assert.match(route ?? '', /^2:11 "none" is no name for a route: it says of a domain that its mail goes elsewhere/)
  assert.match(nothing ?? '', /^4:3 a\.example: "deliver: none", and no records of it are declared: nothing/)
  assert.match(addresses ?? '', /^5:\d+ no mail is taken for these: "deliver: none"/)
  assert.deepEqual(more, [])
})

test('a machine without a full name of its own is localhost.localdomain', async (t) => {
  const path = join(await folder(t, { 'waypost.yaml': 'domains: { example.org: { deliver: mx } }' }), 'waypost.yaml')
  for (const machineName of ['box', '', '10.0.0.1', 'bad_name.example']) {
    const loaded = await loadConfig(path, { ...deps, machineName })
    assert.equal(loaded.kind === 'loaded' && loaded.settings.hostname, 'localhost.localdomain')
  }
})

test('everything that can be said is heard', async (t) => {
  const loaded = await load(
    t,
    `
hostname: MX1.example.com
listen: { smtp: ["0.0.0.0:25", "[::]:25"] }
state: ./state
tls: { certificate: cert.pem, key: key.pem }
limits: { messageBytes: 1MiB, recipients: 100, connections: 5, hops: 30, minimumRate: 1 }
budgets: { connect: 1ms, dot: 300ms, bodyReserve: 100ms }
shutdownGrace: 0s
publicAddresses: [192.0.2.1, "2001:DB8::1"]
resolver: { servers: ["127.0.0.1:5353", "::1"] }
bareNewline: reject
eightBit: refuse
postmaster: smtp://10.0.0.9
trusted: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
outbound: { via: smtp://relay.example, from: help@example.org }
routes:
  pool: [smtp://10.0.0.1, { to: smtp://10.0.0.2, weight: 3, preference: 20, tls: require, helo: Me.example, connections: 7 }]
defaults: { onDefer: hold, connections: 5, deliver: pool }
domains:
  a.example: { deliver: pool }
  b.example:
  c.example: { deliver: { nested: wrong } }
`.replace(
      /\n {2}c\.example.*\n/,
      '\n  c.example: { deliver: [{ to: mx:d.example, private: true }], balance: least-connections, onDefer: pass }\n',
    ),
    { 'cert.pem': pair, 'key.pem': pair },
  )
  const { settings } = loaded
  assert.equal(settings.hostname, 'mx1.example.com')
  assert.deepEqual(
    settings.listen.map(({ address, port }) => `${address} ${port}`),
    ['0.0.0.0 25', ':: 25'],
  )
  assert.match(settings.tls?.certificate ?? '', /\/cert\.pem$/)
  assert.deepEqual(
    [settings.limits.messageBytes, settings.limits.hops, settings.limits.minimumRate],
    [1024 ** 2, 30, 1],
  )
  assert.deepEqual([settings.budgets.connectMs, settings.budgets.dotMs, settings.budgets.shutdownGraceMs], [1, 300, 0])
  assert.deepEqual(settings.publicAddresses, ['192.0.2.1', '2001:db8::1'])
  assert.deepEqual(
    settings.resolver.servers.map(({ address, port }) => `${address} ${port}`),
    ['127.0.0.1 5353', '::1 53'],
  )
  assert.deepEqual([settings.bareNewline, settings.eightBit], ['reject', 'refuse'])
  assert.equal(settings.postmaster.entries[0]?.backend.url, 'smtp://10.0.0.9:25')
  assert.deepEqual(settings.trusted, [
    { address: '10.0.0.0', bits: 8 },
    { address: '2001:db8::', bits: 32 },
    { address: '192.0.2.7', bits: 32 },
  ])
  assert.equal(settings.outbound.via?.entries[0]?.backend.url, 'smtp://relay.example:25')
  assert.equal(settings.outbound.from?.text, 'help@example.org')
  assert.equal(settings.dsn, true)
  const [a, b, c] = settings.destinations.domains
  assert.equal(a?.route, b?.route)
  assert.equal(a?.route.id, 'pool')
  assert.equal(a?.route.onDefer, 'hold')
  assert.deepEqual(
    a?.route.entries.map(({ backend, preference, weight }) => [backend.key, preference, weight]),
    [
      ['smtp://10.0.0.1:25 connections=5', 10, 1],
      ['smtp://10.0.0.2:25 tls=require helo=me.example connections=7', 20, 3],
    ],
  )
  assert.deepEqual(
    [c?.route.balance, c?.route.onDefer, c?.route.entries[0]?.backend.options.private],
    ['least-connections', 'pass', true],
  )
})

test('equal lists are one route, however their backends are spelt', async (t) => {
  const loaded = await load(
    t,
    `
domains:
  a.example: { deliver: "smtp://Host.example:25" }
  b.example: { deliver: [{ to: smtp://host.example }] }
  c.example: { deliver: [{ to: smtp://host.example, weight: 1, preference: 10, tls: may }] }
  d.example: { deliver: smtp://host.example, balance: least-connections }
  e.example: { deliver: { x: y } }
`.replace(/\n {2}e.*\n/, '\n'),
  )
  const [a, b, c, d] = loaded.settings.destinations.domains.map((domain) => domain.route)
  assert.equal(a, b)
  assert.equal(a, c)
  assert.notEqual(a, d)
  assert.equal(a?.entries[0]?.backend, d?.entries[0]?.backend)
})

test('recipients and addresses', async (t) => {
  const loaded = await load(
    t,
    `
domains:
  a.example:
    deliver: smtp://10.0.0.1
    recipients: [Info, "quoted x"@a.example, no, 007]
    addresses: { "sales@": smtp://10.0.0.2, "team-*@": [smtp://10.0.0.3], "a%b@": smtp://10.0.0.4 }
  "*.b.example":
    deliver: smtp://10.0.0.1
    recipients: { file: lists/b.txt }
    addresses: { "x@y.b.example": smtp://10.0.0.5 }
`.replace('"quoted x"@a.example', '\'"quoted x"@a.example\''),
    { 'lists/b.txt': '# people\nanna\n\n  Bert # the other one\n' },
  )
  assert.equal(destination(loaded, 'info@a.example'), 'smtp://10.0.0.1:25')
  assert.equal(destination(loaded, '"quoted x"@a.example'), 'smtp://10.0.0.1:25')
  assert.equal(destination(loaded, 'no@a.example'), 'smtp://10.0.0.1:25')
  assert.equal(destination(loaded, '007@a.example'), 'smtp://10.0.0.1:25')
  assert.equal(destination(loaded, '7@a.example'), 'unknown-recipient')
  assert.equal(destination(loaded, 'Sales@a.example'), 'smtp://10.0.0.2:25')
  assert.equal(destination(loaded, 'team-x@a.example'), 'smtp://10.0.0.3:25')
  assert.equal(destination(loaded, 'a%b@a.example'), 'smtp://10.0.0.4:25')
  assert.equal(destination(loaded, 'bert@c.b.example'), 'smtp://10.0.0.1:25')
  assert.equal(destination(loaded, 'carl@c.b.example'), 'unknown-recipient')
  assert.equal(destination(loaded, 'x@y.b.example'), 'smtp://10.0.0.5:25')
})

test('included files hold domains, and nothing that only the owner of this machine may say', async (t) => {
  const main = 'include: "domains/*.yaml"\ndomains: { a.example: { deliver: mx } }'
  const good = { 'domains/1.yaml': 'domains: { b.example: { deliver: smtp://198.51.100.1.example } }' }
  const loaded = await load(t, main, good)
  assert.deepEqual([...loaded.names].sort(), ['a.example', 'b.example'])
  assert.deepEqual(loaded.summary.files.length, 2)

  const found = await problems(t, main, {
    'domains/1.yaml': `state: /tmp
domains:
  c.example: { deliver: "maildir:/x", recipients: any }
  d.example: { deliver: "lmtp:/run/x" }
  e.example: { deliver: smtp://10.0.0.1 }
  f.example: { deliver: "smtp://[::ffff:127.0.0.1]" }
  g.example: { deliver: smtp://localhost }
  h.example: { deliver: smtp://db.internal }
  i.example: { deliver: [{ to: mx, private: true }] }
  j.example: { deliver: mx, recipients: { file: /etc/passwd } }
  a.example: { deliver: mx }
`,
  })
  const expected = [
    /1:1 unknown key "state"; Known: domains/,
    /3:25 .*a Maildir only where/,
    /4:25 .*a socket only/,
    /5:25 10\.0\.0\.1 is private/,
    /6:25 127\.0\.0\.1 is loopback/,
    /7:25 localhost is a name without a dot/,
    /8:25 db\.internal is a name of a private network/,
    /9:\d+ .*private: true/,
    /10:\d+ .*may name a file only/,
    /11:3 a\.example is declared already, in \/waypost\.yaml on line 2/,
  ]
  assert.equal(found.length, expected.length, found.join('\n'))
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
  assert.ok(found.every((line) => line.startsWith('domains/1.yaml:')))

  const trusted = await load(t, main.replace('"domains/*.yaml"', '{ file: "domains/*.yaml", trusted: true }'), {
    'domains/1.yaml': 'domains: { c.example: { deliver: "maildir:x", recipients: any } }',
  })
  // Relative to the file that names it.
  assert.match(destination(trusted, 'you@c.example'), /\/domains\/x$/)
})

test('a host that a file names which is not trusted is marked, and shares nothing with the same name elsewhere', async (t) => {
  const one = 'smtp://mx.elsewhere.example'
  const { settings } = await load(t, `include: more.yaml\ndomains: { a.example: { deliver: "${one}" } }\n`, {
    'more.yaml': `domains: { b.example: { deliver: "${one}" }, c.example: { deliver: "smtp://8.8.8.8" } }`,
  })
  const marks = settings.destinations.domains.map(({ name, route }) => [
    name,
    route.entries.map(({ backend }) => backend.options.isPublicOnly === true),
  ])
  assert.deepEqual(Object.fromEntries(marks), { 'a.example': [false], 'b.example': [true], 'c.example': [false] })
  assert.equal(settings.destinations.routes.length, 3)
})

test('aliases are read, and aliases of aliases stay bounded', async (t) => {
  const loaded = await load(
    t,
    'domains:\n  a.example: { deliver: &pool [smtp://10.0.0.1, smtp://10.0.0.2] }\n  b.example: { deliver: *pool }\n',
  )
  assert.equal(loaded.settings.destinations.domains[0]?.route, loaded.settings.destinations.domains[1]?.route)

  const levels = Array.from(
    { length: 25 },
    (_, level) =>
      `  l${level}: &l${level} [${
        level === 0
          ? 'mx'
          : Array(9)
              .fill(`*l${level - 1}`)
              .join(', ')
      }]`,
  )
  const started = performance.now()
  const found = await problems(t, `routes:\n${levels.join('\n')}\ndomains: { a.example: { deliver: mx } }`)
  assert.match(found.join('\n'), /aliases of aliases grow too large here/)
  assert.ok(performance.now() - started < 60_000)
})

test('nesting is bounded', async (t) => {
  assert.match((await problems(t, `domains: ${'['.repeat(5000)}`)).join('\n'), /1:\d+ not valid YAML/)
})

test('the copy of the last good configuration stands in when the file is wrong', async (t) => {
  const path = await folder(t, {
    'waypost.yaml':
      'state: ./state\ninclude: "more/*.yaml"\ndomains: { a.example: { deliver: mx, recipients: { file: r.txt } } }',
    'more/b.yaml': 'domains: { b.example: { deliver: mx } }',
    'r.txt': 'anna',
  })
  const file = join(path, 'waypost.yaml')
  const loaded = await loadConfig(file, deps)
  assert.equal(loaded.kind, 'loaded')
  if (loaded.kind !== 'loaded') return
  await loaded.commit()
  assert.equal((await stat(join(path, 'state'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(path, 'state/last-good-config.json'))).mode & 0o777, 0o600)

  await writeFile(file, 'state: ./state\ndomains: nonsense')
  await rm(join(path, 'more'), { recursive: true })
  await rm(join(path, 'r.txt'))
  const wrong = await loadConfig(file, deps)
  assert.equal(wrong.kind === 'invalid' && wrong.state, join(path, 'state'))
  const copy = await loadLastGood(join(path, 'state'), deps)
  assert.equal(copy.kind, 'loaded', copy.kind === 'invalid' ? formatProblems(copy.problems) : '')
  if (copy.kind !== 'loaded') return
  assert.deepEqual([...copy.names].sort(), ['a.example', 'b.example'])
  assert.equal(destination(copy, 'anna@a.example'), 'mx')

  await writeFile(join(path, 'state/last-good-config.json'), '{"format":1,"files":')
  const broken = await loadLastGood(join(path, 'state'), deps)
  assert.match(broken.kind === 'invalid' ? formatProblems(broken.problems) : '', /holds no last good configuration/)
})

test('a domain that left is remembered for 7 days, over restarts, unless it comes back', async (t) => {
  const path = await folder(t, {})
  let nowMs = Date.UTC(2030, 0, 1)
  const clock: Clock = { ...systemClock, now: () => nowMs }
  const withDomains = async (...names: string[]) => {
    const domains = names.map((name) => `  "${name}": { deliver: mx }`).join('\n')
    await writeFile(join(path, 'waypost.yaml'), `state: ./state\ndomains:\n${domains}\n`)
    const loaded = await loadConfig(join(path, 'waypost.yaml'), { ...deps, clock })
    if (loaded.kind !== 'loaded') return assert.fail()
    await loaded.commit()
    return loaded
  }
  await withDomains('a.example', 'b.example', '*.c.example')
  let loaded = await withDomains('a.example')
  assert.equal(destination(loaded, 'you@b.example'), 'left recently')
  assert.equal(destination(loaded, 'you@x.c.example'), 'left recently')
  assert.equal(destination(loaded, 'you@c.example'), 'not-ours')
  nowMs += 6 * 86_400_000
  loaded = await withDomains('a.example', '*.c.example')
  assert.equal(destination(loaded, 'you@b.example'), 'left recently')
  assert.equal(destination(loaded, 'you@x.c.example'), 'mx')
  nowMs += 86_400_000 + 1
  // The running one forgets by itself, without a load.
  assert.equal(destination(loaded, 'you@b.example'), 'not-ours')
  loaded = await withDomains('a.example')
  assert.equal(destination(loaded, 'you@x.c.example'), 'left recently')
  assert.ok(!(await readFile(join(path, 'state/departed-domains.json'), 'utf8')).includes('b.example'))
})

test('a reload that drops more than 10 domains and more than 1 % of them is refused, unless it is meant', async (t) => {
  const path = await folder(t, {})
  const file = join(path, 'waypost.yaml')
  const names = (count: number) => Array.from({ length: count }, (_, index) => `d${index}.example`)
  const write = (count: number) =>
    writeFile(
      file,
      `state: ./state\ndomains:\n${names(count)
        .map((name) => `  ${name}: { deliver: mx }\n`)
        .join('')}`,
    )
  const reload = async (from: number, to: number, allowRemoval = false) => {
    await write(to)
    return await loadConfig(file, { ...deps, reloadOf: new Set(names(from)), allowRemoval })
  }
  assert.equal((await reload(20, 10)).kind, 'loaded')
  const refused = await reload(20, 9)
  assert.equal(refused.kind, 'too-many-removed')
  assert.equal(refused.kind === 'too-many-removed' && refused.removed.length, 11)
  assert.equal((await reload(20, 9, true)).kind, 'loaded')
  assert.equal((await reload(2000, 1980)).kind, 'loaded')
  assert.equal((await reload(2000, 1979)).kind, 'too-many-removed')
})

test('20,000 domains load in the background without a pause, and as on this thread', async (t) => {
  const domains = Array.from(
    { length: 20_000 },
    (_, index) => `  d${index}.example: { deliver: [{ to: "smtp://10.0.${index % 50}.1", weight: 2 }] }\n`,
  )
  const path = join(
    await folder(t, { 'waypost.yaml': `state: ./state\ndomains:\n${domains.join('')}` }),
    'waypost.yaml',
  )
  // Processor time of this thread, because the machine may be busy with other things.
  const usedMs = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  const before = usedMs()
  const here = await loadConfig(path, deps)
  assert.ok(usedMs() - before < 3000, `${usedMs() - before} ms`)
  assert.equal(here.kind, 'loaded')
  if (here.kind !== 'loaded') return

  let longestMs = 0
  let last = usedMs()
  const beat = setInterval(() => {
    longestMs = Math.max(longestMs, usedMs() - last)
    last = usedMs()
  }, 1)
  t.after(() => clearInterval(beat))
  const beside = await loadConfig(path, { ...deps, read: readInBackground, reloadOf: here.names })
  assert.equal(beside.kind, 'loaded')
  if (beside.kind !== 'loaded') return
  await beside.commit()
  assert.ok(longestMs < 100, `${longestMs} ms`)
  assert.equal(beside.settings.destinations.domains.length, 20_000)
  assert.deepEqual(beside.settings.destinations.domains[77], here.settings.destinations.domains[77])
  const routes = new Set(beside.settings.destinations.domains.map((domain) => domain.route))
  assert.equal(routes.size, 50)
})

test('mistakes found in the background are the same', async (t) => {
  const path = join(await folder(t, { 'waypost.yaml': 'domains: { a.example: { delivr: mx } }' }), 'waypost.yaml')
  const [here, beside] = [await loadConfig(path, deps), await loadConfig(path, { ...deps, read: readInBackground })]
  assert.deepEqual(beside, here)
})
