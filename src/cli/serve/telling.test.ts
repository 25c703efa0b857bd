import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { createTelling } from './telling.ts'

test('a listener that fails keeps neither the others nor the gateway from going on', () => {
  const failures: unknown[] = []
  const telling = createTelling({ ...silentLog, error: (_, fields) => void failures.push(fields?.event) })
  const heard: string[] = []
  telling.listen(() => {
    throw new Error('broken')
  })
  telling.listen(({ kind }) => void heard.push(kind))
  telling.tell({ kind: 'connection-refused', atMs: 0 })
  assert.deepEqual(heard, ['connection-refused'])
  assert.deepEqual(failures, ['connection-refused'])
})
