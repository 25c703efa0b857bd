/** A person acts on a message at the moment when a backend is asked to take it: it goes to nobody twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneOf } from '../../src/gateway/ways/lanes.ts'
import type { Lane } from '../../src/queue/queue.ts'
import { startLab } from '../lab/lab.ts'

test('what is being attempted is neither routed nor removed, and goes by no second lane', async (t) => {
  const lab = await startLab(t)
  const one = await lab.backend({ connect: 'refuse', afterDot: 'silence' })
  const other = await lab.backend()
  const gateway = await lab.gateway({
    domains: { 'one.test': { deliver: [one], hold: {} }, 'other.test': { deliver: [other], hold: {} } },
  })
  assert.equal((await lab.send({ to: 'you@one.test' })).code, 250)
  const [entry] = (await gateway.queue.list({}, 1)).messages
  const id = entry?.message.id ?? assert.fail()
  const operations = gateway.heldMail?.operations ?? assert.fail()
  await one.restart()
  await lab.until(() => one.messages.length === 1)

  for (const act of ['route', 'remove'] as const) {
    const answer = await operations.act(act, { ids: [id] }, undefined, other.url)
    assert.ok('left' in answer)
    assert.deepEqual([answer.messages, answer.left.map(({ why }) => why)], [0, [beingAsked]])
  }
  assert.deepEqual(await gateway.heldMail?.transfer.take(id, {}), { kind: 'left', why: beingAsked })
  assert.equal((await operations.show(id))?.isBeingAttempted, true)

  // A configuration that sends it elsewhere meanwhile does the same to the row.
  const elsewhere = laneOf({ id: 'other.test', entries: [], balance: 'round-robin', onDefer: 'pass' }, undefined)
  await gateway.queue.settle({ id, recipients: [{ index: 0, to: { kind: 'ready' }, lane: elsewhere }] })
  await operations.act('retry', { ids: [id] }, undefined)
  // The drain has looked by when this has been answered behind it.
  for (let looks = 0; looks < 5; looks++) await gateway.queue.next('nothing' as Lane, 1, new Set())
  assert.equal(other.messages.length, 0)
  one.say('250 2.0.0 taken')
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([one.messages.length, other.messages.length], [1, 0])
})

test('what is held back while it is being attempted stays held where the backend defers it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse', afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await backend.restart()
  await lab.until(() => backend.messages.length === 1)
  const operations = gateway.heldMail?.operations ?? assert.fail()
  await operations.act('hold', {}, undefined)
  backend.say('450 4.2.0 later')
  await lab.until(async () => {
    const [entry] = (await gateway.queue.list({}, 1)).messages
    return ((await gateway.queue.get(entry?.message.id ?? ''))?.attempts.length ?? 0) === 1
  })
  assert.equal(gateway.queue.domains()[0]?.byState.held, 1)
  backend.change({ afterDot: undefined })
  await operations.act('release', {}, undefined)
  await lab.until(() => gateway.held() === 0)
})

test('what is held back while it is the next to be attempted does not go', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    connect: 'refuse',
    afterDot: (_, count) => (count === 1 ? 'silence' : undefined),
  })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} })
  for (const body of ['first', 'second', 'third']) await lab.send({ to: 'you@example.test', body })
  const ids = (await gateway.queue.list({}, 3)).messages.map(({ message }) => message.id)
  await backend.restart()
  await lab.until(() => backend.messages.length === 1)

  const { queue } = gateway
  const { settle } = queue
  // The first one is over between the moment at which the second is held and that at which the drain is told.
  queue.settle = async (settlement) => {
    await settle(settlement)
    if (settlement.id !== ids[1] || gateway.held() < 3) return
    backend.say('250 2.0.0 taken')
    await lab.until(() => gateway.held() <= 2)
    // The drain has begun what it may begin when this has been answered behind it.
    for (let looks = 0; looks < 50; looks++) await queue.next('nothing' as Lane, 1, new Set())
  }
  await gateway.heldMail?.operations.act('hold', { ids: ids.slice(1, 2) }, undefined)
  await lab.until(() => gateway.held() <= 1)
  assert.deepEqual(
    backend.messages.map(({ content }) => /first|second|third/.exec(String(content))?.[0]),
    ['first', 'third'],
  )
  assert.equal(queue.domains()[0]?.byState.held, 1)
})

const beingAsked = 'a backend is being asked to take it at this moment'
