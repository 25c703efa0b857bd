/**
 * An outage of days has left a million messages: a gateway starts with them as it starts with one, takes mail at once, and needs little more memory. Time
 * is measured as the process's own, because the machine may have other work.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { callWaypost, type WaypostProcess } from '../lab/process.ts'

const million = 1_000_000
const mostMoreMebibytes = 100
const mostStartMs = 5_000

async function memoryMebibytes({ pid }: WaypostProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** All of its threads', also the kernel's part. */
async function processorMs({ pid }: WaypostProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Makes of the one message that is held so many, each with a name of its own. */
function multiply(state: string, count: number): void {
  const db = new DatabaseSync(join(state, 'store.db'))
  try {
    for (const pragma of ['journal_mode = DELETE', 'journal_mode = OFF', 'synchronous = OFF'])
      db.exec(`PRAGMA ${pragma}`)
    const columns = (table: string, own: readonly string[]) =>
      db
        .prepare('SELECT name FROM pragma_table_info(?)')
        .all(table)
        .map(({ name }) => String(name))
        .filter((name) => !own.includes(name))
        .join(', ')
    const numbers = `WITH RECURSIVE number(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM number WHERE i < ${count})`
    const from = (table: string) => `number CROSS JOIN (SELECT * FROM ${table} LIMIT 1)`
    const [message, body, recipient] = [
      columns('message', ['seq', 'id']),
      columns('body', ['message']),
      columns('recipient', ['message', 'turn']),
    ]
    db.exec('BEGIN')
    db.exec(
      `INSERT INTO recipient (message, turn, ${recipient}) ${numbers} SELECT 1000 + i, turn + i, ${recipient} FROM ${from('recipient')}`,
    )
    db.exec(`INSERT INTO body (message, ${body}) ${numbers} SELECT 1000 + i, ${body} FROM ${from('body')}`)
    db.exec(
      `INSERT INTO message (seq, id, ${message}) ${numbers} SELECT 1000 + i, printf('%026d', i), ${message} FROM ${from('message')}`,
    )
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

test('a million held: up in less than 5 s of work, with less than 100 MiB more, and mail is taken', async (t) => {
  const lab = await startLab(t)
  const [away, up] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const config = { domains: { 'away.test': { deliver: [away] }, 'up.test': { deliver: [up] } } }
  const first = await lab.process({ config })
  assert.equal((await lab.send({ to: 'you@away.test', body: 'x'.repeat(70) })).code, 250)
  assert.equal((await lab.send({ to: 'you@up.test' })).code, 250)
  await callWaypost(first, 'queue', 'stats')
  const [usualMebibytes, usualMs] = [await memoryMebibytes(first), await processorMs(first)]
  await first.stop()
  multiply(first.state, million)

  const second = await lab.process({ config, after: first })
  const startedMs = await processorMs(second)
  assert.equal((await lab.send({ to: 'you@up.test' })).code, 250)
  const stats = JSON.parse((await callWaypost(second, 'queue', 'stats', '--json')).stdout)
  assert.match(JSON.stringify(stats), /1000000/)
  const moreMebibytes = (await memoryMebibytes(second)) - usualMebibytes
  t.diagnostic(`started in ${startedMs} ms of work (with one held ${usualMs}), ${moreMebibytes.toFixed(0)} MiB more`)
  assert.ok(startedMs - usualMs < mostStartMs, `${startedMs} ms`)
  assert.ok(moreMebibytes < mostMoreMebibytes, `${moreMebibytes} MiB more`)
})
