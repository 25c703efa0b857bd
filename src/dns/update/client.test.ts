import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { type Answering, framed, startTcpServer } from '../../../test/lab/tcp-server.ts'
import type { Clock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { systemRandom } from '../../base/random.ts'
import { decodeMessage, encodeMessage, query } from '../message.ts'
import { createAnswerSigner } from '../tsig/answers.ts'
import { parseTsigKey, type TsigKey } from '../tsig/key.ts'
import { tsigErrorAnswer, verifyRequest } from '../tsig/request.ts'
import { rcodes } from '../types.ts'
import { nameFromText, type WireName } from '../wire-name.ts'
import { createUpdateClient, type UpdateOutcome } from './client.ts'
import type { Update } from './message.ts'

function keyOf(name: string, algorithm: string, fill: number): TsigKey {
  const parsed = parseTsigKey(name, algorithm, Buffer.alloc(32, fill).toString('base64'))
  assert.ok(parsed.kind === 'key')
  return parsed.key
}
const key = keyOf('waypost', 'hmac-sha256', 1)
const now = () => Math.floor(Date.now() / 1000)

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const zone = wire('example.test.')
const update: Update = {
  zone,
  prerequisites: [{ kind: 'rrset-absent', name: zone, type: 15 }],
  changes: [
    {
      kind: 'add',
      name: zone,
      ttlSeconds: 60,
      data: { type: 'MX', preference: 10, exchange: wire('mx.example.test.') },
    },
  ],
}

/** The bare answer to a request, without TSIG. */
function reply(asked: Buffer, rcode: number, change: { readonly id?: number; readonly opcode?: number } = {}): Buffer {
  const id = change.id ?? asked.readUInt16BE(0)
  return encodeMessage({ ...query(zone, 6, id, undefined), isResponse: true, opcode: change.opcode ?? 5, rcode })
}

function signedReply(asked: Buffer, rcode: number, by = key): Buffer {
  const verified = verifyRequest(asked, [key], now())
  assert.ok(verified.kind === 'verified')
  return createAnswerSigner(by, verified.tsig.mac).sign(reply(asked, rcode), now())
}

interface Sending {
  readonly key?: TsigKey | undefined
  readonly timeoutMs?: number
  readonly clock?: Clock
}

async function send(t: TestContext, answer: Answering, sending: Sending = {}): Promise<UpdateOutcome> {
  const { server } = await startTcpServer(t, answer)
  const options = { server, key: 'key' in sending ? sending.key : key, timeoutMs: sending.timeoutMs ?? 5_000 }
  const deps = { clock: sending.clock ?? steadyClock, random: systemRandom, door: systemDoor }
  return createUpdateClient(options, deps).send(update)
}

test('done, and the server saw what was meant', async (t) => {
  let seen: Buffer | undefined
  const outcome = await send(t, (asked, say) => {
    seen = asked
    say(signedReply(asked, rcodes.noError))
  })
  assert.deepEqual(outcome, { kind: 'done' })
  assert.ok(seen)
  const verified = verifyRequest(seen, [key], now())
  assert.ok(verified.kind === 'verified')
  const decoded = decodeMessage(verified.message)
  assert.ok(decoded.kind === 'message')
  assert.deepEqual(
    [decoded.message.opcode, decoded.message.answers.length, decoded.message.authorities.length],
    [5, 1, 1],
  )
})

for (const [rcode, expected] of [
  [rcodes.nxRrset, { kind: 'prerequisite-failed', rcode: 'NXRRSET', isSigned: true }],
  [rcodes.yxRrset, { kind: 'prerequisite-failed', rcode: 'YXRRSET', isSigned: true }],
  [rcodes.nxDomain, { kind: 'prerequisite-failed', rcode: 'NXDOMAIN', isSigned: true }],
  [rcodes.yxDomain, { kind: 'prerequisite-failed', rcode: 'YXDOMAIN', isSigned: true }],
  [rcodes.refused, { kind: 'refused', rcode: 'REFUSED', isSigned: true }],
  [rcodes.notAuth, { kind: 'not-authoritative', rcode: 'NOTAUTH', isSigned: true }],
  [rcodes.notZone, { kind: 'outside-zone', isSigned: true }],
  [rcodes.notImp, { kind: 'not-implemented', rcode: 'NOTIMP', isSigned: true }],
  [rcodes.servFail, { kind: 'failed', rcode: 'SERVFAIL', isSigned: true }],
  [rcodes.formErr, { kind: 'failed', rcode: 'FORMERR', isSigned: true }],
  [11, { kind: 'failed', rcode: 'RCODE11', isSigned: true }],
] as const) {
  test(`a signed answer with code ${rcode}`, async (t) => {
    assert.deepEqual(await send(t, (asked, say) => say(signedReply(asked, rcode))), expected)
  })
}

const tsig = (problem: string, rcode: number, skewSeconds?: number) => ({
  kind: 'tsig',
  problem,
  skewSeconds,
  rcode,
  mayBeDone: rcode === 0,
})
const refusing =
  (keys: readonly TsigKey[]): Answering =>
  (asked, say) => {
    const verdict = verifyRequest(asked, keys, now())
    assert.ok(verdict.kind === 'bad-key' || verdict.kind === 'bad-signature' || verdict.kind === 'bad-time')
    say(tsigErrorAnswer(reply(asked, rcodes.notAuth), verdict, now()))
  }

test('seven ways in which a signature fails are told apart, and none is success', async (t) => {
  const outcomes = {
    unknownKey: await send(t, refusing([])),
    wrongSecret: await send(t, refusing([keyOf('waypost', 'hmac-sha256', 2)])),
    otherAlgorithm: await send(t, (asked, say) => say(signedReply(asked, 0, keyOf('waypost', 'hmac-sha384', 1)))),
    unsignedNotAuth: await send(t, (asked, say) => say(reply(asked, rcodes.notAuth))),
    unsignedDone: await send(t, (asked, say) => say(reply(asked, rcodes.noError))),
    otherKey: await send(t, (asked, say) => say(signedReply(asked, 0, keyOf('another', 'hmac-sha256', 1)))),
    forged: await send(t, (asked, say) => say(signedReply(asked, 0, keyOf('waypost', 'hmac-sha256', 2)))),
  }
  assert.deepEqual(outcomes, {
    unknownKey: tsig('bad-key', 9),
    wrongSecret: tsig('bad-signature', 9),
    otherAlgorithm: tsig('answer-other-algorithm', 0),
    unsignedNotAuth: { kind: 'not-authoritative', rcode: 'NOTAUTH', isSigned: false },
    unsignedDone: tsig('answer-unsigned', 0),
    otherKey: tsig('answer-other-key', 0),
    forged: tsig('answer-bad-signature', 0),
  })
})

test('a clock that is an hour behind: the skew is told', async (t) => {
  const slow: Clock = { ...steadyClock, now: () => Date.now() - 3_600_000 }
  const outcome = await send(t, refusing([key]), { clock: slow })
  assert.ok(outcome.kind === 'tsig')
  assert.equal(outcome.problem, 'bad-time')
  assert.ok(Math.abs((outcome.skewSeconds ?? 0) - 3_600) <= 1, `${outcome.skewSeconds}`)
  assert.equal(outcome.mayBeDone, false)
})

test('without a key, what the server says is taken, and marked', async (t) => {
  assert.deepEqual(await send(t, (asked, say) => say(reply(asked, 0)), { key: undefined }), { kind: 'done' })
  const refused = await send(t, (asked, say) => say(reply(asked, rcodes.refused)), { key: undefined })
  assert.deepEqual(refused, { kind: 'refused', rcode: 'REFUSED', isSigned: false })
})

test('answers to something else are passed over', async (t) => {
  const outcome = await send(t, (asked, say) => {
    say(reply(asked, 0, { id: asked.readUInt16BE(0) ^ 1 }))
    say(reply(asked, 0, { opcode: 0 }))
    say(asked)
    say(Buffer.alloc(3))
    say(signedReply(asked, rcodes.nxRrset))
  })
  assert.equal(outcome.kind, 'prerequisite-failed')
})

test('an answer octet by octet', async (t) => {
  const outcome = await send(t, (asked, _say, socket) => {
    for (const octet of framed(signedReply(asked, 0))) socket.write(Buffer.of(octet))
  })
  assert.deepEqual(outcome, { kind: 'done' })
})

test('silence behind the update, a connection that ends, an answer that cannot be read: nobody knows whether it was done', async (t) => {
  const silent = await send(t, () => undefined, { timeoutMs: 150 })
  assert.deepEqual(silent, { kind: 'unknown', why: 'no answer within 150 ms' })
  const gone = await send(t, (_asked, _say, socket) => socket.end())
  assert.deepEqual(gone, { kind: 'unknown', why: 'closed' })
  const reset = await send(t, (_asked, _say, socket) => socket.resetAndDestroy())
  assert.deepEqual(reset, { kind: 'unknown', why: 'ECONNRESET' })
  const garbage = await send(t, (asked, say) => say(reply(asked, 0).subarray(0, -1)))
  assert.equal(garbage.kind, 'unknown')
  const stranger = await send(t, (asked, say, socket) => {
    say(reply(asked, 0, { id: asked.readUInt16BE(0) ^ 1 }))
    socket.end()
  })
  assert.deepEqual(stranger, { kind: 'unknown', why: '1 answers to something else; closed' })
})

test('nobody listens: nothing was sent', async () => {
  const address = parseIp('127.0.0.1')
  assert.ok(address)
  const options = { server: { address, port: 1 }, key, timeoutMs: 5_000 }
  const client = createUpdateClient(options, { clock: steadyClock, random: systemRandom, door: systemDoor })
  assert.deepEqual(await client.send(update), { kind: 'unreachable', why: 'ECONNREFUSED' })
})

test('what does not fit is not sent, and closing ends what waits', async (t) => {
  const { server, asked } = await startTcpServer(t, () => client.close())
  const deps = { clock: steadyClock, random: systemRandom, door: systemDoor }
  const client = createUpdateClient({ server, key, timeoutMs: 5_000 }, deps)
  const [change] = update.changes
  assert.ok(change)
  assert.deepEqual(await client.send({ ...update, changes: Array.from({ length: 9_000 }, () => change) }), {
    kind: 'too-large',
  })
  assert.equal(asked.length, 0)
  assert.deepEqual(await client.send(update), { kind: 'unknown', why: 'closed' })
  assert.equal(asked.length, 1)
})
