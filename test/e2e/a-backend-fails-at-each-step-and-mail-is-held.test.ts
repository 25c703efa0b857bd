/**
 * A backend accepts and then hangs, drops the connection, resets it or answers garbage, at each step of the dialogue, for the sender's transaction
 * and for the drain alike. What is answered 250 is held, and delivered when the backend has come to its senses; twice at most where its answer to
 * the dot was cut off.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'
import type { Answer, BackendWords } from '../lab/words.ts'

const steps = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'inBody', 'afterDot'] as const
const faults: readonly Answer[] = ['silence', 'close', 'reset', 'garbage']

const wordsFor = (step: (typeof steps)[number], fault: Answer): BackendWords =>
  step === 'inBody' ? { inBody: { afterBytes: 400, do: fault === 'silence' ? { raw: '' } : fault } } : { [step]: fault }

test('each fault at each step', { concurrency: 4 }, async (t) => {
  const cases = steps.flatMap((step) => faults.map((fault) => ({ step, fault })))
  await Promise.all(
    cases.map(({ step, fault }, number) =>
      t.test(`${step}: ${String(fault)}`, async (t) => {
        const lab = await startLab(t)
        const [oracle, random] = [createOracle(), seededRandom(number)]
        const words = wordsFor(step, fault)
        const backend = await lab.backend(words)
        const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(100) })
        const codes = await sendMany(lab, oracle, 2, random)
        assert.ok(
          codes.every((code) => code === 250),
          codes.join(),
        )
        // The drain meets it too.
        await lab.until(() => backend.sessions.length > 2 || gateway.held() === 0)
        backend.change(Object.fromEntries(Object.keys(words).map((key) => [key, undefined])))
        // Whoever is silent is so until he is broken off.
        backend.hangUp('reset')
        await lab.until(() => gateway.held() === 0)
        const judged = await oracle.judge([backend], gateway.queue)
        // A short message has left whole, dot and all, when the garbage comes that stands for an answer: it counts as cut off.
        const isCutOff = step === 'inBody' && fault === 'garbage'
        assertNothingLost(isCutOff ? { ...judged, unexcused: [] } : judged)
      }),
    ),
  )
})
