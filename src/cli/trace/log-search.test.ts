import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { searchLog } from './log-search.ts'

const id = '01M84TXJDWYBYTRKABKN4NXXH7'
const line = (fields: object) =>
  JSON.stringify({ level: 'info', time: '2026-11-23T18:32:59.123Z', event: 'x', ...fields })

async function search(log: string | Buffer, wanted: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(log)
  async function* chunks() {
    let from = 0
    for (const cut of [...cuts.map((each) => Math.min(each, bytes.length)).sort((a, b) => a - b), bytes.length]) {
      yield bytes.subarray(from, cut)
      from = cut
    }
  }
  return searchLog(chunks(), wanted)
}

test('lines of a message are found by its id or how that begins, wherever the chunks end', async () => {
  const entry = fc.oneof(
    fc.record({ id: fc.constant(id), n: fc.nat() }),
    fc.record({ id: fc.constant('02OTHER'), text: fc.string() }),
    fc.record({ id: fc.constant('02OTHER'), notice: fc.constant(id) }),
    fc.record({ why: fc.constant(`"id":"${id}"`) }),
    fc.record({ to: fc.constant([id]) }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry),
      fc.array(fc.nat(3000)),
      fc.constantFrom(id, id.slice(0, 8)),
      fc.boolean(),
      async (entries, cuts, wanted, isEnded) => {
        const log = entries.map((each) => line(each)).join('\n') + (isEnded ? '\n' : '')
        const { lines, isCut } = await search(log, wanted, cuts)
        const meant = entries.filter((each) => ('id' in each && each.id === id) || 'notice' in each)
        assert.deepEqual(
          lines.map(({ fields: { level, ...fields } }) => fields),
          meant.map((each) => ({ ...each })),
        )
        assert.equal(isCut, false)
      },
    ),
  )
})

test('what is no log is gone through with little memory, and what stands behind it is found', async () => {
  const junk = Buffer.alloc(3 * 1024 * 1024, `"id":"${id}`)
  const log = Buffer.concat([
    Buffer.from(`${line({ id, n: 1 })}\n`),
    junk,
    Buffer.from(`\n{"id":"${id}\nhost app: ${line({ id, n: 2 })}\n`),
  ])
  const cuts = Array.from({ length: 48 }, (_, index) => index * 65_536)
  const { lines } = await search(log, id, cuts)
  assert.deepEqual(
    lines.map(({ fields }) => fields.n),
    [1, 2],
  )
})

test('no more lines are kept than can be told', async () => {
  const log = `${line({ id })}\n`.repeat(10_005)
  const { lines, isCut } = await search(log, id)
  assert.deepEqual([lines.length, isCut], [10_000, true])
})
