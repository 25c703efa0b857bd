import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { didYouMean, editDistance, nearest } from './nearest.ts'

/** The definition, without any shortcut. */
function plainDistance(a: string, b: string): number {
  const table: number[][] = []
  const at = (i: number, j: number) => table[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = []
    table.push(row)
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j)
        continue
      }
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(a.length, b.length)
}

test('the distance is the one of the definition up to its limit, and above the limit beyond it', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 12 })
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 14 }), (a, b, most) => {
      const plain = plainDistance(a, b)
      const bounded = editDistance(a, b, most)
      if (plain <= most) assert.equal(bounded, plain)
      else assert.ok(bounded > most, `${bounded} is not above ${most}`)
    }),
    { numRuns: 2000 },
  )
})

test('the nearest word is found, and none where none is near', () => {
  assert.equal(nearest('delvier', ['deliver', 'listen']), 'deliver')
  assert.equal(nearest('listne', ['deliver', 'listen']), 'listen')
  assert.equal(nearest('zebra', ['deliver', 'listen']), undefined)
})

test('a word that is a part of others brings these, eight at most, and one is what was meant', () => {
  assert.equal(didYouMean('zone', ['rfc2136', 'zonefile']), '; did you mean "zonefile"?')
  assert.equal(didYouMean('dane', ['dane-absent', 'dane-mismatch', 'spf']), '; there are dane-absent, dane-mismatch')
  const many = Array.from({ length: 10 }, (_, index) => `dane-number-${index}`)
  assert.match(didYouMean('dane', many), /dane-number-7, and 2 more$/)
  assert.equal(didYouMean('nosuch', many), '')
})
