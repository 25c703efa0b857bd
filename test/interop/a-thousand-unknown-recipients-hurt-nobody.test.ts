/**
 * Postfix slows a client down after errors (1 s from the 10th on) and hangs up at 20. Behind a gateway that client is everybody, so a
 * spammer who guesses addresses through us must leave the backend as fast and as `up` for all others.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabGateway } from '../lab/gateway.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { startPostfix } from './harness/postfix.ts'

const connections = 100
const recipientsEach = 10

/** Ten guesses in a connection, from an address that three connections share: under the limits, so each one is asked for. */
async function guess(lab: Lab, connection: number): Promise<readonly number[]> {
  const sender = await lab.connect({ source: `127.9.${Math.floor(connection / 3)}.1` })
  await sender.hello()
  await sender.command('MAIL FROM:<spammer@sender.test>', 250)
  const codes: number[] = []
  for (let index = 0; index < recipientsEach; index++)
    codes.push((await sender.command(`RCPT TO:<guess${connection}x${index}@example.test>`)).code)
  sender.destroy()
  return codes
}

/** Milliseconds that each of some good messages takes. */
async function timeGood(lab: Lab, gateway: LabGateway, count: number): Promise<readonly number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    const begun = performance.now()
    const sent = await lab.send({ to: 'you@example.test', source: '127.8.0.1' })
    times.push(performance.now() - begun)
    assert.equal(sent.code, 250, `${sent.transcript.join('\n')}\n${gateway.text().slice(-500)}`)
  }
  return times.sort((a, b) => a - b)
}

const median = (times: readonly number[]) => times[Math.floor(times.length / 2)] ?? 0

test('a spammer tries 1,000 unknown recipients, and the others notice nothing', async (t) => {
  const lab = await startLab(t)
  const postfix = await startPostfix(lab)
  const gateway = await lab.gateway({ deliver: postfix.url })
  const before = await timeGood(lab, gateway, 15)

  let refused = 0
  const during: number[] = []
  for (let connection = 0; connection < connections; connection += 5) {
    const five = [0, 1, 2, 3, 4].map((offset) => guess(lab, connection + offset))
    const [times, ...codes] = await Promise.all([timeGood(lab, gateway, 1), ...five])
    during.push(...times)
    refused += codes.flat().filter((code) => code === 550).length
  }
  const after = await timeGood(lab, gateway, 15)

  // The tenth of a connection may be the 421 that ends it.
  assert.ok(refused >= connections * (recipientsEach - 1), `Postfix was asked: ${refused} heard its 550`)
  // It says at the end of each session how many of its recipients it took: `rcpt=1/6`. From the tenth refusal on there is a penalty.
  await gateway.stop()
  const refusals = async () =>
    [...(await postfix.log()).matchAll(/ disconnect from .* rcpt=(\d+)\/(\d+)/g)].map(
      ([, taken, asked]) => Number(asked) - Number(taken),
    )
  await lab.until(async () => (await refusals()).reduce((sum, each) => sum + each, 0) >= refused)
  assert.ok(Math.max(...(await refusals())) < 10, String(await refusals()))
  assert.doesNotMatch(await postfix.log(), /too many errors/)
  // The penalty is a second.
  const [usualMs, duringMs, afterMs] = [before, during, after].map(median) as [number, number, number]
  assert.ok(duringMs < 3 * usualMs + 1000, `before ${usualMs} ms, meanwhile ${duringMs} ms`)
  assert.ok(afterMs < 3 * usualMs + 500, `before ${usualMs} ms, after ${afterMs} ms`)
  assert.deepEqual(gateway.grep(/"(suspect|slow|down)"/), [])
})
