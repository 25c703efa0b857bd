import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdTable } from './id-table.ts'

test('what is put under an id is there until it is taken away, once', () => {
  const table = new IdTable<string>()
  table.set(0, 'first')
  table.set(65_535, 'last')
  assert.deepEqual([table.size, table.get(0), table.has(65_535), table.has(1)], [2, 'first', true, false])
  table.delete(0)
  table.delete(0)
  assert.deepEqual([table.size, table.get(0)], [1, undefined])
  table.set(7, 'other')
  assert.deepEqual(
    [...table.entries()],
    [
      [7, 'other'],
      [65_535, 'last'],
    ],
  )
  assert.deepEqual(table.drain(), ['other', 'last'])
  assert.deepEqual([table.size, [...table.entries()]], [0, []])
})
