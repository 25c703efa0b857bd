/**
 * A backend greets, and hangs up at RCPT; another says there that it can take nothing now. What is held for them says so by their names: in the log, in
 * the list of backends, and at the message itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost as call } from '../lab/process.ts'

test('it hangs up at RCPT: it is named, and its state stays as it was', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: 'close' })
  const running = await lab.process({
    config: { log: { file: 'mail.log' }, domains: { 'example.test': { deliver: [backend] } } },
  })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  const why = 'closed the connection at RCPT'
  const [listed] = JSON.parse((await call(running, 'backend', 'list', '--json')).stdout)
  assert.deepEqual([listed.state, listed.lastError], ['up', why])

  const { messages } = JSON.parse((await call(running, 'queue', 'list', '--json')).stdout)
  const shown = async () => (await call(running, 'queue', 'show', messages[0].id)).stdout
  await lab.until(async () => /[2-9] attempts\n/.test(await shown()))
  assert.ok((await shown()).includes(`deferred by ${backend.url}: ${why}\n`), await shown())
  const trace = async () => (await call(running, 'trace', messages[0].id)).stdout
  const sentences = (text: string) => text.split('\n').filter((line) => line.includes(`${backend.url} ${why}`)).length
  await lab.until(async () => sentences(await trace()) >= 3)
  const story = await trace()
  assert.match(
    story,
    /\(asked while the sender waits\)\n[\s\S]*\(asked at the final dot\)\n[\s\S]*\(asked from the hold\)\n[\s\S]*waiting, was not taken/,
  )
  assert.doesNotMatch(story, /nobody|no backend could take it:/)

  backend.change({ rcpt: undefined })
  assert.equal((await call(running, 'queue', 'retry', '--all')).code, 0)
  await lab.until(() => backend.messages.length === 1)
  const lastError = async () => JSON.parse((await call(running, 'backend', 'list', '--json')).stdout)[0].lastError
  await lab.until(async () => (await lastError()) === null)
})

test('one cannot take it and the spare hangs up: both are told of by name, each time that they are asked', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ rcpt: '450 4.3.0 not now' })
  const spare = await lab.backend({ rcpt: 'close' })
  const gateway = await lab.gateway(
    { deliver: [first, { to: spare, preference: 20 }], hold: {} },
    { clock: createFastClock(5) },
  )
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  const only = async () => (await gateway.queue.list({}, 1)).messages[0] ?? assert.fail()
  // With nothing else to go it is asked about once more at once, and then waits.
  await lab.until(async () => (await only()).recipients[0]?.state === 'waiting')
  for (const when of ['while the sender waits', 'at the final dot', 'from the hold']) {
    assert.deepEqual(
      gateway.find('backend cannot take it', { when }).map(({ fields }) => [fields.backend, fields.step]),
      [[first.url, 'rcpt']],
    )
    assert.deepEqual(
      gateway.find('backend session lost', { when }).map(({ fields }) => [fields.backend, fields.why]),
      [[spare.url, 'closed the connection at RCPT']],
    )
  }
  const { attempts } = (await gateway.queue.get((await only()).message.id)) ?? assert.fail()
  const text = `${first.url} said at RCPT: 450 4.3.0 not now; ${spare.url} closed the connection at RCPT`
  assert.deepEqual(
    attempts.map((each) => [each.outcome, each.backend, each.text]),
    Array(2).fill(['deferred', undefined, text]),
  )
})
