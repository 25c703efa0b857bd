import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurnEnd } from './turn-end.ts'

test('what is asked for in a turn is done behind it, in order and in one go; what that asks for comes a turn later', async () => {
  const atTurnEnd = createTurnEnd()
  const done: string[] = []
  const behind = new Promise<void>((resolve) => {
    atTurnEnd(() => {
      done.push('first')
      atTurnEnd(() => {
        done.push('third')
        resolve()
      })
      void Promise.resolve().then(() => done.push('microtask'))
    })
    atTurnEnd(() => done.push('second'))
  })
  await Promise.resolve()
  assert.deepEqual(done, [])
  await behind
  assert.deepEqual(done, ['first', 'second', 'microtask', 'third'])
})
