import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  begin,
  deliverOne,
  delivery,
  endpoint,
  job,
  mailbox,
  message,
  stepLimits,
  trace,
} from '../../test/unit/deliver.ts'
import { rounds, startBackend, until } from '../../test/unit/scripted-backend.ts'
import { parseEnvelopeId, parseNotify, parseOriginalRecipient } from '../mail/dsn-request.ts'
import type { Transaction } from './delivery.ts'

const you = mailbox('you@example.test')
const other = mailbox('other@example.test')

const ask = (transaction: Transaction, ...who: (typeof you)[]) => transaction.askRecipients(who, stepLimits())

test('a message: pipelined, stuffed, its trace in front; the session is used again without RSET', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend)

  await deliverOne(out, to, 'Subject: x\r\n\r\n.dot\r\n..\r\n.\r\n')
  assert.deepEqual(out.sessions(to), { busy: 0, idle: 1, waiting: 0 })
  await deliverOne(out, to)

  assert.deepEqual(backend.messages, [
    `${trace}Subject: x\r\n\r\n.dot\r\n..\r\n.\r\n`,
    `${trace}Subject: x\r\n\r\nhi\r\n`,
  ])
  const one = ['MAIL FROM:<sender@example.org>', 'RCPT TO:<you@example.test>', 'DATA']
  assert.deepEqual(backend.commands, ['EHLO mx.example.test', ...one, ...one])
  assert.deepEqual(health, ['opened'])
})

test('MAIL carries SIZE and BODY only where the server offers them and the sender said them', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const first = await begin(out, endpoint(backend), job({ declaredSize: 1000, body: '8BITMIME' }))
  await ask(first, you)
  first.abandon()
  backend.behaviour = { extensions: [] }
  const second = await begin(out, endpoint(backend), job({ declaredSize: 1000, body: '8BITMIME', sender: null }), true)
  await ask(second, you)
  second.abandon()

  const mails = backend.commands.filter((line) => line.startsWith('MAIL'))
  assert.deepEqual(mails, ['MAIL FROM:<sender@example.org> SIZE=1512 BODY=8BITMIME', 'MAIL FROM:<>'])
})

test('what the sender asks about notifications goes on as it came, and only to a server that offers DSN', async (t) => {
  const asking = {
    ...you,
    notify: parseNotify('Success,delay'),
    originalRecipient: parseOriginalRecipient('rfc822;Bob+2Btag+20x@Orig.Example'),
  }
  const what = job({ ret: 'HDRS', envid: parseEnvelopeId('QQ+2B+41') ?? assert.fail(), sender: null })
  const backend = await startBackend(t, { extensions: ['PIPELINING', 'dsn'] })
  const { delivery: out } = delivery(t)
  const first = await begin(out, endpoint(backend), what)
  await ask(first, asking, other)
  assert.equal(first.owedOnSuccess, undefined)
  first.abandon()
  backend.behaviour = { extensions: ['PIPELINING'] }
  const second = await begin(out, endpoint(backend), what, true)
  await ask(second, asking, other)
  assert.equal(second.owedOnSuccess, 'relayed')
  second.abandon()

  const [with1, with2, with3, without1, without2, without3] = backend.commands.filter((line) =>
    /^(MAIL|RCPT)/.test(line),
  )
  assert.deepEqual(
    [with1, with2, with3],
    [
      'MAIL FROM:<> RET=HDRS ENVID=QQ+2B+41',
      'RCPT TO:<you@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Btag+20x@Orig.Example',
      'RCPT TO:<other@example.test>',
    ],
  )
  assert.deepEqual(
    [without1, without2, without3],
    ['MAIL FROM:<>', 'RCPT TO:<you@example.test>', 'RCPT TO:<other@example.test>'],
  )
})

test('a server that does not pipeline is spoken to one command at a time; replies octet by octet are read', async (t) => {
  let waiting = 0
  const backend = await startBackend(t, {
    extensions: [],
    dribble: true,
    on: async (verb) => {
      if (verb === 'MAIL' || verb === 'RCPT') waiting++
      assert.equal(waiting <= 1, true, 'two commands at once')
      await new Promise((resolve) => setImmediate(resolve))
      waiting = 0
      return undefined
    },
  })
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, endpoint(backend))
  const asked = await ask(transaction, you, other)
  assert.equal(asked.kind === 'answered' && asked.replies.length, 2)
  assert.equal((await transaction.data(message('x\r\n'), stepLimits())).kind, 'answered')
})

test('each recipient has its own reply; RCPT may come again; a transaction without a message is reset', async (t) => {
  const backend = await startBackend(t, {
    on: (verb, line) => (verb === 'RCPT' && line.includes('other') ? '550 5.1.1 no such user' : undefined),
  })
  const { delivery: out } = delivery(t)
  const to = endpoint(backend)
  const transaction = await begin(out, to)
  const first = await ask(transaction, you, other)
  assert.deepEqual(first.kind === 'answered' && first.replies.map((reply) => reply.code), [250, 550])
  const second = await ask(transaction, other)
  assert.deepEqual(second.kind === 'answered' && second.replies[0], {
    code: 550,
    enhanced: '5.1.1',
    text: ['no such user'],
  })
  assert.equal(backend.commands.filter((line) => line.startsWith('MAIL')).length, 1)
  transaction.abandon()
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 0 })
  await until(() => out.sessions(to).idle === 1)
  assert.equal(backend.commands.at(-1), 'RSET')
})

test('a refused MAIL: the replies to its recipients are read too, and the next transaction starts clean', async (t) => {
  let mails = 0
  const backend = await startBackend(t, {
    on: (verb) => {
      if (verb === 'MAIL') return mails++ === 0 ? '552 5.3.4 too big' : undefined
      return verb === 'RCPT' && mails === 1 ? '503 5.5.1 no MAIL' : undefined
    },
  })
  const { delivery: out } = delivery(t)
  const asked = await ask(await begin(out, endpoint(backend)), you, other)
  assert.deepEqual(asked, { kind: 'mail-refused', reply: { code: 552, enhanced: '5.3.4', text: ['too big'] } })
  await until(() => out.sessions(endpoint(backend)).idle === 1)
  await deliverOne(out, endpoint(backend))
  assert.equal(backend.peers.length, 1)
})

test('a no to DATA is told, and the session lives', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'DATA' ? '451 4.3.0 not now' : undefined) })
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, endpoint(backend))
  await ask(transaction, you)
  const sent = await transaction.data(message('x\r\n'), stepLimits())
  assert.deepEqual(sent, {
    kind: 'answered',
    step: 'data',
    replies: [{ code: 451, enhanced: '4.3.0', text: ['not now'] }],
  })
  await until(() => out.sessions(endpoint(backend)).idle === 1)
})

test('a 421 on a fresh session is the reply; on one that has served it only asks for a fresh one', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'MAIL' ? '421 4.3.2 going down' : undefined) })
  const { delivery: out } = delivery(t)
  const fresh = await ask(await begin(out, endpoint(backend)), you)
  assert.equal(fresh.kind === 'mail-refused' && fresh.reply.code, 421)

  backend.behaviour = {}
  await deliverOne(out, endpoint(backend))
  backend.behaviour = { on: (verb) => (verb === 'RCPT' ? '421 4.3.2 enough' : undefined) }
  const reused = await ask(await begin(out, endpoint(backend)), you)
  assert.equal(reused.kind === 'lost' && reused.reused, true)
  assert.equal(reused.kind === 'lost' && reused.fault.reply?.code, 421)

  const again = await ask(await begin(out, endpoint(backend), job(), true), you, other)
  assert.deepEqual(again.kind === 'answered' && again.replies.map((reply) => reply.code), [421, 421])
})

test('a session that the server closed while idle is not handed out', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend)
  await deliverOne(out, to)
  backend.peers[0]?.socket.destroy()
  await until(() => out.sessions(to).idle === 0)
  await deliverOne(out, to)
  assert.deepEqual(health, ['opened', 'opened'])
})

test('a session that says something while idle is not handed out: its word would answer the wrong command', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend)
  await deliverOne(out, to)
  backend.peers[0]?.say('250 2.0.0 I am ahead of you')
  await until(() => (backend.peers[0]?.socket.bytesWritten ?? 0) > 0 && backend.peers[0]?.socket.writableLength === 0)
  await rounds()
  backend.behaviour = { on: (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined) }
  const asked = await ask(await begin(out, to), you)
  assert.deepEqual(asked.kind === 'answered' && asked.replies.map((reply) => reply.code), [550])
  assert.equal(backend.peers.length, 2)
})

test('a reused session that dies at the step is lost and reused; a fresh one is lost', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  await deliverOne(out, endpoint(backend))
  backend.behaviour = { on: (verb) => (verb === 'MAIL' ? 'close' : undefined) }
  const reused = await ask(await begin(out, endpoint(backend)), you)
  assert.equal(reused.kind === 'lost' && reused.reused, true)
  const fresh = await ask(await begin(out, endpoint(backend), job(), true), you)
  assert.equal(fresh.kind === 'lost' && fresh.reused, false)
  assert.equal(fresh.kind === 'lost' && fresh.fault.kind, 'closed')
})

for (const [what, says, kind] of [
  ['silence', 'silence', 'timeout'],
  ['garbage', 'hello there', 'garbage'],
  ['an intermediate reply', '354 go on', 'garbage'],
  ['two codes in one reply', '250-yes\r\n550 no', 'garbage'],
  ['a line of 64 KiB', `250 ${'x'.repeat(65_536)}`, 'garbage'],
  ['a reset', 'reset', 'closed'],
] as const) {
  test(`${what} to RCPT: lost, ${kind}`, async (t) => {
    const backend = await startBackend(t, { on: (verb) => (verb === 'RCPT' ? says : undefined) })
    const { delivery: out } = delivery(t)
    const transaction = await begin(out, endpoint(backend))
    const asked = await transaction.askRecipients([you], stepLimits(200))
    assert.deepEqual(asked.kind === 'lost' && [asked.fault.kind, asked.fault.step], [kind, 'rcpt'])
    assert.deepEqual(out.sessions(endpoint(backend)), { busy: 0, idle: 0, waiting: 0 })
  })
}

test('a reply of 100 lines is a reply', async (t) => {
  const lines = Array.from({ length: 100 }, (_, index) => `550${index === 99 ? ' ' : '-'}5.7.1 line ${index}`).join(
    '\r\n',
  )
  const backend = await startBackend(t, { on: (verb) => (verb === 'RCPT' ? lines : undefined) })
  const { delivery: out } = delivery(t)
  const asked = await ask(await begin(out, endpoint(backend)), you)
  assert.equal(asked.kind === 'answered' && asked.replies[0]?.text.length, 100)
})

test('abandoned while a step waits: lost, and the connection goes', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'RCPT' ? 'silence' : undefined) })
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, endpoint(backend))
  const asking = ask(transaction, you)
  await until(() => backend.commands.at(-1)?.startsWith('RCPT') === true)
  transaction.abandon()
  const asked = await asking
  assert.equal(asked.kind === 'lost' && asked.fault.kind, 'abandoned')
  assert.equal((await ask(transaction, you)).kind, 'lost')
})

test('after 5 refused recipients the session is closed, not reused', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined) })
  const { delivery: out } = delivery(t)
  for (let at = 0; at < 10; at++) {
    const transaction = await begin(out, endpoint(backend))
    await ask(transaction, you)
    transaction.abandon()
    await until(() => out.sessions(endpoint(backend)).busy === 0)
  }
  assert.equal(backend.peers.length, 2)
})

test('after 50 transactions without a message the session is closed, and after 100 messages', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  for (let at = 0; at < 51; at++) {
    const transaction = await begin(out, endpoint(backend))
    await ask(transaction, you)
    transaction.abandon()
    await until(() => out.sessions(endpoint(backend)).busy === 0)
  }
  assert.equal(backend.peers.length, 2)
  for (let at = 0; at < 101; at++) await deliverOne(out, endpoint(backend))
  assert.equal(backend.peers.length, 3)
})

test('a reply that comes an octet at a time and never ends is over at its time, not at its octets', async (t) => {
  const backend = await startBackend(t, {
    on: (verb, _, peer) => {
      if (verb !== 'RCPT') return undefined
      peer.socket.write('250-')
      const drip = setInterval(() => peer.socket.write('x'), 5)
      peer.socket.once('close', () => clearInterval(drip))
      return 'silence'
    },
  })
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, endpoint(backend))
  const began = performance.now()
  const asked = await transaction.askRecipients([you], stepLimits(200))
  assert.equal(asked.kind === 'lost' && asked.fault.kind, 'timeout')
  assert(performance.now() - began < 20_000)
})

test('an address that no parser made never gets on the wire, and its session is not kept from others', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, endpoint(backend))
  const forged = { ...you, text: 'you@example.test>\r\nRCPT TO:<all@example.test' }
  await assert.rejects(ask(transaction, forged), TypeError)
  assert.deepEqual(out.sessions(endpoint(backend)), { busy: 0, idle: 0, waiting: 0 })
  assert.deepEqual(backend.commands, ['EHLO mx.example.test'])
})
