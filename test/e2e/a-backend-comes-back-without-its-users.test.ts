/**
 * A server restored without its users refuses everybody. Recipients that it accepted before stay deferred for a day, the drain stops and says why,
 * and nobody is told anything; live mail's refusals pass, because those senders keep their copy.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { createJumpingClock } from '../lab/jumping-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'

const hourMs = 3_600_000
const noSuchUser = '550 5.1.1 no such user'

test('thirty messages for users that it knew: none is bounced, and the drain stops', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(20) })
  // It accepts them, so they are known.
  await sendMany(lab, oracle, 30, random)
  await backend.kill()
  assert.ok((await sendMany(lab, oracle, 30, random)).every((code) => code === 250))

  backend.change({ rcpt: noSuchUser })
  await backend.restart()
  await lab.until(() => gateway.find('drain stopped').length > 0)
  const [line] = gateway.find('drain stopped')
  assert.equal(line?.level, 'alert')
  assert.match(String(line?.fields.why), /knows 11 of the first 11 recipients/)
  assert.equal(gateway.held(), 30)
  const asked = backend.commands.filter((command) => command.startsWith('RCPT')).length

  const live = await lab.send({ to: 'user1@example.test' })
  assert.deepEqual([live.step, live.code], ['rcpt', 550])
  // Stopped it stays, also when the route is tried again.
  await lab.until(() => gateway.find('drain waits').length >= 2)
  assert.equal(backend.commands.filter((command) => command.startsWith('RCPT')).length, asked + 1)
  assert.deepEqual(gateway.find('refused after hold'), [])
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('a few messages: deferred for a day, delivered if the users are back, and refused when they are not', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(2)]
  const backend = await lab.backend()
  const clock = createJumpingClock(createFastClock(100))
  const gateway = await lab.gateway({ deliver: backend, hold: { refusedAfterHold: 'keep' } }, { clock })
  await sendMany(lab, oracle, 2, random)
  await backend.kill()
  await sendMany(lab, oracle, 2, random)
  backend.change({ rcpt: (to) => (to === 'user0@example.test' ? noSuchUser : undefined) })
  await backend.restart()
  await lab.until(() => gateway.held() === 1)
  const refusals = () => backend.commands.filter((command) => command === 'RCPT TO:<user0@example.test>').length
  const state = async () => (await gateway.queue.list({}, 1)).messages[0]?.recipients[0]?.state

  const before = refusals()
  await lab.until(() => refusals() >= before + 2)
  assert.match(String(await state()), /waiting|ready/)
  clock.jump(25 * hourMs)
  await lab.until(async () => (await state()) === 'refused')
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('fifteen messages for users that it never knew: refused one by one, and the drain of the others does not stop', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(3)]
  const backend = await lab.backend({ rcpt: (to) => (to.startsWith('guess') ? noSuchUser : undefined) })
  const hold = { refusedAfterHold: 'keep' } as const
  const gateway = await lab.gateway({ deliver: backend, hold }, { clock: createFastClock(20) })
  await sendMany(lab, oracle, 1, random)
  await backend.kill()
  for (let number = 0; number < 15; number++)
    assert.deepEqual(await sendMany(lab, oracle, 1, random, { to: `guess${number}@example.test` }), [250])
  assert.deepEqual(await sendMany(lab, oracle, 1, random), [250])
  await backend.restart()
  await lab.until(() => gateway.find('refused after hold').length === 15)
  await lab.until(() => backend.messages.length === 2)
  // The refused ones are kept.
  await lab.until(() => gateway.held() === 15)
  assert.deepEqual(gateway.find('drain stopped'), [])
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('what a stranger can bring about stops nobody: spam that is refused at the dot, and messages for one user who is gone', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(4)]
  const backend = await lab.backend()
  const hold = { refusedAfterHold: 'keep' } as const
  const gateway = await lab.gateway({ deliver: backend, hold }, { clock: createFastClock(20) })
  await sendMany(lab, oracle, 13, random)
  await backend.kill()
  for (let number = 0; number < 12; number++) {
    // Each to another user that is known.
    const spam = await lab.send({ from: 'spam@sender.test', to: `user${number}@example.test`, body: 'SPAM' })
    const gone = await lab.send({
      from: 'spam@sender.test',
      to: 'user12@example.test',
    })
    assert.deepEqual([spam.code, gone.code], [250, 250])
  }
  assert.deepEqual(await sendMany(lab, oracle, 1, random), [250])
  backend.change({
    rcpt: (to) => (to.toLowerCase().startsWith('user12@') ? noSuchUser : undefined),
    afterDot: ({ content }) => (String(content).includes('SPAM') ? '554 5.7.1 spam' : undefined),
  })
  await backend.restart()
  await lab.until(() => gateway.find('refused after hold').length === 12)
  await lab.until(() => backend.messages.length === 13 + 12 + 1)
  // What the backend has is let go a moment later.
  await lab.until(() => gateway.held() === 24)
  assert.deepEqual(gateway.find('drain stopped'), [])
})

for (const recipients of ['any', undefined] as const)
  test(`fifteen users of a domain that it accepted before${recipients ? ', where any recipient is good' : ''}`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway(
      { domains: { 'example.test': { deliver: backend, hold: {}, ...(recipients && { recipients }) } } },
      { clock: createFastClock(20) },
    )
    const toAll = async () => {
      for (let number = 0; number < 15; number++)
        assert.equal((await lab.send({ to: `guess${number}@example.test` })).code, 250)
    }
    await toAll()
    await backend.kill()
    await toAll()
    backend.change({ rcpt: noSuchUser })
    await backend.restart()
    const asked = () => backend.commands.filter((command) => command.startsWith('RCPT')).length
    // Addresses that anybody can make up prove nothing; each is put off by itself.
    if (recipients) await lab.until(() => asked() >= 15 + 15)
    else await lab.until(() => gateway.find('drain stopped').length > 0)
    assert.equal(gateway.find('drain stopped').length, recipients ? 0 : 1)
    assert.equal(gateway.held(), 15)
  })
