/**
 * `waypost migrate --to declared` where the new exchangers lie in the zone and were never published: their addresses come first, for as long as a
 * resolver may hold that there are none nobody is sent there, and `--abort` takes away what was added and nothing else. A zone at BIND, which refuses
 * an exchanger without an address. Needs Debian's bind9, bind9-dnsutils and unbound, and root for port 25.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandFolder } from '../lab/command.ts'
import { startLab } from '../lab/lab.ts'
import { startBind } from './harness/bind.ts'
import { newKey } from './harness/name-server.ts'
import { runWell } from './harness/program.ts'
import { startUnbound } from './harness/unbound.ts'

test('addresses of the new hosts are published first, waited for, taken back alone, and there in the end', async (t) => {
  const lab = await startLab(t, 600_000)
  const [old, fresh] = [await lab.backend({ port: 25 }), await lab.backend({ port: 25 })]
  const key = newKey('waypost')
  const text = `$ORIGIN example.test.
$TTL 4
@ 20 SOA ns hostmaster 1 3600 600 86400 20
@ NS ns
@ MX 10 old
@ TXT "v=spf1 mx -all"
ns A 127.0.0.1
old A ${old.address}
`
  const bind = await startBind(lab, { keys: [key], zones: [{ name: 'example.test', text, updateKeys: [key.name] }] })
  const unbound = await startUnbound(lab, ['example.test'], bind)
  const { folder, run } = await commandFolder(t, { KEY: key.secret })
  const publisher = {
    ...{ type: 'rfc2136', server: `${bind.address}:${bind.port}`, servers: `${bind.address}:${bind.port}` },
    tsig: { name: key.name, secret: '$' + '{KEY}' },
  }
  const exchangers = [{ preference: '10', host: 'new.example.test', addresses: [fresh.address, '2001:db8::25'] }]
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'waypost.example.test', state: join(folder, 'state'), publishers: { here: publisher } },
      resolver: { servers: [`${unbound.address}:53`] },
      domains: { 'example.test': { exchangers, ttl: '4s', publish: 'here' } },
    }),
  )
  const command = async (...words: string[]) => {
    const ran = await run(...words, '--private')
    assert.equal(ran.code, 0, `waypost ${words.join(' ')}: ${ran.out}${ran.err}`)
    return ran.out
  }
  const dig = async (server: readonly string[], name: string, type: string) => {
    const { stdout } = await runWell('dig', [...server, '+noall', '+answer', '+comments', name, type])
    return {
      isThere: stdout.includes('NOERROR'),
      data: Array.from(stdout.matchAll(/^\S+\t+\d+\tIN\t\S+\t(?:\d+ )?(\S+)$/gm), ([, one]) => one).sort(),
    }
  }
  const atBind = (name: string, type: string) => dig([`@${bind.address}`, '-p', String(bind.port)], name, type)
  const status = async () => JSON.parse(await command('migrate', 'example.test', '--json'))
  /** Does what is safe until this step is the next, which may have to be waited for, or until that is how it stands. */
  const goOnTo = (end: string) =>
    lab.until(async () => {
      const { state, next } = await status()
      if (state === end || next?.stage === end) return true
      if (state === 'apply') await command('apply', 'example.test', '--yes')
      return false
    }, 240_000)

  // Somebody asked for it too early: unbound holds for twenty seconds that there is no such name.
  assert.equal((await dig([`@${unbound.address}`], 'new.example.test', 'A')).isThere, false)
  const begun = await command('migrate', 'example.test', '--to', 'declared', '--low-ttl', '2s')
  assert.match(begun, /> publish the addresses of the new exchangers: new\.example\.test \S+ 2001:db8::25\n/)
  const first = await command('apply', 'example.test', '--yes')
  assert.match(first, /\+ new\.example\.test\. +A +127\./)
  assert.match(first, /\+ new\.example\.test\. +AAAA +2001:db8::25/)
  assert.doesNotMatch(first, /[+~-] example\.test\. +MX/)
  await command('apply', 'example.test', '--yes')
  const { state, next, addresses } = await status()
  assert.deepEqual({ state, stage: next.stage }, { state: 'wait', stage: 'add' })
  assert.match(next.why, /have other addresses, or none/)
  assert.equal(addresses.length, 2)

  await lab.until(async () => (await status()).state === 'apply', 120_000)
  assert.deepEqual((await dig([`@${unbound.address}`], 'new.example.test', 'A')).data, [fresh.address])
  await command('apply', 'example.test', '--yes')
  assert.deepEqual((await atBind('example.test', 'MX')).data, ['new.example.test.', 'old.example.test.'])

  // Another hand adds to the host meanwhile.
  const update = ['add new.example.test 4 A 192.0.2.77', 'add new.example.test 4 TXT "theirs"']
  const lines = [`server ${bind.address} ${bind.port}`, `key hmac-sha256:${key.name} ${key.secret}`]
  const theirs = [...lines, 'zone example.test', ...update.map((line) => `update ${line}`), 'send'].join('\n')
  await runWell('nsupdate', [], `${theirs}\n`)
  await command('migrate', 'example.test', '--abort')
  await command('apply', 'example.test', '--yes')
  assert.deepEqual((await atBind('example.test', 'MX')).data, ['old.example.test.'])
  assert.ok(
    (await atBind('new.example.test', 'A')).data.includes(fresh.address),
    'for as long as caches may lead there',
  )
  await goOnTo('aborted')
  assert.deepEqual((await atBind('new.example.test', 'A')).data, ['192.0.2.77'])
  assert.deepEqual((await atBind('new.example.test', 'AAAA')).data, [])
  assert.deepEqual((await atBind('new.example.test', 'TXT')).data, ['"theirs"'])

  await command('migrate', 'example.test', '--to', 'declared', '--low-ttl', '2s')
  await goOnTo('done')
  assert.deepEqual((await atBind('example.test', 'MX')).data, ['new.example.test.'])
  assert.deepEqual((await atBind('new.example.test', 'A')).data, [fresh.address])
  assert.match(await command('plan', 'example.test'), /No changes\./)
})
