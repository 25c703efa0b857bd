import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { errorCode, isMissing } from './error-code.ts'

const of = (code: unknown) => Object.assign(new Error('no'), { code })

test('the code of an error of the system is told, and that a file is missing', async () => {
  const error = await readFile('/no/such/file').catch((error: unknown) => error)
  assert.equal(errorCode(error), 'ENOENT')
  assert.equal(isMissing(error), true)
  assert.equal(isMissing(of('EACCES')), false)
})

test('a bug has no code', () => {
  assert.equal(errorCode(new TypeError('bug')), undefined)
  assert.equal(errorCode(of(undefined)), undefined)
  assert.equal(errorCode({ code: 'ENOENT' }), undefined)
  assert.equal(errorCode(null), undefined)
})
