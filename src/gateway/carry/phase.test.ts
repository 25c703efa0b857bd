import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { Fault, RecipientsOutcome } from '../../delivery/outcome.ts'
import type { Budgets } from '../settings.ts'
import { Phase } from './phase.ts'

const budgets = { connectMs: 25_000, mailMs: 50_000, rcptMs: 100_000 } as Budgets

function start(capMs?: number) {
  const clock = createFakeClock()
  const phase = new Phase(clock, budgets, clock.monotonicMs(), capMs)
  /** A backend that answers after so long. @returns the end that it was given for MAIL, and the one for all */
  function ask(afterMs: number, outcome: RecipientsOutcome) {
    const limits = phase.limits()
    clock.advance(afterMs)
    phase.charge(outcome, limits)
    return { mailUntilMs: limits.mailUntilMs, untilMs: limits.untilMs }
  }
  return { clock, phase, ask }
}

const lostAt = (step: Fault['step']): RecipientsOutcome => ({
  kind: 'lost',
  reused: false,
  fault: { kind: 'timeout', step, reply: undefined, detail: '' },
})
const refused: RecipientsOutcome = { kind: 'mail-refused', reply: { code: 451, enhanced: '4.3.0', text: ['later'] } }

test('what ends at MAIL is spent on MAIL, over all backends', () => {
  const { clock, phase, ask } = start()
  const beganMs = clock.monotonicMs()
  const first = ask(30_000, lostAt('mail'))
  assert.deepEqual(first, { mailUntilMs: beganMs + 50_000, untilMs: beganMs + 100_000 })
  assert.equal(phase.mayTryAnother(clock.monotonicMs()), true)
  const second = ask(20_000, refused)
  assert.deepEqual(second, { mailUntilMs: beganMs + 50_000, untilMs: beganMs + 100_000 })
  assert.equal(phase.mayTryAnother(clock.monotonicMs()), false)
})

test('silence at RCPT leaves the whole time of MAIL for the next backend, within the time for all', () => {
  const { clock, phase, ask } = start()
  const beganMs = clock.monotonicMs()
  ask(60_000, lostAt('rcpt'))
  assert.equal(phase.mayTryAnother(clock.monotonicMs()), true)
  const next = ask(40_000, lostAt('rcpt'))
  assert.deepEqual(next, { mailUntilMs: beganMs + 100_000, untilMs: beganMs + 100_000 })
  assert.equal(phase.mayTryAnother(clock.monotonicMs()), false)
})

test('connecting is spent on connecting alone, and nothing lasts beyond the cap', () => {
  const { clock, phase, ask } = start()
  const beganMs = clock.monotonicMs()
  clock.advance(10_000)
  phase.connected(beganMs)
  assert.equal(phase.connectUntilMs(clock.monotonicMs()), beganMs + 25_000)
  assert.equal(ask(0, refused).untilMs, beganMs + 110_000)
  const capped = start(beganMs + 5_000)
  assert.deepEqual(capped.ask(5_000, lostAt('mail')), { mailUntilMs: beganMs + 5_000, untilMs: beganMs + 5_000 })
  assert.equal(capped.phase.mayTryAnother(capped.clock.monotonicMs()), false)
})
