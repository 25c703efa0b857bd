import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, delivery, endpoint, mailbox, message, stepLimits, trace } from '../../test/unit/deliver.ts'
import { type Behaviour, type Peer, startBackend, until } from '../../test/unit/scripted-backend.ts'

const you = mailbox('you@example.test')
const other = mailbox('other@example.test')

/** A transaction on which DATA went along with its recipients, where it may. */
async function asked(t: Parameters<typeof startBackend>[0], behaviour: Behaviour, recipients = [you]) {
  const backend = await startBackend(t, behaviour)
  const { delivery: out } = delivery(t)
  const to = endpoint({ port: backend.port, protocol: behaviour.lmtp ? 'lmtp' : 'smtp' })
  const transaction = await begin(out, to)
  const answer = await transaction.askRecipients(recipients, { ...stepLimits(), isLast: true })
  assert.equal(answer.kind, 'answered')
  return { backend, out, to, transaction, replies: answer.kind === 'answered' ? answer.replies : [] }
}

const codes = (replies: readonly { readonly code: number }[]) => replies.map(({ code }) => code)

/** Answers to MAIL when DATA has come too, so that a client that waits for its turn waits for ever. */
const whenDataCame = async (peer: Peer) => {
  await until(() => peer.unread.endsWith('DATA\r\n'))
  return undefined
}

for (const lmtp of [false, true])
  test(`DATA comes in one group with MAIL and RCPT, and the message behind its 354${lmtp ? ' (LMTP)' : ''}`, async (t) => {
    const on: Behaviour['on'] = (verb, _, peer) => (verb === 'MAIL' ? whenDataCame(peer) : undefined)
    const { backend, out, to, transaction, replies } = await asked(t, { on, lmtp }, [you, other])
    assert.deepEqual(codes(replies), [250, 250])
    const sent = await transaction.data(message('hi\r\n'), stepLimits())
    assert.equal(sent.kind, 'answered')
    assert.deepEqual(backend.messages, [`${trace}hi\r\n`])
    assert.equal(out.sessions(to).idle, 1)
    assert.equal(backend.commands.filter((line) => line === 'DATA' || line === 'RSET').length, 1)
  })

test('where only some are accepted, the message goes to them', async (t) => {
  const on: Behaviour['on'] = (verb, line) => (verb === 'RCPT' && line.includes('other') ? '550 5.1.1 no' : undefined)
  const { backend, transaction, replies } = await asked(t, { on }, [you, other])
  assert.deepEqual(codes(replies), [250, 550])
  assert.equal((await transaction.data(message('hi\r\n'), stepLimits())).kind, 'answered')
  assert.deepEqual(backend.messages, [`${trace}hi\r\n`])
})

test('a server that does not pipeline is asked for DATA when its turn has come', async (t) => {
  const behind: string[] = []
  const on: Behaviour['on'] = (_, __, peer) => void behind.push(peer.unread)
  const { backend, transaction } = await asked(t, { on, extensions: [] })
  assert.equal((await transaction.data(message('hi\r\n'), stepLimits())).kind, 'answered')
  assert.equal(backend.commands.at(-1), 'DATA')
  assert.ok(behind.slice(0, 3).every((unread) => unread === ''))
})

test('nobody is accepted and DATA is refused: the session is in order, and serves the next', async (t) => {
  let isEmpty = true
  const on: Behaviour['on'] = (verb) =>
    !isEmpty ? undefined : verb === 'RCPT' ? '550 5.1.1 no' : verb === 'DATA' ? '503 5.5.1 nobody' : undefined
  const { backend, out, to, transaction } = await asked(t, { on })
  transaction.abandon()
  await until(() => out.sessions(to).idle === 1)
  isEmpty = false
  const next = await begin(out, to)
  await next.askRecipients([you], { ...stepLimits(), isLast: true })
  assert.equal((await next.data(message('hi\r\n'), stepLimits())).kind, 'answered')
  assert.equal(backend.peers.length, 1)
  assert.deepEqual(backend.messages, [`${trace}hi\r\n`])
})

test('nobody is accepted and DATA is: the connection ends, because whatever we said would be a message', async (t) => {
  const on: Behaviour['on'] = (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined)
  const { backend, out, to, transaction } = await asked(t, { on })
  transaction.abandon()
  await until(() => out.sessions(to).busy === 0)
  await until(() => backend.peers.every(({ socket }) => socket.destroyed))
  assert.equal(backend.commands.at(-1), 'DATA')
  assert.deepEqual(backend.messages, [])
})

test('MAIL is refused, with everything that went along: the session goes on', async (t) => {
  let isRefused = true
  const on: Behaviour['on'] = (verb) =>
    isRefused && ['MAIL', 'RCPT', 'DATA'].includes(verb) ? (verb === 'MAIL' ? '451 4.3.0 later' : '503 no') : undefined
  const backend = await startBackend(t, { on })
  const { delivery: out } = delivery(t)
  const to = endpoint(backend)
  const first = await begin(out, to)
  assert.equal((await first.askRecipients([you], { ...stepLimits(), isLast: true })).kind, 'mail-refused')
  await until(() => out.sessions(to).idle === 1)
  isRefused = false
  const next = await begin(out, to)
  await next.askRecipients([you], { ...stepLimits(), isLast: true })
  assert.equal((await next.data(message('hi\r\n'), stepLimits())).kind, 'answered')
  assert.equal(backend.peers.length, 1)
})

test('given up between the recipients and the message: nobody gets an empty one', async (t) => {
  const { backend, out, to, transaction } = await asked(t, {})
  transaction.abandon()
  await until(() => out.sessions(to).busy === 0 && backend.peers.every(({ socket }) => socket.destroyed))
  assert.deepEqual(backend.messages, [])
})
