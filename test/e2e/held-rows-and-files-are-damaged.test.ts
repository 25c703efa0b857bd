/** Held messages whose file is missing, shorter or another one, and one whose row was changed: they are set apart and told, the others go. */
import assert from 'node:assert/strict'
import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'

test('four are damaged, four are whole: the whole ones are delivered, the others are corrupt and alerted', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const backend = await lab.backend()
  const words = { deliver: backend, hold: {} }
  const first = await lab.gateway(words, { clock: createFastClock(20) })
  await backend.kill()
  await sendMany(lab, oracle, 5, random, { size: 400_000 })
  await sendMany(lab, oracle, 3, random)
  assert.equal(first.held(), 8)
  await first.stop()

  const folder = join(first.state, 'hold')
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.length > 10).toSorted()
  const [missing = '', short = '', other = ''] = files
  await rm(join(folder, missing))
  await truncate(join(folder, short), 1_000)
  await writeFile(join(folder, other), Buffer.alloc((await stat(join(folder, other))).size, 'y'))
  const database = new DatabaseSync(join(first.state, 'store.db'))
  const changed = database.prepare('SELECT max(message) AS seq FROM body').get()
  database.prepare('UPDATE body SET content = zeroblob(length(content)) WHERE message = ?').run(Number(changed?.seq))
  database.close()

  await backend.restart()
  const second = await lab.gateway(words, { clock: createFastClock(20), state: first.state })
  await lab.until(() => second.held() === 4 && second.find('held message is damaged').length === 4)
  assert.ok(second.find('held message is damaged').every(({ level }) => level === 'alert'))
  const states = async () => (await second.queue.list({}, 10)).messages.map(({ recipients }) => recipients[0]?.state)
  await lab.until(async () => String(await states()) === 'corrupt,corrupt,corrupt,corrupt')
  assert.equal(backend.accepted.length, 4)
  const judged = await oracle.judge([backend], {
    list: async () => ({ messages: [], next: undefined }),
    body: second.queue.body,
  })
  assert.deepEqual([judged.lost.length, judged.changed, judged.unexcused], [4, [], []])
})
