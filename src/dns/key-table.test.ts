import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyTable } from './key-table.ts'

test('holds what a map would', () => {
  // More keys than places, so that places are shared.
  const step = fc.tuple(fc.constantFrom('set', 'delete', 'get'), fc.integer({ min: 0, max: 8_000 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), (steps) => {
      const table = new KeyTable<number>()
      const map = new Map<string, number>()
      for (let key = 0; key < 8_000; key += 2) {
        table.set(`MX ${key}`, key)
        map.set(`MX ${key}`, key)
      }
      for (const [what, number] of steps) {
        const key = `MX ${number}`
        if (what === 'delete') {
          table.delete(key)
          map.delete(key)
        } else if (what === 'set' && !map.has(key)) {
          table.set(key, number)
          map.set(key, number)
        }
        assert.equal(table.get(key), map.get(key))
      }
      for (let key = 0; key <= 8_000; key++) assert.equal(table.get(`MX ${key}`), map.get(`MX ${key}`))
    }),
    { numRuns: 30 },
  )
})
