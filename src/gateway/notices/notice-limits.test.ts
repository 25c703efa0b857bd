import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { createNoticeLimits, type NoticeLimits } from './notice-limits.ts'

const hourMs = 3_600_000
const whyNot = (taken: ReturnType<NoticeLimits['take']>) => ('full' in taken ? taken.full : undefined)

test('one an hour to an address, in whatever case; a notice of success stands in no way of a failure', () => {
  const clock = createFakeClock()
  const limits = createNoticeLimits(clock)
  assert.equal(whyNot(limits.take('joe@sender.example', false)), undefined)
  assert.equal(whyNot(limits.take('joe@sender.example', true)), undefined)
  assert.match(whyNot(limits.take('Joe@Sender.example', true)) ?? '', /within the hour/)
  assert.match(whyNot(limits.take('joe@sender.example', false)) ?? '', /within the hour/)
  clock.advance(hourMs - 1)
  assert.match(whyNot(limits.take('joe@sender.example', true)) ?? '', /within the hour/)
  clock.advance(1)
  assert.equal(whyNot(limits.take('joe@sender.example', true)), undefined)
})

test('a hundred an hour in all, half of them for those that are no failures', () => {
  const clock = createFakeClock()
  const limits = createNoticeLimits(clock)
  const took = (isFailure: boolean, tries: number) =>
    Array.from({ length: tries }, (_, number) =>
      whyNot(limits.take(`${number}@${isFailure}.example`, isFailure)),
    ).filter((why) => why === undefined).length
  assert.equal(took(false, 200), 50)
  assert.equal(took(true, 200), 50)
  clock.advance(hourMs)
  assert.equal(took(true, 200), 100)
  assert.equal(took(false, 200), 0)
})

test('one that did not go out after all does not count', () => {
  const limits = createNoticeLimits(createFakeClock())
  const taken = limits.take('joe@sender.example', true)
  assert.ok('giveBack' in taken)
  taken.giveBack()
  assert.equal(whyNot(limits.take('joe@sender.example', true)), undefined)
})
