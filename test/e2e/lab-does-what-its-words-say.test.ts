/** The lab is what every other scenario rests on, so its faults are shown to happen, with no gateway between. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { resetSocket } from '../lab/loopback.ts'
import { messageOf } from '../lab/send.ts'
import { gate } from '../lab/until.ts'

const to = 'you@example.test'

test('a message arrives byte for byte, dots and all', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ replySplit: 1 })
  const message = 'Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n\xe4\r\n'

  const sent = await lab.send({ via: backend, to: [to, 'two@example.test'], message })

  assert.equal(sent.code, 250)
  assert.deepEqual(backend.messages[0]?.to, [to, 'two@example.test'])
  assert.deepEqual(backend.messages[0]?.content, Buffer.from(message, 'latin1'))
  assert.equal(
    backend.messages[0]?.wire.toString('latin1'),
    'Subject: dots\r\n\r\n..\r\n...\r\n..x\r\n\r\n\xe4\r\n.\r\n',
  )
  assert.deepEqual(backend.violations, [])
})

test('a dot line is the end wherever the segments are cut, and nothing else is', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const data = 'a\r\n.\nb\n.\r\nc\r\n.\r\n'
  for (let cut = 1; cut < data.length; cut++) {
    const sender = await lab.connect(backend)
    await sender.hello()
    await sender.untilData('a@sender.test', to)
    await sender.writeCut(data, [cut])
    await sender.expect(250)
    await sender.quit()
  }
  assert.equal(backend.messages.length, data.length - 1)
  for (const message of backend.messages) assert.equal(message.wire.toString('latin1'), data)
})

test('a lenient backend is smuggled into', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ endOfData: 'lenient' })
  const sender = await lab.connect(backend)
  await sender.hello()
  await sender.untilData('a@sender.test', to)
  await sender.write('one\r\n\n.\r\nMAIL FROM:<b@sender.test>\r\nRCPT TO:<you@example.test>\r\nDATA\r\n')
  for (const code of [250, 250, 250, 354]) await sender.expect(code)
  await sender.write('two\r\n.\r\n')
  await sender.expect(250)
  assert.equal(backend.messages.length, 2)
})

test('refuse, reset and silence at connect', async (t) => {
  const lab = await startLab(t)
  const refusing = await lab.backend({ connect: 'refuse' })
  await assert.rejects(lab.send({ via: refusing, to }), { code: 'ECONNREFUSED' })

  const resetting = await lab.backend({ connect: 'reset' })
  assert.equal((await lab.send({ via: resetting, to })).code, 0)

  const hole = await lab.backend({ connect: 'silence' })
  const socket = connect({ host: hole.address, port: hole.port })
  lab.atEnd(() => socket.destroy())
  socket.setTimeout(300)
  await once(socket, 'timeout')
  assert.equal(socket.connecting, true)
})

test('each step answers as told, by address and by count', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: (address, count) =>
      address.startsWith('no') ? '550 5.1.1 no such user' : count === 2 ? '450 later' : undefined,
    afterDot: { say: '421 4.3.2 going down', and: 'close' },
  })
  const sent = await lab.send({ via: backend, to: [to, to, 'no@example.test'] })
  assert.deepEqual(
    sent.recipients.map((heard) => heard.code),
    [250, 450, 550],
  )
  assert.deepEqual([sent.code, sent.enhanced, sent.text], [421, '4.3.2', 'going down'])
  assert.deepEqual(backend.accepted, [])
  assert.deepEqual(backend.messages[0]?.to, [to])

  backend.change({ afterDot: undefined, greeting: '554 no' })
  assert.deepEqual((await lab.send({ via: backend, to })).step, 'greeting')
  backend.change({ greeting: undefined })
  assert.equal((await lab.send({ via: backend, to })).code, 250)
})

test('a silence after the dot lasts until the backend speaks', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const sending = lab.send({ via: backend, to })
  await lab.until(() => backend.messages.length === 1)
  assert.deepEqual(backend.messages[0]?.answers, [])
  backend.say('250 2.0.0 after all')
  assert.equal((await sending).text, 'after all')
  assert.equal(backend.accepted.length, 1)
})

test('an end within the data: by close, by reset, and after a pause that reaches the sender', async (t) => {
  const lab = await startLab(t)
  const body = 'x'.repeat(70).concat('\r\n').repeat(200_000)
  const backend = await lab.backend({ inBody: { afterBytes: 1000, do: 'close' } })
  assert.equal((await lab.send({ via: backend, to, body })).code, 0)
  backend.change({ inBody: { afterBytes: 1000, do: 'reset' } })
  assert.equal((await lab.send({ via: backend, to, body })).code, 0)

  const pause = gate()
  backend.change({ inBody: { afterBytes: 1000, do: 'pause', until: pause.promise } })
  const sender = await lab.connect(backend)
  await sender.hello()
  await sender.untilData('a@sender.test', to)
  let isWritten = false
  const writing = sender.write(messageOf({ to, body })).then(() => {
    isWritten = true
  })
  await lab.until(() => backend.sessions.at(-1)?.commands.at(-1) === 'DATA')
  // 14 MB are more than the system keeps for a reader that does not read.
  assert.equal(isWritten, false)
  assert.deepEqual(backend.messages, [])
  pause.open()
  await writing
  await sender.write('.\r\n')
  await sender.expect(250)
  assert.equal(backend.messages.length, 1)
})

test('killed and started again at the same place', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const sender = await lab.connect(backend)
  await sender.hello()
  await backend.kill()
  assert.equal(await sender.closed(), 'reset')
  await assert.rejects(lab.send({ via: backend, to }), { code: 'ECONNREFUSED' })
  await backend.restart()
  assert.equal((await lab.send({ via: backend, to })).code, 250)
})

test('a socket that is just ending is closed by a reset too, so that the process can exit', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const socket = connect({ host: backend.address, port: backend.port, allowHalfOpen: true })
  lab.atEnd(() => socket.destroy())
  await once(socket, 'connect')
  socket.end()
  resetSocket(socket)
  await once(socket, 'close')
})

test('STARTTLS, TLS from the start, and a handshake that hangs', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: 'offer' })
  assert.equal((await lab.send({ via: backend, to, tls: true })).code, 250)
  assert.equal(backend.messages[0]?.session.tls, true)

  const implicit = await lab.backend({ implicitTls: true })
  const sender = await lab.connect(implicit)
  await sender.handshake()
  await sender.hello()
  await sender.quit()

  backend.change({ startTls: 'hang' })
  const hanging = await lab.connect(backend)
  await hanging.hello()
  await hanging.command('STARTTLS', 220)
  await hanging.write('\x16\x03\x01')
  assert.equal(hanging.ended, undefined)
  hanging.halfClose()
  await hanging.closed()
})

test('LMTP over a Unix socket: one reply a recipient', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    protocol: 'lmtp',
    on: 'unix',
    afterDot: ({ asked }) => (asked === 'full@example.test' ? '452 4.2.2 full' : undefined),
  })
  const socket = connect({ path: backend.path ?? '' })
  lab.atEnd(() => socket.destroy())
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  socket.write(`LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<${to}>\r\nRCPT TO:<full@example.test>\r\nDATA\r\n`)
  await lab.until(() => heard.includes('354'))
  socket.write('Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n')
  await lab.until(() => heard.includes('221'))
  assert.match(heard, /250 2\.0\.0 taken\r\n452 4\.2\.2 full\r\n221/)
  assert.deepEqual(backend.accepted[0]?.answers, ['250 2.0.0 taken', '452 4.2.2 full'])
})

test('pipelining that was not offered is noted', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ pipelining: false })
  assert.equal((await lab.send({ via: backend, to, pipelined: true })).code, 250)
  assert.match(backend.violations[0] ?? '', /more came behind MAIL/)
})
