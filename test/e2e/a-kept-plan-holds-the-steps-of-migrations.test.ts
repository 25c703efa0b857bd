/** `waypost apply --plan FILE` does what stands in the file and nothing else, the steps of migrations too. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startMoving } from '../lab/moving.ts'
import { callWaypost } from '../lab/process.ts'

test('a step that nobody looked at is not done, one that stands in the plan is, and one that became safe meanwhile waits', async (t) => {
  const lab = await startLab(t, 300_000)
  const { gateway, command } = await startMoving(lab, { exchangers: [{ preference: '10', host: 'mx.old.test' }] })
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
    /^example\.test to 10:mx\.new\.test, the next step of its migration\n {2}> lower the TTL from 3600 to 300\n\n1 step of migrations\.$/m,
  )
  const what = 'lower the TTL from 3600 to 300'
  assert.deepEqual(await keep(3), [{ domain: 'example.test', to: '10:mx.new.test', stage: 'lower-ttl', what }])
  assert.match(await apply(0), /✓ lower the TTL from 3600 to 300/)

  // The rest has to be waited for.
  assert.deepEqual(await keep(0), [])
  assert.match(await apply(0), /No changes\./)
})
