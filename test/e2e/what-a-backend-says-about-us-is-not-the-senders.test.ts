import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

// What is wrong between a backend and us is ours to mend, so the sender keeps its message and comes again (RFC 5321 §4.2.1).
const faults: Record<string, BackendWords> = {
  '530 to MAIL': { mail: '530 5.7.0 Must issue a STARTTLS command first' },
  '535 to MAIL': { mail: '535 5.7.8 Authentication failed' },
  '538 to MAIL': { mail: '538 5.7.11 Encryption required' },
  '521 to RCPT': { rcpt: '521 5.3.2 No mail here' },
  '554 as greeting': { greeting: '554 5.7.1 You are on a list' },
  '550 to EHLO': { ehlo: '550 5.7.1 I do not like your name' },
  '550 5.7.1 to MAIL, naming our EHLO name': { mail: '550 5.7.1 mx.waypost.test is not allowed here' },
  'relaying denied to the first recipient of a domain': { rcpt: '554 5.7.1 Relay access denied' },
}

for (const [what, words] of Object.entries(faults)) {
  test(`the only backend says ${what}: the sender hears 451 4.3.5, and a person is alerted`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend(words)
    const gateway = await lab.gateway({ deliver: backend })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
    const alerts = gateway.find('backend refuses us')
    assert.deepEqual([alerts.length, alerts[0]?.level, alerts[0]?.fields.backend], [1, 'alert', backend.url])
  })
}

test('554 to STARTTLS, where TLS is required: the same', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: '554 5.7.0 Not with you' })
  const gateway = await lab.gateway({ deliver: [{ to: backend, tls: 'require' }] })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
  assert.deepEqual(
    gateway.find('backend refuses us').map(({ level, fields }) => [level, fields.backend]),
    [['alert', backend.url]],
  )
})

// What a person must mend comes to no sooner end in the hold, and its sender would not know.
for (const [what, words, step] of [
  ['554 as greeting', { greeting: '554 5.7.1 You are on a list' }, 'rcpt'],
  ['530 to MAIL', { mail: '530 5.7.0 Authenticate first' }, 'rcpt'],
  ['relaying denied to RCPT', { rcpt: '554 5.7.1 Relay access denied' }, 'rcpt'],
  ['530 to DATA', { data: '530 5.7.0 Authenticate first' }, 'dot'],
] as const)
  test(`${what}, and there is a hold: 451 4.3.5 all the same, and nothing is held`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend(words)
    const gateway = await lab.gateway({ deliver: backend, hold: {} })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, sent.code, sent.enhanced], [step, 451, '4.3.5'])
    assert.equal(gateway.held(), 0)
  })

for (const step of ['mail', 'rcpt'] as const) {
  test(`550 5.7.1 to ${step.toUpperCase()} that names our address, from a backend that took this domain before: still about us`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway({ deliver: backend })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    backend.change({ [step]: '554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied' })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.code, sent.enhanced], [451, '4.3.5'])
    assert.equal(gateway.find('backend refuses us').length, 1)
  })
}

test('550 5.7.1 that names somebody else, from a backend that took this domain before: the sender hears it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  backend.change({ rcpt: '550 5.7.1 mail from 127.0.0.11 and not-mx.waypost.test is not wanted' })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.code, sent.enhanced], [550, '5.7.1'])
})

test('one backend refuses us, the next takes the message: the sender hears 250, and a person is alerted', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ mail: '530 5.7.0 Authenticate first' })
  const second = await lab.backend()
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(gateway.find('backend refuses us').length, 1)
})

test('530 at DATA is about us too', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ data: '530 5.7.0 Authenticate first' })
  await lab.gateway({ deliver: backend })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['dot', 451, '4.3.5'])
})

test('a backend that is down because it greets us with 554 is still about us: 451 4.3.5 and an alert, until it fails otherwise', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ greeting: '554 5.7.1 You are on a list' })
  const gateway = await lab.gateway({ deliver: backend })
  const heard = async () => {
    const { step, code, enhanced } = await lab.send({ to: 'you@example.test' })
    return [step, code, enhanced]
  }
  for (let message = 1; message <= 3; message++) await heard()
  assert.equal(gateway.backends()[0]?.state, 'down')
  assert.deepEqual(await heard(), ['rcpt', 451, '4.3.5'])
  // What goes on is not told by each message: once a minute, or here as we stop.
  assert.equal(gateway.find('backend refuses us').length, 1)

  // Now nobody listens there: the probe sees it, and there is nothing for us to mend.
  await backend.kill()
  await lab.until(() => /connect/.test(gateway.backends()[0]?.lastError ?? ''))
  assert.deepEqual(await heard(), ['rcpt', 451, '4.4.1'])
  await gateway.stop()
  const alerts = gateway.find('backend refuses us')
  assert.deepEqual(
    alerts.map(({ fields }) => [fields.step, fields.more]),
    [
      ['session', undefined],
      ['session', 3],
    ],
  )
  assert.match(String(alerts[1]?.fields.reply), /554 5\.7\.1 You are on a list/)
})
