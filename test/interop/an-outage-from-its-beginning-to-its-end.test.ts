/**
 * Both backends are down, 20,000 messages arrive by Postfix and by smtp-source, then one backend returns: all arrive, oldest first, once each;
 * their senders have heard nothing but 250; and new mail is cut through meanwhile, about as fast as before.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startBackendProcess, type TakenMessage } from '../lab/backend-process.ts'
import { Dialogue } from '../lab/dialogue.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost } from '../lab/process.ts'
import { startPostfix } from './harness/postfix.ts'
import { run } from './harness/program.ts'

const each = 10_000
const between = 25

test('an outage: 20,000 messages, and new ones meanwhile', async (t) => {
  const lab = await startLab(t, 900_000)
  const [first, second] = [await startBackendProcess(lab), await startBackendProcess(lab)]
  // Nothing goes there but what shows how busy the machine is.
  const { hostname: address, port } = new URL((await startBackendProcess(lab)).url)
  const yardstick = { address, port: Number(port) }
  const gateway = await lab.process({
    config: {
      domains: { 'example.test': { deliver: [first.url, second.url] } },
      limits: { connectionRate: 100_000, connectionsPerAddress: 1_000, connectionsPerNetwork: 1_000 },
    },
  })
  const postfix = await startPostfix(lab, {
    relayTo: gateway,
    main: { in_flow_delay: '0', default_process_limit: '50' },
  })
  // Its recipient is known from now on, and everything has run once.
  await latencies(gateway, 200)
  const before = await latencies(gateway, 300)
  await latencies(yardstick, 200)
  const machineBefore = await latencies(yardstick, 100)

  await Promise.all([first.kill(), second.kill()])
  const from = performance.now()
  const [direct, byPostfix] = await Promise.all([smtpSource(gateway), smtpSource(postfix)])
  for (const ran of [direct, byPostfix]) assert.equal(ran.code, 0, ran.stderr)
  const sent = async () => (await postfix.log()).match(/ status=sent /g)?.length ?? 0
  await lab.until(async () => (await sent()) === each, 300_000)
  const arrivedMs = performance.now() - from
  assert.doesNotMatch(await postfix.log(), / status=(deferred|bounced) /)

  const already = first.taken.length
  await first.restart()
  const drainFrom = performance.now()
  await lab.until(() => first.taken.length > already + 200)
  const [during, machineDuring]: [number[], number[]] = [[], []]
  while (first.taken.length < already + 2 * each + during.length && performance.now() - drainFrom < 300_000) {
    during.push(...(await latencies(gateway, 20, between)))
    machineDuring.push(...(await latencies(yardstick, 5)))
  }
  await lab.until(() => first.taken.length >= already + 2 * each + during.length, 300_000)
  const drainMs = performance.now() - drainFrom
  // Nothing comes behind it: what is held no more goes no more.
  await lab.until(
    async () => JSON.parse((await callWaypost(gateway, 'queue', 'stats', '--json')).stdout).messages === 0,
  )

  const taken = first.taken.slice(already)
  const held = taken.filter(({ messageId }) => !messageId.startsWith('<live'))
  assert.equal(new Set(taken.map(({ messageId }) => messageId)).size, taken.length, 'once each')
  assert.equal(held.length, 2 * each)
  assert.equal(taken.length, 2 * each + during.length)
  assert.deepEqual(second.taken.length > 0 && second.taken.length < 600, true)
  const order = gateway.lines.filter(({ event }) => event === 'held').map(({ id }) => String(id))
  assert.equal(order.length, 2 * each)
  const moved = displacements(held, order)
  const [disorder, mostDisorder] = [quantile(moved, 0.99), Math.max(...moved)]
  const [p50, p95] = [quantile(before, 0.5), quantile(before, 0.95)]
  const [p50During, p95During] = [quantile(during, 0.5), quantile(during, 0.95)]
  const slower = (at: number, leastMs: number) =>
    Math.max(1, quantile(machineDuring, at) / Math.max(quantile(machineBefore, at), leastMs))
  const machine = [slower(0.5, 1), slower(0.95, 5)] as const
  t.diagnostic(
    JSON.stringify({
      acceptedASecond: Math.round((2 * each * 1000) / arrivedMs),
      drainedASecond: Math.round((taken.length * 1000) / drainMs),
      disorder: [disorder, mostDisorder],
      machine,
      ms: { before: [p50, p95], during: [p50During, p95During], live: during.length },
    }),
  )
  // As many as may be under way at once: half of the backend's sessions. One whose session stands still for a moment is overtaken by more.
  assert.ok(disorder <= 100, `a hundredth of the messages went ${disorder} places and more from where they stood`)
  assert.ok(mostDisorder <= 4_000, `a message went ${mostDisorder} places from where it stood`)
  assert.ok(during.length >= 40)
  t.diagnostic(
    `latency in the drain: ${times(p50During, p50)} times the median of before, ${times(p95During, p95)} times the 95th`,
  )
  // Twice the latency of before, as the machine is now. Below so few milliseconds it is the scheduler that is measured: sender, gateway, its threads and
  // both backends share two processors or so.
  assert.ok(p50During <= Math.max(2 * p50 * machine[0], 10), `median ${p50During} ms, before ${p50} ms`)
  assert.ok(p95During <= Math.max(2 * p95 * machine[1], 200), `95th ${p95During} ms, before ${p95} ms`)
})

const smtpSource = ({ address, port }: { readonly address: string; readonly port: number }) =>
  run(
    'smtp-source',
    [
      ...['-s', '10', '-l', '2000', '-m', String(each), '-d', '-c'],
      ...['-f', 'someone@sender.test', '-t', 'you@example.test', '-M', 'sender.test'],
      `${address}:${port}`,
    ],
    { timeoutMs: 600_000 },
  )

let live = 0

/** Milliseconds from the dot to its answer, one message after the other on a connection, with pauses. */
async function latencies(
  { address, port }: { readonly address: string; readonly port: number },
  count: number,
  pauseMs = 0,
): Promise<number[]> {
  const dialogue = await Dialogue.open({ address, port, source: '127.7.7.7' })
  await dialogue.hello()
  const result: number[] = []
  for (let number = 0; number < count; number++) {
    await dialogue.untilData('live@sender.test', 'you@example.test')
    const from = performance.now()
    await dialogue.write(`Message-Id: <live.${++live}@sender.test>\r\nSubject: now\r\n\r\nhello\r\n.\r\n`)
    await dialogue.expect(250)
    result.push(performance.now() - from)
    if (pauseMs > 0) await wait(pauseMs)
  }
  dialogue.destroy()
  return result
}

const times = (now: number, before: number) => (now / before).toFixed(1)

function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0) * 100) / 100
}

/** How far each message arrived from the place that it had when it was held. */
function displacements(taken: readonly TakenMessage[], order: readonly string[]): number[] {
  const places = new Map(order.map((id, place) => [id, place]))
  return taken.map(({ id }, place) => Math.abs(place - (places.get(id) ?? Number.POSITIVE_INFINITY)))
}
