import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorMs } from '../../test/unit/processor-time.ts'
import { trimEnd } from './trim-end.ts'

test('what stands at the end is taken off, whatever stands before it', () => {
  assert.equal(trimEnd('a\r\nb\r\n\r', '\r\n'), 'a\r\nb')
  assert.equal(trimEnd('///', '/'), '')
  assert.equal(trimEnd('', '/'), '')
  assert.equal(trimEnd('a', '/'), 'a')
})

test('a long row that does not reach the end takes no time', () => {
  const text = `${'/'.repeat(200_000)}a`
  assert.ok(processorMs(() => assert.equal(trimEnd(text, '/'), text)) < 200)
})
