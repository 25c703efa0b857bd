import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

import type { BackendWords } from '../lab/words.ts'

/** The ten seconds that a silent step may take are half a second here. */
const hurried = { clock: createFastClock(20) }

// Whatever happens before the dot costs the sender nothing while another backend is there.
const faults: Record<string, BackendWords> = {
  'refuses TCP': { connect: 'refuse' },
  'swallows SYNs': { connect: 'silence' },
  'resets at once': { connect: 'reset' },
  'greets 421': { greeting: '421 4.3.2 Busy' },
  'greets 554': { greeting: '554 5.7.1 Go away' },
  'says nothing': { greeting: 'silence' },
  'sends garbage instead of a greeting': { greeting: 'garbage' },
  'closes instead of EHLO': { ehlo: 'close' },
  'refuses EHLO by policy': { ehlo: '550 5.7.1 Not you' },
  'answers MAIL 451 4.3.0': { mail: '451 4.3.0 Disk trouble' },
  'answers MAIL 421': { mail: '421 4.3.2 Closing' },
  'closes at MAIL': { mail: 'close' },
  'answers RCPT 421 and closes': { rcpt: '421 4.3.2 Closing' },
  'answers RCPT 452 4.3.1': { rcpt: '452 4.3.1 No room' },
  'resets at RCPT': { rcpt: 'reset' },
  'answers MAIL 530': { mail: '530 5.7.0 Authenticate first' },
  'answers DATA 421': { data: '421 4.3.2 Closing' },
  'answers DATA 451 4.3.0': { data: '451 4.3.0 Trouble' },
  'closes at DATA': { data: 'close' },
  'answers the dot 451 4.3.0': { afterDot: '451 4.3.0 Disk trouble' },
  'answers the dot 421': { afterDot: '421 4.3.2 Closing' },
}

for (const [what, words] of Object.entries(faults)) {
  test(`the first backend ${what}: the second gets the message, once, and the sender hears 250`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend(words)
    const second = await lab.backend()
    const deliver = [first, { to: second, preference: 20 }]
    await lab.gateway({ deliver, budgets: { connectMs: 30_000 } }, hurried)
    const sent = await lab.send({ to: 'you@example.test', waitMs: 40_000 })
    assert.equal(sent.code, 250, sent.transcript.join('\n'))
    assert.equal(second.messages.length, 1)
    assert.ok(first.messages.every((message) => !message.answers.some((answer) => answer.startsWith('2'))))
  })
}

test('six in a row that swallow SYNs: the sender hears 451 when its 25 s are over, and the seventh is not asked', async (t) => {
  const lab = await startLab(t)
  const holes = await Promise.all(Array.from({ length: 6 }, () => lab.backend({ connect: 'silence' })))
  const seventh = await lab.backend()
  const deliver = [...holes, seventh].map((to, index) => ({ to, preference: 10 + index }))
  const clock = createFastClock(20)
  await lab.gateway({ deliver }, { clock })
  const startedMs = clock.monotonicMs()
  const sent = await lab.send({ to: 'you@example.test', waitMs: 40_000 })
  const seconds = (clock.monotonicMs() - startedMs) / 1000
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
  assert.ok(seconds >= 24 && seconds < 60, `${seconds} s`)
  assert.equal(seventh.sessions.length, 0)
})

// Not reached is told apart from reached and not able.
for (const [what, enhanced] of [
  ['refuses TCP', '4.4.1'],
  ['greets 421', '4.4.1'],
  ['answers MAIL 451 4.3.0', '4.3.0'],
  ['answers RCPT 421 and closes', '4.3.0'],
  ['closes at DATA', '4.4.1'],
] as const) {
  test(`the only backend ${what}: 451 ${enhanced}, never 250 and never 5yz`, async (t) => {
    const lab = await startLab(t)
    const only = await lab.backend(faults[what] ?? {})
    await lab.gateway({ deliver: only })
    const sent = await lab.send({ to: 'you@example.test', waitMs: 40_000 })
    assert.deepEqual([sent.code, sent.enhanced], [451, enhanced])
  })
}

test('a backend that hangs within STARTTLS gets the message in clear: TLS was only an offer', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ startTls: 'hang' })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] }, hurried)
  const sent = await lab.send({ to: 'you@example.test', waitMs: 40_000 })
  assert.equal(sent.code, 250)
  assert.deepEqual([first.messages.length, second.messages.length], [1, 0])
})

test('where TLS is required, one that hangs within STARTTLS is passed over', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ startTls: 'hang' })
  const second = await lab.backend({ startTls: 'offer' })
  const deliver = [
    { to: first, tls: 'require' },
    { to: second, preference: 20, tls: 'require' },
  ] as const
  await lab.gateway({ deliver }, hurried)
  const sent = await lab.send({ to: 'you@example.test', waitMs: 40_000 })
  assert.equal(sent.code, 250)
  assert.deepEqual([first.messages.length, second.messages.length], [0, 1])
  assert.equal(second.messages[0]?.session.tls, true)
})
