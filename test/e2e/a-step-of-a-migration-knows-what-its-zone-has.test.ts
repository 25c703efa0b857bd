/** A step of a migration judges exchangers by the addresses that their own zone has, also where the resolver of this machine sees nothing of it. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startMoving } from '../lab/moving.ts'

test('declared addresses that are published count, and one that never was does not', async (t) => {
  const lab = await startLab(t, 300_000)
  const { gateway, command } = await startMoving(lab, {
    exchangers: [
      { preference: '10', host: 'mx1.example.test', addresses: ['192.0.2.1'] },
      { preference: '20', host: 'mx2.example.test', addresses: ['192.0.2.2'] },
    ],
  })

  for (const wrong of ['127.0.0.1', '[192.0.2.1]', '2001:db8::1'])
    assert.match(
      await command(2, 'migrate', 'example.test', '--to', `10:${wrong}`),
      /this is an address, and MX records name hosts: give the host a name/,
    )
  assert.match(await command(2, 'migrate', 'example.test', '--to', '10:mx.1'), /this ends in a number/)

  const to = async (word: string) => command(2, 'migrate', 'example.test', '--to', word)
  assert.match(await to('mx.new.test'), /a host wants its preference: 10:mx\.new\.test/)
  assert.match(await to('nosuchprovider'), /is no provider that is known here; docs\/providers\.md has their names/)
  for (const words of [['plan'], ['migrate', '--to', '10:mx.new.test']])
    assert.match(
      await command(2, ...words, 'nowhere.lab'),
      /nowhere\.lab is not declared .*; declared are example\.test/,
    )
  assert.match(await command(2, 'plan', 'exampl.test'), /is not declared .*; did you mean "example\.test"\?/)
  assert.match(await command(2, 'plan', 'other.test'), /other\.test declares no records/)

  // What earlier changes left in caches is not known: nothing is begun on the belief that it is nothing.
  const kept = join(gateway.state, 'published.json')
  await writeFile(kept, '{ "version": 1, ')
  const unknown = await command(2, 'migrate', 'example.test', '--to', '10:mx3.example.test')
  assert.match(unknown, /how long caches hold what was there before .* is not known: .*published\.json is damaged/)
  await command(0, 'migrate', 'example.test', '--to', '10:mx3.example.test', '--allow', 'ttl-wait,no-working-exchanger')
  await command(0, 'migrate', 'example.test', '--forget')
  await rm(kept)

  await command(0, 'migrate', 'example.test', '--to', '10:mx3.example.test', '--allow', 'no-working-exchanger')
  // Notes about a migration are for those who ask for its domain.
  assert.doesNotMatch(await command(2, 'plan', 'other.test'), /is being migrated/)
  assert.match(await command(3, 'plan', 'example.test'), /example\.test is being migrated/)
  const step = await command(0, 'apply', 'example.test', '--yes', '--no-smtp')
  assert.match(step, /✓ lower the TTL from 3600 to 300/)
  assert.doesNotMatch(step, /does not resolve|works/)
})
