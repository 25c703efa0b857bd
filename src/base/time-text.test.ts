import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lengthText, roughSpanText, shortLengthText, spanText } from './time-text.ts'

const spansSeconds = [0, 45, 90, 3_700, 9_300, 129_600, 180_000]

test('a span is said exactly, in two units, by its largest unit, or rounded', () => {
  assert.deepEqual(
    spansSeconds.map((seconds) => [
      spanText(seconds),
      lengthText(seconds * 1000),
      shortLengthText(seconds * 1000),
      roughSpanText(seconds),
    ]),
    [
      ['0 s', '0 s', '0 s', '0 s'],
      ['45 s', '45 s', '45 s', '45 s'],
      ['1 min 30 s', '90 s', '1 min', '90 s'],
      ['1 h 1 min', '62 min', '1 h', '62 min'],
      ['2 h 35 min', '2 h 35 min', '2 h', '3 h'],
      ['1 d 12 h', '36 h', '1 d', '36 h'],
      ['2 d 2 h', '2 d 2 h', '2 d', '50 h'],
    ],
  )
})

test('what is not over yet by a clock that was set back has lasted no time', () => {
  assert.deepEqual([lengthText(-5_000), shortLengthText(-5_000)], ['0 s', '0 s'])
})
