import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readInTurn } from './in-turn.ts'

test('what one item throws ends it all, and what was read of the others is closed', async () => {
  const closed: string[] = []
  const reading = readInTurn(['first', 'second', 'faulty', 'never'], {
    ...{ publisherOf: () => undefined, publishers: {}, atOnce: 1 },
    async read(item) {
      if (item === 'faulty') throw new Error('a bug')
      return { kind: 'read', item }
    },
    failed: (item) => ({ kind: 'failed', item }),
    close: ({ item }) => void closed.push(item),
  })
  await assert.rejects(reading, /a bug/)
  assert.deepEqual(closed, ['first', 'second'])
})
