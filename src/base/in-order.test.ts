import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InOrder, type Place } from './in-order.ts'

function valuesOf<T>(order: InOrder<T>): T[] {
  const values: T[] = []
  for (let place = order.first; place; place = place.behind) values.push(place.value)
  return values
}

test('whoever comes and leaves, in whatever order, the others stand as in a Set', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 100 }), (steps) => {
      const order = new InOrder<number>()
      const set = new Set<number>()
      const places: Place<number>[] = []
      for (const [at, step] of steps.entries()) {
        if (step > 10 || places.length === 0) {
          places.push(order.add(at))
          set.add(at)
        } else {
          // Also one that has left already.
          const place = places[step % places.length] as Place<number>
          order.leave(place)
          set.delete(place.value)
        }
        assert.deepEqual([order.size, valuesOf(order)], [set.size, [...set]])
      }
    }),
  )
})
