/** `waypost apply --plan FILE` does what stands in the file and nothing else, the steps of migrations too. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startMoving } from '../lab/moving.ts'
import { callWaypost } from '../lab/process.ts'

test('a step that nobody looked at is not done, one that stands in the plan is, and one that became safe meanwhile waits', async (t) => {
  const lab = await startLab(t, 300_000)
  const { gateway, command } = await startMoving(
    lab,
    { exchangers: [{ preference: '10', host: 'mx.old.test' }] },
    { 'mx.new.test': { A: ['192.0.2.1'] } },
  )
  const kept = join(gateway.state, 'plan.json')
  const keep = async (code: number) => {
    const planned = await callWaypost(gateway, 'plan', '--no-smtp', '--json')
    assert.equal(planned.code, code, planned.stdout + planned.stderr)
    await writeFile(kept, planned.stdout)
    return JSON.parse(planned.stdout).migrations
  }
  const apply = (code: number) => command(code, 'apply', '--yes', '--no-smtp', '--plan', kept)

  assert.deepEqual(await keep(0), [])
  await command(0, 'migrate', 'example.test', '--to', '10:mx.new.test')
  const stopped = await apply(2)
  assert.match(stopped, /^waypost: nothing was changed: the plan is no longer the one in /m)
  assert.match(
    stopped,
    /^Planned now, and not then:\n {2}example\.test to 10:mx\.new\.test: > lower the TTL from 3600 to 300$/m,
  )
  assert.match(await command(0, 'migrate', 'example.test'), / > lower the TTL/)

  assert.match(
    await command(3, 'plan', '--no-smtp'),
    /^example\.test to 10:mx\.new\.test, the next step of its migration\n {2}> lower the TTL from 3600 to 300\n {2}~ example\.test\. +MX +10 mx\.old\.test\. +TTL 3600 -> 300 .*\n\n1 step of migrations\.$/m,
  )
  const what = 'lower the TTL from 3600 to 300'
  const data = ['10 mx.old.test.']
  const changes = [{ name: 'example.test.', type: 'MX', before: { ttl: 3600, data }, after: { ttl: 300, data } }]
  assert.deepEqual(await keep(3), [{ domain: 'example.test', to: '10:mx.new.test', stage: 'lower-ttl', what, changes }])
  assert.match(await apply(0), /✓ lower the TTL from 3600 to 300/)

  // The rest has to be waited for.
  assert.deepEqual(await keep(0), [])
  assert.match(await apply(0), /No changes\./)
})

test('what another hand did to a domain that is being migrated is told by the plan, and no step is planned over it', async (t) => {
  const lab = await startLab(t, 300_000)
  const { gateway, command } = await startMoving(
    lab,
    {
      exchangers: [{ preference: '10', host: 'mx.old.test' }],
      records: { spf: 'v=spf1 mx -all' },
    },
    { 'mx.new.test': { A: ['192.0.2.1'] } },
  )
  await command(0, 'migrate', 'example.test', '--to', '10:mx.new.test', '--spf', 'ip4:192.0.2.1')
  const zone = join(gateway.state, 'dns', 'example.test.zone')
  const before = await readFile(zone, 'utf8')
  await writeFile(zone, before.replace('v=spf1 mx -all', 'v=spf1 a -all'))
  const spf = await command(1, 'plan', '--no-smtp')
  assert.match(spf, /^ {2}✗ somebody else changed the SPF record of example\.test: it is v=spf1 a -all/m)
  await writeFile(zone, before.replace('mx.old.test', 'mx.theirs.test'))
  const planned = await command(1, 'plan', '--no-smtp')
  assert.match(planned, /^ {2}✗ somebody else changed the MX records of example\.test: they are 10 mx\.theirs\.test/m)
  assert.match(planned, /"waypost migrate example\.test --forget"/)
  assert.match(await command(1, 'plan', '--no-smtp', '--json'), /"kind": "drifted"/)
})
