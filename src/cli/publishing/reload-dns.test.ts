import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { labName } from '../../../test/lab/names.ts'
import { systemClock } from '../../base/clock.ts'
import { type ControlAnswer, controlPath, createControl } from '../../gateway/operate/control.ts'
import { createDnsReloader } from './reload-dns.ts'

/** A gateway that notes for which zones it is asked, and answers one after the other of these. */
async function gateway(t: TestContext, answers: readonly ControlAnswer[]) {
  const state = await mkdtemp(join(tmpdir(), 'waypost-reload-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  const asked: unknown[] = []
  const control = await createControl(
    { path: controlPath(state), clock: systemClock, onError: assert.fail },
    {
      'dns.reload': (given) => {
        asked.push(given.zones)
        return answers[asked.length - 1] ?? { kind: 'done', result: null }
      },
    },
  )
  t.after(() => (control.kind === 'listening' ? control.close() : undefined))
  return { state, asked }
}

test('zones that are written at about the same time are read together, each by its name', async (t) => {
  const { state, asked } = await gateway(t, [])
  const reload = createDnsReloader(state)
  const names = ['a.example.test', 'b.example.test', 'c.example.test']
  const outcomes = await Promise.all(names.map((name) => reload(labName(name))))
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['done', 'done', 'done'],
  )
  assert.deepEqual(asked.flat().toSorted(), ['a.example.test.', 'b.example.test.', 'c.example.test.'])
  assert.ok(asked.length <= 2, `${asked.length} requests`)
})

test('what was not read is asked for once more with the next, and too many names are all', async (t) => {
  const { state, asked } = await gateway(t, [{ kind: 'failed', why: 'a disk' }])
  const reload = createDnsReloader(state)
  assert.deepEqual(await reload(labName('a.example.test')), { kind: 'failed', why: 'a disk' })
  assert.equal((await reload(labName('b.example.test'))).kind, 'done')
  assert.deepEqual(asked[1], ['a.example.test.', 'b.example.test.'])
  const long = Array.from({ length: 1_000 }, (_, index) => labName(`${'long'.repeat(15)}.d${index}.example.test`))
  await Promise.all(long.map(reload))
  assert.ok(asked.includes(undefined))
})

test('where no gateway runs there is nothing to read yet', async () => {
  assert.deepEqual(await createDnsReloader('/nowhere')(labName('example.test')), { kind: 'done' })
})
