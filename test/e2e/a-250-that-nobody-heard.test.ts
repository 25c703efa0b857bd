import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lab, startLab } from '../lab/lab.ts'

// RFC 1047: the sender that did not hear our 250 sends again.
const to = ['one@example.test', 'two@example.test']
const message = 'Subject: once\r\n\r\ntext\r\n'

/** A message that the backend takes and whose sender is gone before our 250. */
async function unheard(lab: Lab, how: 'reset' | 'halfClose', content = message) {
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('someone@sender.test', ...to)
  await sender.write(`${content}.\r\n`)
  await lab.until(() => backend.messages.length === 1)
  sender[how]()
  // The end of the connection has to arrive before the verdict does.
  const bystander = await lab.connect()
  await bystander.hello()
  backend.say('250 2.0.0 taken')
  await lab.until(() => gateway.find('disconnected').length === 1)
  backend.change({ afterDot: undefined })
  return { backend, gateway }
}

for (const how of ['reset', 'halfClose'] as const) {
  test(`the sender is gone (${how}) before our 250, and comes again with the same: 250, and one copy`, async (t) => {
    const lab = await startLab(t)
    const { backend, gateway } = await unheard(lab, how)
    const again = await lab.send({ to: [...to].reverse(), message })
    assert.equal(again.code, 250)
    assert.equal(backend.messages.length, 1)
    assert.equal(gateway.find('delivered before').length, 1)
    const told = gateway.events.flatMap((event) => (event.kind === 'message-stopped' ? [event.why] : []))
    assert.deepEqual(told, ['repeated'])
    // It answers once: whoever sends it a third time means it.
    assert.equal((await lab.send({ to, message })).code, 250)
    assert.equal(backend.messages.length, 2)
    assert.deepEqual(backend.violations, [])
  })
}

for (const how of ['reset', 'halfClose'] as const) {
  test(`the sender goes (${how}) in the very moment of the backend's yes, and comes again with the same: 250, and one copy`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ afterDot: 'silence' })
    const gateway = await lab.gateway({ deliver: backend })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('someone@sender.test', ...to)
    await sender.write(`${message}.\r\n`)
    await lab.until(() => backend.messages.length === 1)
    // Both lie ready when the gateway looks, the yes first.
    backend.say('250 2.0.0 taken')
    sender[how]()
    await lab.until(() => gateway.find('disconnected').length === 1)
    backend.change({ afterDot: undefined })
    assert.equal((await lab.send({ to, message })).code, 250)
    assert.equal(backend.messages.length, 1)
    assert.deepEqual(backend.violations, [])
  })
}

test('one octet, one recipient or the sender is another: it is another message', async (t) => {
  const lab = await startLab(t)
  const { backend } = await unheard(lab, 'reset')
  assert.equal((await lab.send({ to, message: message.replace('text', 'texd') })).code, 250)
  assert.equal((await lab.send({ to: to.slice(0, 1), message })).code, 250)
  assert.equal((await lab.send({ to, message, from: 'else@sender.test' })).code, 250)
  assert.equal(backend.messages.length, 4)
})

test('a large one, which lies in a file, is known again as well', async (t) => {
  const lab = await startLab(t)
  const large = `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(6_000)}`
  const { backend } = await unheard(lab, 'reset', large)
  assert.equal((await lab.send({ to, message: large })).code, 250)
  assert.equal(backend.messages.length, 1)
})

test('what was not delivered is not remembered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('someone@sender.test', ...to)
  await sender.write(`${message}.\r\n`)
  await lab.until(() => backend.messages.length === 1)
  sender.reset()
  backend.say('452 4.2.2 Over quota')
  await lab.until(() => gateway.find('disconnected').length === 1)
  backend.change({ afterDot: undefined })
  assert.equal((await lab.send({ to, message })).code, 250)
  assert.equal(backend.accepted.length, 1)
  assert.equal(gateway.find('delivered before').length, 0)
})
