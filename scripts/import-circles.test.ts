import assert from 'node:assert/strict'
import { test } from 'node:test'
import { circlesOf } from './import-circles.ts'

const of = (imports: Record<string, readonly string[]>) => circlesOf(new Map(Object.entries(imports)))

test('files that need each other are told with the way between them', () => {
  assert.deepEqual(of({ a: ['b'], b: ['c', 'd'], c: ['b'], d: [] }), [['b', 'c', 'b']])
  assert.deepEqual(of({ a: ['a'] }), [['a', 'a']])
  assert.deepEqual(of({ d: ['a'], a: ['b'], b: ['c'], c: ['a'] }), [['a', 'b', 'c', 'a']])
})

test('a file that many need, by several ways, is no circle', () => {
  assert.deepEqual(of({ a: ['b', 'c'], b: ['d'], c: ['d', 'b'], d: ['elsewhere'] }), [])
})
