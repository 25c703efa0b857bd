/** `waypost migrate`: an option that would do nothing is refused, and what nobody looked at is not called missing. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startMoving } from '../lab/moving.ts'

test('options of the beginning are heeded there and refused elsewhere; --wait 0s says that nobody looked', async (t) => {
  const lab = await startLab(t, 300_000)
  const { command } = await startMoving(
    lab,
    { exchangers: [{ preference: '10', host: 'mx.old.test' }], records: { spf: 'v=spf1 mx -all' } },
    { 'mx.new.test': { A: ['127.0.0.3'] } },
  )
  const to = ['migrate', 'example.test', '--to', '10:mx.new.test']
  for (const words of [
    ['--spf', 'ip4:192.0.2.1'],
    ['--low-ttl', '1m'],
    ['--set', 'region=eu'],
    ['--recipients', 'addresses.txt'],
  ])
    assert.match(
      await command(2, 'migrate', 'example.test', ...words),
      new RegExp(`^waypost: ${words[0]}: only what begins a migration heeds that: say it with --to$`, 'm'),
    )

  const begun = [...to, '--spf', 'ip4:192.0.2.1', '--low-ttl', '1m']
  await command(0, ...begun)
  // The same again is no news.
  await command(0, ...begun)
  await command(0, ...to)
  assert.match(await command(2, ...to, '--low-ttl', '2m'), /on its way there already, .* with this --low-ttl/)
  assert.match(await command(2, ...to, '--spf', 'ip4:192.0.2.2'), /on its way there already, .* with this --spf/)

  const apply = ['apply', 'example.test', '--yes', '--no-smtp', '--wait']
  const unseen = await command(0, ...apply, '0s')
  assert.match(unseen, /it is written\. Whether the servers answer with it was not looked at \(--wait 0s\)/)
  assert.doesNotMatch(unseen, /not seen at every server|✓/)
  assert.match(await command(0, ...apply, '1m'), /✓ let both sides send/)
})

test('the addresses of --recipients are asked for again while it is on its way; on its way back nothing else begins', async (t) => {
  const lab = await startLab(t, 300_000)
  const unknown = new Set<string>()
  const fresh = await lab.backend({ rcpt: (path) => (unknown.has(path) ? '550 5.1.1 no such user' : undefined) })
  const { gateway, command } = await startMoving(
    lab,
    { exchangers: [{ preference: '10', host: 'mx.old.test' }] },
    { 'mx.new.test': { A: [fresh.address] } },
  )
  const addresses = join(gateway.state, 'addresses.txt')
  await writeFile(addresses, 'one@example.test\ntwo@example.test\n')
  const port = ['--private', '--smtp-port', String(fresh.port)]
  const begun = ['migrate', 'example.test', '--to', '10:mx.new.test', '--recipients', addresses, ...port]
  unknown.add('two@example.test')
  assert.match(await command(2, ...begun), /nothing was begun: the new exchangers do not take all 2 addresses/)
  unknown.clear()
  await command(0, ...begun)
  unknown.add('one@example.test')
  assert.match(
    await command(2, ...begun),
    /^waypost: example\.test is on its way there already, and the new exchangers do not take all 2 addresses\n {2}mx\.new\.test: one@example\.test: 550 5\.1\.1 no such user$/m,
  )
  await command(0, 'apply', 'example.test', '--yes', '--no-smtp')
  await command(0, 'migrate', 'example.test', '--abort')
  assert.match(await command(2, ...begun), /example\.test is on its way back from 10:mx\.new\.test/)
  assert.match(await command(3, 'plan', '--no-smtp'), /^example\.test back from 10:mx\.new\.test, the next step of/m)
})

test('an exchanger that DNS does not have is refused when the migration begins; one that comes later is allowed', async (t) => {
  const lab = await startLab(t, 300_000)
  const mx1 = { preference: '10', host: 'mx1.example.test', addresses: ['127.0.0.2'] }
  const { command } = await startMoving(lab, { exchangers: [mx1] }, { 'mx.new.test': { A: ['127.0.0.3'] } })
  const to = ['migrate', 'example.test', '--to', '10:mx.new.test,20:mistyped.new.test']
  const missing = /mistyped\.new\.test does not exist in DNS, so that it can take no mail/
  const refused = await command(2, ...to)
  assert.match(refused, new RegExp(`^waypost: nothing was begun: ${missing.source}$`, 'm'))
  assert.match(refused, /--allow no-working-exchanger/)
  assert.match(await command(2, 'migrate', 'example.test'), /there is no migration of this domain/)
  assert.match(await command(0, ...to, '--allow', 'no-working-exchanger'), missing)
  assert.match(await command(0, 'migrate', 'example.test'), /^example\.test to 10:mx\.new\.test,20:mistyped/)
})

test('a migration of which nothing was written is over as soon as it is aborted', async (t) => {
  const lab = await startLab(t, 300_000)
  const { command } = await startMoving(
    lab,
    { exchangers: [{ preference: '10', host: 'mx.old.test' }] },
    { 'mx.new.test': { A: ['127.0.0.3'] } },
  )
  const [to, abort] = [
    ['migrate', 'example.test', '--to', '10:mx.new.test'],
    ['migrate', 'example.test', '--abort'],
  ]
  await command(0, ...to)
  const over = /^The migration of example\.test is over: nothing of it was written yet, and DNS is as it was\.$/m
  assert.match(await command(0, ...abort), over)
  assert.match(await command(2, 'migrate', 'example.test'), /there is no migration of this domain/)
  // The TTL is low already: the first step would have named the new exchangers.
  await command(0, ...to, '--low-ttl', '1h')
  const told = JSON.parse(await command(0, ...abort, '--json'))
  assert.deepEqual([told.direction, told.state], ['back', 'aborted'])

  await command(0, ...to)
  await command(0, 'apply', 'example.test', '--yes', '--no-smtp')
  assert.match(await command(0, ...abort), /> bring back what was there: 10 mx\.old\.test, TTL 3600/)
})
