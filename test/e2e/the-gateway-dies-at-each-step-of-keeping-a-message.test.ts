/**
 * The process ends right before or right behind each step between a sender's dot and its 250 for a message that is kept, and of handing it on
 * later. A sender that heard nothing comes again: at least one copy, at most one more than dots that were not answered.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../src/base/random.ts'
import type { FakeBackend } from '../lab/backend.ts'
import { passedOn, type Step, steps } from '../lab/die-at.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { createOracle, type Numbered, type Oracle } from '../lab/oracle.ts'

const program = fileURLToPath(new URL('../lab/die-at.ts', import.meta.url))
const large = 400_000

async function sendUntilTaken(lab: Lab, oracle: Oracle, message: Numbered): Promise<void> {
  const [to = ''] = message.to
  const sent = await lab.send({ to, message: message.content, mailParameters: 'BODY=8BITMIME' }).catch(() => undefined)
  if (sent?.code === 250) oracle.heard(message, 250)
  else if (sent === undefined || sent.step === 'dot') oracle.unheard(message)
}

/** @returns copies at the backend when everything is over */
async function dieAndGoOn(lab: Lab, when: 'before' | 'behind', step: Step): Promise<void> {
  const oracle = createOracle()
  const random = seededRandom(1)
  const backend: FakeBackend = await lab.backend({ afterDot: `250 ${passedOn}` })
  const config = { domains: { 'example.test': { deliver: backend } } }
  if (step !== 'pass on') await backend.kill()
  const env = { WAYPOST_DIE_AT: `${when} ${step}`, NODE_OPTIONS: `--import=${program}` }
  const doomed = await lab.process({ config, env })
  const messages = [oracle.next(['you@example.test'], large, random), oracle.next(['me@example.test'], 900, random)]
  const isAtDrain = step === 'settle'
  for (const message of messages) if (isAtDrain || !doomed.hasExited()) await sendUntilTaken(lab, oracle, message)
  if (isAtDrain) await backend.restart()
  const { signal } = await doomed.exited
  assert.equal(signal, 'SIGKILL')
  oracle.killed()

  if (!isAtDrain && step !== 'pass on') await backend.restart()
  const heir = await lab.process({ config, after: doomed })
  if (!isAtDrain) for (const message of messages) await sendUntilTaken(lab, oracle, message)
  const numbersThere = () => new Set(backend.messages.map(({ to }) => to[0])).size
  await lab.until(() => numbersThere() === 2)
  heir.signal('SIGTERM')
  await heir.exited
  const nothing = {
    list: async () => ({ messages: [], next: undefined }),
    body: async () => ({ kind: 'gone' }) as const,
  }
  const judged = await oracle.judge([backend], nothing)
  assert.deepEqual({ lost: judged.lost, changed: judged.changed }, { lost: [], changed: [] })
  for (const { to } of messages) {
    const copies = backend.messages.filter((message) => message.to[0] === to[0]).length
    assert.ok(copies >= 1 && copies <= 2, `${copies} copies`)
  }
  const first = backend.messages.filter(({ to }) => to[0] === 'you@example.test').length
  // It is with a backend, or held, and its sender does not know.
  if (certainlyTwice.includes(`${when} ${step}`)) assert.equal(first, 2)
}

const certainlyTwice = ['behind commit', 'before answer', 'behind settle', 'before pass on']

for (const step of steps) {
  for (const when of ['before', 'behind'] as const) {
    test(`killed ${when} the step: ${step}`, async (t) => {
      const lab = await startLab(t)
      await dieAndGoOn(lab, when, step)
    })
  }
}
