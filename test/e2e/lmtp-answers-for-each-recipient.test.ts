/** An LMTP backend answers for each recipient (RFC 2033 §4.2): its word on each counts, and what it left open is held. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

const to = ['a@example.test', 'b@example.test', 'c@example.test']

test('250, 452 and 550 in one answer: delivered, held and kept for a person', async (t) => {
  const lab = await startLab(t)
  const said = new Map([
    ['b@example.test', '452 4.2.2 full'],
    ['c@example.test', '550 5.7.1 not for you'],
  ])
  const backend = await lab.backend({ protocol: 'lmtp', afterDot: ({ asked }) => said.get(asked ?? '') })
  const gateway = await lab.gateway(
    { deliver: [backend], hold: { refusedAfterHold: 'keep' } },
    { clock: createFastClock(50) },
  )
  assert.equal((await lab.send({ to, body: 'three' })).code, 250)
  await lab.until(() => gateway.find('refused after hold').length === 1)
  const states = async () =>
    (await gateway.queue.list({}, 10)).messages[0]?.recipients.map(
      ({ recipient, state }) => `${recipient.text} ${state}`,
    )
  await lab.until(async () => String(await states()) === 'b@example.test waiting,c@example.test refused')
  const told = (event: string) => gateway.find(event).map(({ fields }) => [fields?.to, fields?.reply])
  assert.deepEqual(
    [told('delivered').map(([to]) => to), told('held'), told('refused')],
    [[['a@example.test']], [[['b@example.test'], '452 4.2.2 full']], [[['c@example.test'], '550 5.7.1 not for you']]],
  )
  // What b waits for is the backend's word.
  const [entry] = (await gateway.queue.list({}, 10)).messages
  const waiting = entry?.recipients.find(({ recipient }) => recipient.text === 'b@example.test')
  assert.equal(waiting?.attempts, 1)
  assert.ok(waiting?.lastHost)
  assert.deepEqual(waiting.lastReply?.text, ['full'])
  said.delete('b@example.test')
  await lab.until(() => backend.accepted.length === 2)
  await lab.until(async () => (await gateway.queue.list({}, 10)).messages[0]?.recipients.length === 1)
})

test('the connection is lost behind the second reply: only the third recipient is unknown', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    protocol: 'lmtp',
    afterDot: ({ asked }) => (asked === 'c@example.test' ? 'close' : undefined),
  })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} })
  assert.equal((await lab.send({ to, body: 'three' })).code, 250)
  const [entry] = (await gateway.queue.list({}, 10)).messages
  assert.deepEqual(
    entry?.recipients.map(({ recipient, state }) => `${recipient.text} ${state}`),
    ['c@example.test unknown'],
  )
  const told = (event: string) => gateway.find(event).map(({ fields }) => fields?.to)
  assert.deepEqual([told('delivered'), told('held')], [[['a@example.test', 'b@example.test']], [['c@example.test']]])
})

test('the same while what was held is delivered: each line names those that it is about', async (t) => {
  const lab = await startLab(t)
  const said = new Map([
    ['b@example.test', '452 4.2.2 full'],
    ['c@example.test', '550 5.7.1 not for you'],
  ])
  const backend = await lab.backend({ protocol: 'lmtp', afterDot: ({ asked }) => said.get(asked ?? '') })
  const gateway = await lab.gateway(
    { deliver: [backend], hold: { refusedAfterHold: 'keep' } },
    { clock: createFastClock(50) },
  )
  await backend.kill()
  assert.equal((await lab.send({ to, body: 'three' })).code, 250)
  await backend.restart()
  await lab.until(() => gateway.find('refused').length === 1)
  const told = (event: string) => gateway.find(event).map(({ fields }) => fields?.to)
  assert.deepEqual(told('drained'), [['a@example.test']])
  assert.deepEqual(told('held attempt')[0], ['b@example.test'])
  assert.deepEqual(told('refused'), [['c@example.test']])
  const [wait] = gateway.find('held attempt')
  assert.equal(wait?.fields?.reply, '452 4.2.2 full')
})
