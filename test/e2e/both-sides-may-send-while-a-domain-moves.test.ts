/** `waypost migrate --spf`: the SPF record lets both sides send before anything else changes, goes back with the rest, and is never over its limit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { rdataText } from '../../src/dns/rdata-text.ts'
import { createTransport } from '../../src/dns/transport.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { askServer } from '../../src/publish/sets/ask-server.ts'
import { startLab } from '../lab/lab.ts'
import { startMoving } from '../lab/moving.ts'
import { labName } from '../lab/names.ts'

test('both sides may send while a domain moves, and one alone when it went back', async (t) => {
  const lab = await startLab(t, 300_000)
  const includes = Array.from({ length: 11 }, (_, index) => `i${index}.new.test`)
  const { dns, command } = await startMoving(
    lab,
    {
      exchangers: [{ preference: '10', host: 'mx.old.test' }],
      records: { spf: 'v=spf1 mx -all' },
    },
    {
      'in.new.test': { A: ['192.0.2.1'] },
      'spf.new.test': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
      'far.new.test': { TXT: [`v=spf1 ${includes.map((name) => `include:${name}`).join(' ')} -all`] },
      ...Object.fromEntries(includes.map((name) => [name, { TXT: ['v=spf1 -all'] }])),
    },
  )
  const transport = createTransport({ clock: systemClock, random: systemRandom, door: systemDoor })
  lab.atEnd(() => transport.close())
  const spf = async () => {
    const said = await askServer(transport, dns, { name: labName('example.test'), code: typeCodes.TXT }, 30_000)
    assert.ok(said.kind === 'set', JSON.stringify(said))
    return said.content?.data.map(rdataText)
  }
  const to = ['migrate', 'example.test', '--to', '10:in.new.test', '--spf']

  const over = await command(2, ...to, 'include:spf.new.test include:far.new.test')
  assert.match(
    over,
    /would take 14 look-ups, and 10 are the most .*: mx 1, include:spf\.new\.test 1, include:far\.new\.test 12/,
  )
  assert.deepEqual(await spf(), ['"v=spf1 mx -all"'])
  assert.match(await command(2, ...to), /no provider whose SPF terms are known: say them/)

  const begun = await command(0, ...to, 'include:spf.new.test')
  assert.match(
    begun,
    /> let both sides send: v=spf1 mx include:spf\.new\.test -all\n {4}lower the TTL from 3600 to 300/,
  )
  const told = JSON.parse(await command(0, 'migrate', 'example.test', '--json'))
  assert.deepEqual(told.spf, { old: 'v=spf1 mx -all', joint: 'v=spf1 mx include:spf.new.test -all' })
  const step = await command(0, 'apply', 'example.test', '--yes')
  assert.match(step, /~ example\.test\. +TXT +"v=spf1 mx -all" -> "v=spf1 mx include:spf\.new\.test -all"/)
  assert.deepEqual(await spf(), ['"v=spf1 mx include:spf.new.test -all"'])

  await command(0, 'migrate', 'example.test', '--abort')
  await command(0, 'apply', 'example.test', '--yes')
  assert.deepEqual(await spf(), ['"v=spf1 mx -all"'])
})
