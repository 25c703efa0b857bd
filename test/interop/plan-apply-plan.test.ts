/**
 * `waypost plan` → `apply` → `plan` by the command line, on every kind of server: the second plan is empty, what was not declared is as it was to
 * the octet, and whatever goes wrong is one clear line, exit 2, and nothing half done.
 */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Lab, startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { startBind } from './harness/bind.ts'
import { startKnot } from './harness/knot.ts'
import { answersFor, type KeyWords, newKey, type RealNameServer } from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { type PowerDns, startPowerDns } from './harness/powerdns.ts'
import { type Ran, run } from './harness/program.ts'

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

/** What the domain is to become, and where. */
interface Words {
  readonly publishers: Readonly<Record<string, unknown>>
  readonly domain?: Readonly<Record<string, unknown>>
  readonly more?: Readonly<Record<string, unknown>>
}

const wanted = {
  exchangers: [
    { preference: '10', host: 'mx1.example.test', addresses: ['192.0.2.1', '2001:db8::1'] },
    { preference: '5', host: 'mx3.example.test', addresses: ['192.0.2.3'] },
    { preference: '20', host: 'backup.example.net' },
  ],
  records: { spf: 'v=spf1 mx include:example.net -all', dmarc: 'v=DMARC1; p=none' },
  ttl: '10m',
  publish: 'here',
}

async function stage(lab: Lab, { publishers, domain = wanted, more = {} }: Words) {
  const dns = await lab.dns({ 'theirs.example.net': { A: ['192.0.2.7'] }, 'backup.example.net': { A: ['192.0.2.8'] } })
  const file = join(lab.folder, 'waypost.yaml')
  const write = (said: Readonly<Record<string, unknown>>) =>
    writeFile(
      file,
      JSON.stringify({
        ...{ hostname: 'mx1.example.test', state: join(lab.folder, 'state') },
        ...{ publishers, domains: { 'example.test': said }, resolver: resolverAt(dns) },
        ...more,
      }),
    )
  await write(domain)
  /** Without asking exchangers: there are none. */
  const command = (...words: string[]): Promise<Ran> => run(waypost, [...words, '-c', file, '--no-smtp'])
  return { command, write, file }
}

const resolverAt = ({ server }: { server: { address: string; port: number } }) => ({
  servers: [`${server.address}:${server.port}`],
  timeout: '5s',
})

const placeOf = ({ address, port }: { address: string; port: number }) => `${address}:${port}`

async function recordsAt({ address, port }: RealNameServer, key: KeyWords): Promise<string[]> {
  const words = ['-p', String(port), `@${address}`, '-y', `${key.algorithm}:${key.name}:${key.secret}`]
  const { stdout } = await run('dig', [...words, 'example.test', 'AXFR', '+noall', '+answer', '+nosplit'])
  const lines = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '))
  return lines.filter((line) => line !== '' && !/ SOA /.test(line)).toSorted()
}

/** Lines of what the configuration does not speak of. */
const untouched = (lines: readonly string[]) => lines.filter((line) => !/ MX |v=spf1|v=DMARC1|^mx[13]\./.test(line))

const mxOf = (lines: readonly string[]) =>
  lines.filter((line) => / MX /.test(line)).map((line) => line.replace(/^.* MX /, ''))

interface Kind {
  readonly name: string
  readonly start: (lab: Lab, key: KeyWords) => Promise<RealNameServer>
  readonly publisher: (server: RealNameServer) => Readonly<Record<string, unknown>>
}

const zone = (key: KeyWords) => ({
  keys: [key],
  zones: [{ name: 'example.test', updateKeys: [key.name], transfer: [key.name] }],
})
const fileZone = (key: KeyWords) => ({ keys: [key], zones: [{ name: 'example.test', transfer: [key.name] }] })
const byUpdate = (server: RealNameServer) => ({
  ...{ type: 'rfc2136', server: placeOf(server), servers: [placeOf(server)] },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the configuration says
  tsig: { name: 'waypost', secret: '${TEST_TSIG_SECRET}' },
})
const byFile = (server: RealNameServer) => ({
  ...{ type: 'zonefile', path: server.zoneFile('{zone}'), servers: [placeOf(server)] },
  reload: server.reload('example.test'),
})
const byApi = (server: RealNameServer) => ({
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the configuration says
  ...{ type: 'powerdns', url: (server as PowerDns).api.url, apiKey: '${TEST_API_KEY}', servers: [placeOf(server)] },
})

const kinds: readonly Kind[] = [
  { name: 'BIND by dynamic update', start: (lab, key) => startBind(lab, zone(key)), publisher: byUpdate },
  { name: 'Knot by dynamic update', start: (lab, key) => startKnot(lab, zone(key)), publisher: byUpdate },
  { name: 'PowerDNS by dynamic update', start: (lab, key) => startPowerDns(lab, zone(key)), publisher: byUpdate },
  { name: 'PowerDNS by its API', start: (lab, key) => startPowerDns(lab, zone(key)), publisher: byApi },
  { name: 'NSD by its zone file', start: (lab, key) => startNsd(lab, fileZone(key)), publisher: byFile },
  { name: 'BIND by its zone file', start: (lab, key) => startBind(lab, fileZone(key)), publisher: byFile },
]

function setSecrets(key: KeyWords, server?: RealNameServer): void {
  process.env.TEST_TSIG_SECRET = key.secret
  if (server && 'api' in server) process.env.TEST_API_KEY = (server as PowerDns).api.key
}

for (const { name, start, publisher } of kinds) {
  test(`${name}: plan, apply, and the plan is empty; what was not declared stays to the octet`, async (t) => {
    const lab = await startLab(t)
    const key = newKey('waypost')
    const server = await start(lab, key)
    setSecrets(key, server)
    const { command } = await stage(lab, { publishers: { here: publisher(server) } })
    const before = await recordsAt(server, key)

    const planned = await command('plan')
    assert.equal(planned.code, 3, planned.stdout + planned.stderr)
    assert.match(planned.stdout, /\+ example\.test\. +MX +5 mx3\.example\.test\. +TTL 600/)
    assert.match(planned.stdout, /- example\.test\. +MX +20 mx2\.example\.test\./)
    assert.match(planned.stdout, /another-string.*not declared/)
    assert.deepEqual(await recordsAt(server, key), before)

    const applied = await command('apply', '--yes')
    assert.equal(applied.code, 0, applied.stdout + applied.stderr)
    assert.match(applied.stdout, /The server answers with it\./)
    assert.match(applied.stdout, /Caches may hold what was there before until \d{4}-\d\d-\d\d \d\d:\d\d UTC\./)
    assert.match(applied.stderr, /\[#{20}\] 1 of 1 servers/)
    const after = await recordsAt(server, key)
    assert.deepEqual(untouched(after), untouched(before))
    assert.deepEqual(mxOf(after).toSorted(), ['10 mx1.example.test.', '20 backup.example.net.', '5 mx3.example.test.'])
    assert.ok(after.some((line) => line.includes('"another-string"')))

    const again = await command('plan')
    assert.equal(again.code, 0, again.stdout)
    assert.match(again.stdout, /No changes\./)
    assert.match(again.stdout, /mx2\.example\.test\. +A .*|No changes/)
    const nothing = await command('apply', '--yes')
    assert.equal(nothing.code, 0)
    assert.deepEqual(await recordsAt(server, key), after)
    for (const { stdout, stderr } of [planned, applied, again])
      assert.ok(!stdout.includes(key.secret) && !stderr.includes(key.secret))
  })

  test(`${name}: a record changed by another hand between plan and apply stops the apply`, async (t) => {
    const lab = await startLab(t)
    const key = newKey('waypost')
    const server = await start(lab, key)
    setSecrets(key, server)
    const { command, write } = await stage(lab, { publishers: { here: publisher(server) } })
    const planned = await command('plan', '--json')
    assert.equal(planned.code, 3)
    const kept = join(lab.folder, 'plan.json')
    await writeFile(kept, planned.stdout)
    assert.equal((await command('plan', '--json')).stdout, planned.stdout)

    // The other hand is Waypost, too, with something else to say.
    await write({ exchangers: [{ preference: '7', host: 'theirs.example.net' }], ttl: '5m', publish: 'here' })
    assert.equal((await command('apply', '--yes')).code, 0)
    await write(wanted)
    const theirs = await recordsAt(server, key)
    const stopped = await command('apply', '--yes', '--plan', kept)
    assert.equal(stopped.code, 2, stopped.stdout + stopped.stderr)
    assert.match(stopped.stderr, /nothing was changed: the plan is no longer the one in/)
    assert.match(
      stopped.stderr,
      /^Planned then.*\n[\s\S]*20 mx2\.example\.test\.[\s\S]*^Planned now.*\n[\s\S]*7 theirs\.example\.net\./m,
    )
    assert.deepEqual(await recordsAt(server, key), theirs)

    const now = await command('plan', '--json')
    await writeFile(kept, now.stdout)
    assert.equal((await command('apply', '--yes', '--plan', kept)).code, 0)
  })
}

/** One clear line, exit 2, and the zone as it was. */
async function assertFails(lab: Lab, words: Words, clear: RegExp, verb: 'plan' | 'apply' = 'apply'): Promise<void> {
  const { command } = await stage(lab, words)
  const failed = await command(...(verb === 'apply' ? ['apply', '--yes', '--wait', '2s'] : ['plan']))
  assert.equal(failed.code, 2, failed.stdout + failed.stderr)
  assert.match(failed.stdout + failed.stderr, clear)
}

test('BIND: wrong secret, unknown key, no secret, a type that is not allowed, a dead server', async (t) => {
  const lab = await startLab(t)
  const key = newKey('waypost')
  const zones = [
    { name: 'example.test', updateKeys: [key.name], updateTypes: ['MX', 'TXT'], transfer: 'anybody' as const },
  ]
  const server = await startBind(lab, { keys: [key], zones })
  const before = await recordsAt(server, key)
  const here = byUpdate(server)
  process.env.TEST_TSIG_SECRET = newKey('waypost').secret
  await assertFails(lab, { publishers: { here } }, /another secret for the key waypost\. \(BADSIG\)|BADSIG/)
  process.env.TEST_TSIG_SECRET = key.secret
  const nobody = { ...here, tsig: { ...here.tsig, name: 'nobody' } }
  for (const verb of ['plan', 'apply'] as const)
    await assertFails(lab, { publishers: { here: nobody } }, /does not know the key nobody\..*BADKEY/, verb)
  const unset = { ...here, tsig: { ...here.tsig, secret: '$' + '{NOT_SET_ANYWHERE}' } }
  await assertFails(lab, { publishers: { here: unset } }, /the environment has no NOT_SET_ANYWHERE/)
  const refused = /refused the update \(REFUSED\)/
  await assertFails(lab, { publishers: { here } }, refused)
  assert.deepEqual(await recordsAt(server, key), before)
  await server.stop()
  await assertFails(lab, { publishers: { here } }, /does not answer: ECONNREFUSED/, 'plan')
})

test('PowerDNS: a wrong API key, a zone that is not there, a dead server', async (t) => {
  const lab = await startLab(t)
  const key = newKey('waypost')
  const server = await startPowerDns(lab, zone(key))
  const before = await recordsAt(server, key)
  process.env.TEST_API_KEY = 'wrong'
  await assertFails(lab, { publishers: { here: byApi(server) } }, /does not take the key \(HTTP 401/)
  setSecrets(key, server)
  const elsewhere = { ...byApi(server), zone: 'test' }
  await assertFails(lab, { publishers: { here: elsewhere } }, /does not have the zone test\./)
  assert.deepEqual(await recordsAt(server, key), before)
  await server.stop()
  await assertFails(lab, { publishers: { here: byApi(server) } }, /does not answer: ECONNREFUSED/)
})

test('a zone file that is read-only, that is missing, that is broken, that has a journal; a reload that fails', async (t) => {
  const lab = await startLab(t)
  const key = newKey('waypost')
  const server = await startNsd(lab, fileZone(key))
  const path = server.zoneFile('example.test')
  const before = await readFile(path, 'utf8')
  const here = byFile(server)
  await chmod(path, 0o444)
  await assertFails(lab, { publishers: { here } }, /is read-only/)
  await chmod(path, 0o644)
  await assertFails(
    lab,
    { publishers: { here: { ...here, path: `${path}.not` } } },
    /cannot be read: there is no such file/,
  )
  await writeFile(`${path}.jnl`, '')
  await assertFails(lab, { publishers: { here: { ...here, path } } }, /changed by dynamic update/)
  const broken = join(lab.folder, 'broken.zone')
  await writeFile(broken, `${before}\nmx9 MX ten mx\n`)
  await assertFails(lab, { publishers: { here: { ...here, path: broken } } }, /broken\.zone:\d+:8: /)
  const checked = join(lab.folder, 'checked.zone')
  await writeFile(checked, before)
  const check = ['/bin/false', '{file}']
  await assertFails(
    lab,
    { publishers: { here: { ...here, path: checked, check } } },
    /was not accepted: .*\/bin\/false/,
  )
  assert.equal(await readFile(checked, 'utf8'), before)
  assert.equal(await readFile(path, 'utf8'), before)
  await assertFails(
    lab,
    { publishers: { here: { ...here, path: checked, reload: ['/bin/false'] } } },
    /was written, and its server has not read it/,
  )
  assert.match(await readFile(checked, 'utf8'), /mx3/)
})

test('the built-in server: made at the start, changed by apply, followed by an NSD, and kept over a restart', async (t) => {
  const lab = await startLab(t)
  const [address, secondary] = [freeAddress(), freeAddress()]
  const port = await freePort(address)
  const secondaryPort = await freePort(secondary)
  const domain = { ...wanted, deliver: 'maildir:./mail', recipients: 'any', publish: 'builtin' }
  const config = (preference: string) =>
    JSON.stringify({
      hostname: 'mx1.example.test',
      state: join(lab.folder, 'builtin-state'),
      listen: { smtp: 'LISTEN', dns: `${address}:${port}` },
      publishers: { builtin: { type: 'builtin', servers: [`${address}:${port}`, `${secondary}:${secondaryPort}`] } },
      dns: { secondaries: [{ address: `${secondary}:${secondaryPort}` }], rateLimit: { perSecond: '0' } },
      domains: {
        'example.test': { ...domain, exchangers: [{ preference, host: 'mx1.example.test', addresses: ['192.0.2.1'] }] },
      },
    })
  const serve = await lab.process({ config: config('10') })
  await lab.until(() => serve.stdout.includes('DNS for its zones'))
  const words = { zones: [{ name: 'example.test', primary: { address, port } }] }
  const nsd = await startNsd(lab, words, { address: secondary, port: secondaryPort })
  await lab.until(() => answersFor(nsd.server, 'example.test'))
  const command = (...args: string[]) => run(waypost, [...args, '-c', serve.configFile, '--no-smtp'])
  const empty = await command('plan')
  assert.equal(empty.code, 0, empty.stdout + empty.stderr)

  await serve.configure(config('30'))
  assert.equal((await command('plan')).code, 3)
  const applied = await command('apply', '--yes', '--wait', '2m')
  assert.equal(applied.code, 0, applied.stdout + applied.stderr)
  assert.match(applied.stdout, /All 2 servers answer with it\./)
  assert.equal((await command('plan')).code, 0)
  const { stdout } = await run('dig', ['-p', String(secondaryPort), `@${secondary}`, 'example.test', 'MX', '+short'])
  assert.equal(stdout, '30 mx1.example.test.\n')

  // What is served is what was applied: neither a restart nor another configuration changes it.
  await serve.stop()
  const restarted = await lab.process({ config: config('40') })
  await lab.until(() => restarted.stdout.includes('DNS for its zones'))
  const asked = await run('dig', ['-p', String(port), `@${address}`, 'example.test', 'MX', '+short'])
  assert.equal(asked.stdout, '30 mx1.example.test.\n')
  const planned = await run(waypost, ['plan', '-c', restarted.configFile, '--no-smtp'])
  assert.equal(planned.code, 3, planned.stdout + planned.stderr)
})
