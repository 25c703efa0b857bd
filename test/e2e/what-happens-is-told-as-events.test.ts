/** Whoever listens to the gateway hears what becomes of each message and each backend, without a single address of a person. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('a message that is delivered, one that is refused, and one that is held until its backend is back', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: (address) => (address.startsWith('nobody@') ? '550 5.1.1 no such user' : undefined),
    afterDot: ({ content }) => (String(content).includes('spam') ? '554 5.7.1 no thanks' : undefined),
  })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} }, { clock: createFastClock(20) })
  const told = (kind: string) => gateway.events.filter((event) => event.kind === kind)

  await lab.send({ to: 'you@example.test', body: 'hello' })
  await lab.send({ to: 'you@example.test', body: 'spam' })
  await lab.send({ to: 'nobody@example.test', body: 'hello' })
  const [delivered] = told('delivered')
  assert.ok(delivered?.kind === 'delivered')
  assert.deepEqual(delivered.domains, ['example.test'])
  assert.match(delivered.backend ?? '', /^smtp:/)
  assert.ok(delivered.bytes > 0 && delivered.ms >= 0 && delivered.code === 250)
  const [refused] = told('refused')
  assert.equal(refused?.kind === 'refused' && refused.code, 554)
  const [recipient] = told('recipient-refused')
  assert.deepEqual(recipient, { ...recipient, domain: 'example.test', code: 550 })

  await backend.kill()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'keep me' })).code, 250)
  const [held] = told('held')
  assert.ok(held?.kind === 'held' && String(held.domains) === 'example.test')
  assert.ok(told('backend-state').some((event) => event.kind === 'backend-state' && event.to === 'down'))

  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  const delivery = () => told('attempt').find((event) => event.kind === 'attempt' && event.outcome === 'delivered')
  await lab.until(() => delivery() !== undefined)
  const drained = delivery()
  assert.ok(drained?.kind === 'attempt' && drained.id === held.id && String(drained.domains) === 'example.test')
  assert.ok(told('backend-state').some((event) => event.kind === 'backend-state' && event.to === 'up'))
  assert.doesNotMatch(JSON.stringify(gateway.events), /@example\.test/)
})

test('a message that comes to its end here is told with why, each time', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({
    deliver: [backend],
    bareNewline: 'reject',
    limits: { messageBytes: 2_000, spool: 4_000, bodyMemory: 4_000 },
  })
  const to = 'you@example.test'
  assert.equal((await lab.send({ to, message: 'Subject: x\r\n\r\nbare\nnewline\r\n' })).code, 550)
  assert.equal((await lab.send({ to, message: `Subject: x\r\n\r\n${'x'.repeat(2_000)}\r\n` })).code, 552)
  assert.equal((await lab.send({ to, message: `Subject: x\r\n\r\n${'x'.repeat(1_500)}\r\n` })).code, 452)
  const gone = await lab.connect()
  await gone.hello()
  await gone.untilData('someone@sender.test', to)
  gone.reset()
  const stopped = () => gateway.events.flatMap((event) => (event.kind === 'message-stopped' ? [event] : []))
  await lab.until(() => stopped().length === 4)

  assert.deepEqual(
    stopped().map(({ why }) => why),
    ['bare-lf', 'too-big', 'no-room', 'gone'],
  )
  assert.deepEqual(
    stopped().map(({ id }) => id),
    gateway.find('message refused').map(({ fields }) => fields?.id),
  )
})

test('what the log marks as an alert is told as one', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'close' })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} })
  await lab.send({ to: 'you@example.test', body: 'hello' })

  const alert = gateway.events.find((event) => event.kind === 'alert')
  assert.ok(alert?.kind === 'alert' && alert.event === 'outcome unknown')
  assert.match(alert.about.backend ?? '', /^smtp:/)
  assert.ok(gateway.events.some(({ kind }) => kind === 'unknown'))
  assert.doesNotMatch(JSON.stringify(gateway.events), /@example\.test/)
})

test('domains that share a route: what happens to a message for both counts for both', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    afterDot: ({ content }) => (/spam/.test(String(content)) ? '554 5.7.1 no' : undefined),
  })
  const words = { deliver: [backend], hold: {} }
  const gateway = await lab.gateway({ domains: { 'one.test': words, 'other.test': words } })
  const to = ['a@one.test', 'b@other.test', 'c@one.test']
  await lab.send({ to })
  await backend.kill()
  await lab.send({ to })
  await lab.send({ to, body: 'spam' })
  await backend.restart()
  await lab.until(() => gateway.held() === 1 && gateway.find('refused after hold').length === 3)

  const domains = (kind: string) =>
    gateway.events.flatMap((event) => (event.kind === kind && 'domains' in event ? [event.domains] : []))
  const both = ['one.test', 'other.test']
  assert.deepEqual(domains('delivered'), [both])
  assert.deepEqual(domains('held'), [both, both])
  await lab.until(() => domains('attempt').length === 2)
  assert.deepEqual(domains('attempt'), [both, both])
  const refused = gateway.events.flatMap((event) =>
    event.kind === 'refused-after-hold' ? [[event.domain, event.recipients]] : [],
  )
  assert.deepEqual(refused, [
    ['one.test', 2],
    ['other.test', 1],
  ])
})
