import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  begin,
  beginLimits,
  deliverOne,
  delivery,
  endpoint,
  job,
  mailbox,
  message,
  stepLimits,
  trace,
} from '../../test/unit/deliver.ts'
import { type Behaviour, type Peer, rounds, startBackend, until } from '../../test/unit/scripted-backend.ts'
import { shortSteps } from '../smtp/client/step-limits.ts'

const you = mailbox('you@example.test')
const both = [you, mailbox('other@example.test')]

/** A transaction up to its accepted recipients. */
async function ready(t: Parameters<typeof startBackend>[0], behaviour: Behaviour, recipients = [you], path?: string) {
  const backend = await startBackend(t, behaviour, path)
  const { delivery: out } = delivery(t)
  const to = path ? endpoint({ path }) : endpoint({ port: backend.port, protocol: behaviour.lmtp ? 'lmtp' : 'smtp' })
  const transaction = await begin(out, to)
  const asked = await transaction.askRecipients(recipients, stepLimits())
  assert.equal(asked.kind, 'answered')
  return { backend, out, to, transaction }
}

async function* blocksOf(count: number, octets: number, afterEach?: (at: number) => Promise<void>) {
  for (let at = 0; at < count; at++) {
    yield Buffer.from(`.${'x'.repeat(octets - 3)}\r\n`)
    await afterEach?.(at)
  }
}

test('a refusal at the dot is the verdict, and the session is good for more', async (t) => {
  const { out, to, transaction } = await ready(t, { on: (verb) => (verb === '.' ? '552 5.2.2 full' : undefined) })
  const sent = await transaction.data(message('x\r\n'), stepLimits())
  assert.deepEqual(sent, { kind: 'answered', step: 'dot', replies: [{ code: 552, enhanced: '5.2.2', text: ['full'] }] })
  assert.equal(out.sessions(to).idle, 1)
})

for (const says of ['close', 'reset'] as const) {
  test(`${says} behind the dot: unknown`, async (t) => {
    const { backend, transaction } = await ready(t, { on: (verb) => (verb === '.' ? says : undefined) })
    let left = 0
    const sent = await transaction.data(message('x\r\n'), { ...stepLimits(), onDotLeft: () => left++ })
    assert.equal(sent.kind, 'unknown')
    assert.equal(left, 1)
    assert.equal(backend.messages.length, 1)
  })
}

test('silence behind the dot: unknown at the end of the time, with how long we waited', async (t) => {
  const { transaction } = await ready(t, { on: (verb) => (verb === '.' ? 'silence' : undefined) })
  const sent = await transaction.data(message('x\r\n'), { ...stepLimits(), untilMs: stepLimits(150).untilMs })
  assert.deepEqual(sent.kind === 'unknown' && [sent.fault.kind, sent.fault.step, sent.replies], ['timeout', 'dot', []])
  assert.equal(sent.kind === 'unknown' && sent.waitedMs > 100, true)
})

test('the answer to the dot has a time of its own, however long the body may take', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === '.' ? 'silence' : undefined) })
  const { delivery: out } = delivery(t)
  const steps = { ...shortSteps, dotMs: 150 }
  const begun = await out.begin(endpoint(backend), job(), { ...beginLimits(false), steps })
  assert(begun.kind === 'begun')
  await begun.transaction.askRecipients([you], stepLimits())
  const sent = await begun.transaction.data(message('x\r\n'), stepLimits(3_600_000))
  assert.deepEqual(sent.kind === 'unknown' && [sent.fault.kind, sent.fault.step], ['timeout', 'dot'])
  if (sent.kind === 'unknown') sent.late?.letGo()
})

test('abandoned behind the dot: unknown; nothing says that the backend does not have it', async (t) => {
  const { backend, transaction } = await ready(t, { on: (verb) => (verb === '.' ? 'silence' : undefined) })
  const sending = transaction.data(message('x\r\n'), stepLimits())
  await until(() => backend.messages.length === 1)
  transaction.abandon()
  const sent = await sending
  assert.equal(sent.kind === 'unknown' && sent.fault.kind, 'abandoned')
})

test('closed at DATA: lost', async (t) => {
  const { transaction } = await ready(t, { on: (verb) => (verb === 'DATA' ? 'close' : undefined) })
  const sent = await transaction.data(message('x\r\n'), stepLimits())
  assert.deepEqual(sent.kind === 'lost' && [sent.fault.kind, sent.fault.step], ['closed', 'data'])
})

test('a large body from a file arrives whole, block by block', async (t) => {
  const { backend, transaction } = await ready(t, {})
  const sent = await transaction.data(message(blocksOf(40, 100_000), 4_000_000), stepLimits())
  assert.equal(sent.kind, 'answered')
  assert.equal(backend.messages[0], trace + `.${'x'.repeat(99_997)}\r\n`.repeat(40))
})

test('a backend that stops reading gets no more, and past bodyUntilMs no dot: lost, timeout', async (t) => {
  const { backend, transaction } = await ready(t, {
    on: (verb, _, peer) => {
      if (verb === 'DATA') setImmediate(() => peer.pause())
      return undefined
    },
  })
  let asked = 0
  const endless = blocksOf(10_000, 60_000, async () => void asked++)
  const limits = { ...stepLimits(), bodyUntilMs: stepLimits(400).bodyUntilMs }
  const sent = await transaction.data(message(endless, 1e9), limits)
  assert.deepEqual(sent.kind === 'lost' && [sent.fault.kind, sent.fault.step], ['timeout', 'body'])
  assert(asked < 400, `${asked} blocks were read though nobody took them`)
  assert.equal(backend.messages.length, 0)
})

test('what one backend has not taken yet stays as it is while others are served', async (t) => {
  const isSlow = ({ socket }: Peer) => backend.peers[0]?.socket === socket
  const { backend, out, to, transaction } = await ready(
    t,
    {
      on: (verb, _, peer) => {
        if (verb === 'DATA' && isSlow(peer)) setImmediate(() => peer.pause())
        return undefined
      },
    },
    [you],
    join(tmpdir(), `${randomUUID()}.sock`),
  )
  // More than the system keeps for one that does not read.
  const [slow, fast] = ['a', 'b'].map((letter) => `${letter.repeat(998)}\r\n`.repeat(300)) as [string, string]
  let hasLeft = false
  const sending = transaction.data(message(slow), { ...stepLimits(), onDotLeft: () => (hasLeft = true) })
  await until(() => backend.peers[0]?.socket.isPaused() ?? false)
  await deliverOne(out, to, fast)
  assert.equal(hasLeft, false)
  backend.peers[0]?.socket.resume()
  assert.equal((await sending).kind, 'answered')
  assert.deepEqual(
    backend.messages.map((one) => one === trace + fast || one === trace + slow),
    [true, true],
  )
  assert.notEqual(backend.messages[0], backend.messages[1])
})

test('a backend that dies in the middle of the body: lost, and the body is let go', async (t) => {
  const { backend, transaction } = await ready(t, {})
  let isLetGo = false
  async function* body() {
    try {
      for await (const block of blocksOf(1_000, 60_000)) {
        yield block
        if (backend.peers[0]) backend.peers[0].reset()
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      isLetGo = true
    }
  }
  let left = 0
  const sent = await transaction.data(message(body(), 6e7), { ...stepLimits(), onDotLeft: () => left++ })
  assert.deepEqual(sent.kind === 'lost' && [sent.fault.kind, sent.fault.step], ['closed', 'body'])
  assert.equal(isLetGo, true)
  assert.equal(left, 0)
})

test('a refusal in the middle of the body is the verdict, and the dot is not sent', async (t) => {
  const { backend, transaction } = await ready(t, {})
  const body = blocksOf(100, 60_000, async (at) => {
    if (at !== 3) return
    backend.peers[0]?.say('552 5.3.4 that is too much')
    await until(() => backend.peers[0]?.socket.writableLength === 0)
    await rounds()
  })
  const sent = await transaction.data(message(body, 6e6), stepLimits())
  assert.deepEqual(sent, {
    kind: 'answered',
    step: 'body',
    replies: [{ code: 552, enhanced: '5.3.4', text: ['that is too much'] }],
  })
  await until(() => backend.peers[0]?.socket.destroyed === true)
  assert.deepEqual(backend.messages, [])
})

test('a yes in the middle of the body is no verdict', async (t) => {
  const { backend, transaction } = await ready(t, {})
  const body = blocksOf(100, 60_000, async (at) => {
    if (at === 3) backend.peers[0]?.say('250 2.0.0 taken already')
    await new Promise((resolve) => setImmediate(resolve))
  })
  const sent = await transaction.data(message(body, 6e6), stepLimits())
  assert.deepEqual(sent.kind === 'lost' && [sent.fault.kind, sent.fault.step], ['garbage', 'body'])
  assert.deepEqual(backend.messages, [])
})

test('a body that cannot be read: the dot is not sent, and it is nobody else’s fault', async (t) => {
  const { backend, transaction } = await ready(t, {})
  async function* broken() {
    yield Buffer.from('x\r\n')
    throw Object.assign(new Error('bad disk'), { code: 'EIO' })
  }
  const sent = await transaction.data(message(broken(), 100), stepLimits())
  assert.deepEqual(sent.kind === 'lost' && [sent.fault.kind, sent.reused], ['abandoned', false])
  assert.deepEqual(backend.messages, [])
})

test('LMTP: a reply a recipient that was accepted, over a Unix socket too', async (t) => {
  const behaviour: Behaviour = {
    lmtp: true,
    on: (verb) => (verb === '.' ? '250-2.0.0 first\r\n250 2.0.0 taken\r\n452 4.2.2 full' : undefined),
  }
  for (const path of [undefined, join(tmpdir(), `${randomUUID()}.sock`)]) {
    const { backend, out, to, transaction } = await ready(t, behaviour, both, path)
    const sent = await transaction.data(message('x\r\n'), stepLimits())
    assert.deepEqual(sent.kind === 'answered' && sent.replies.map((reply) => reply.code), [250, 452])
    assert.equal(backend.commands[0], 'LHLO mx.example.test')
    assert.equal(out.sessions(to).idle, 1)
    assert.equal(transaction.localAddress, path ? undefined : '127.0.0.1')
  }
})

test('LMTP: what was answered before the loss is known, the rest is unknown', async (t) => {
  const { transaction } = await ready(
    t,
    {
      lmtp: true,
      on: (verb, _, peer) => {
        if (verb !== '.') return undefined
        peer.say('250 2.0.0 taken')
        setImmediate(() => peer.socket.end())
        return 'silence'
      },
    },
    both,
  )
  const sent = await transaction.data(message('x\r\n'), stepLimits())
  assert.deepEqual(sent.kind === 'unknown' && sent.replies.map((reply) => reply.code), [250])
})

test('inside TLS: a large body arrives whole, and what is lost behind the dot is unknown', async (t) => {
  const { backend, out, to, transaction } = await ready(t, { extensions: ['STARTTLS', 'PIPELINING'] })
  const sent = await transaction.data(message(blocksOf(20, 100_000), 2_000_000), stepLimits())
  assert.equal(sent.kind, 'answered')
  assert.equal(backend.messages[0], trace + `.${'x'.repeat(99_997)}\r\n`.repeat(20))
  backend.behaviour = { on: (verb) => (verb === '.' ? 'close' : undefined) }
  const next = await begin(out, to)
  await next.askRecipients([you], stepLimits())
  let left = 0
  const lost = await next.data(message('x\r\n'), { ...stepLimits(), onDotLeft: () => left++ })
  assert.equal(lost.kind, 'unknown')
  assert.equal(left, 1)
})
