import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { faultText } from './fault.ts'

test('a fault of ours is said in one line, with its stack below; the refusal of a file in one line and no more', async () => {
  const [line, ...below] = faultText(new TypeError('x is\nundefined')).split('\n')
  assert.match(line ?? '', /^waypost: this is a fault of Waypost, .*: TypeError: x is\\x0aundefined$/)
  assert.match(below.join('\n'), /\n {4}at .*fault\.test\.ts/)
  assert.match(faultText('thrown bare'), /^waypost: this is a fault of Waypost, .*: thrown bare\n/)
  const missing = await readFile('/nowhere/waypost').catch((error: unknown) => error)
  assert.equal(faultText(missing), 'waypost: this could not be done: /nowhere/waypost does not exist\n')
})
