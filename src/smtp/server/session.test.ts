import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hurriedClock, ok, Sender, startServer } from '../../../test/lab/smtp-server.ts'
import { until } from '../../../test/lab/until.ts'
import type { Envelope, Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'

const mailAndRcpt = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<you@example.test>\r\n'

test('a message, command by command', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.dial(t, server.port)
  assert.equal(await sender.expect(/\r\n$/), '220 mx1.example.test ESMTP\r\n')
  const hello = await sender.say('EHLO sender.example\r\n', /^250 .*\r\n/m)
  assert.deepEqual(hello.split('\r\n').slice(0, -1), [
    '250-mx1.example.test',
    '250-PIPELINING',
    '250-SIZE 1000000',
    '250-8BITMIME',
    '250 ENHANCEDSTATUSCODES',
  ])
  await sender.say('MAIL FROM:<a@b.example> BODY=8BITMIME\r\n', /^250 2/)
  await sender.say('RCPT TO:<you@example.test>\r\n', /^250 2/)
  await sender.say('DATA\r\n', /^354 /)
  await sender.say('Subject: x\r\n\r\n..\r\n\r\n.. two\r\n.\r\n', /^250 2/)
  await sender.say('QUIT\r\n', /^221 2/)
  await sender.rest()
  sender.fin()
  assert.deepEqual(server.messages, ['Subject: x\r\n\r\n.\r\n\r\n. two\r\n'])
  await until(() => server.calls.includes('closed'))
  assert.deepEqual(server.calls, ['mail a@b.example', 'rcpt you@example.test', 'data', 'end', 'closed'])
})

test('DSN is offered where it shall be, and what the sender asks reaches the handler as it came', async (t) => {
  const heard: unknown[] = []
  const handler = {
    mail({ ret, envid }: Envelope) {
      heard.push([ret, envid])
      return ok
    },
    async rcpt(recipients: readonly Recipient[]) {
      heard.push(...recipients.map(({ text, notify, originalRecipient }) => [text, notify, originalRecipient]))
      return recipients.map(() => ok)
    },
  }
  const server = await startServer(t, { dsn: true, handler })
  const sender = await Sender.dial(t, server.port)
  await sender.expect(/\r\n$/)
  assert.match(await sender.say('EHLO sender.example\r\n', /^250 .*\r\n/m), /^250 DSN\r$/m)
  await sender.say('MAIL FROM:<a@b.example> RET=hdrs ENVID=x+2By\r\n', /^250 2/)
  const orcpt = `rfc822;${'x'.repeat(480)}@y.example`.slice(0, 500)
  await sender.say(`RCPT TO:<you@example.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=${orcpt}\r\n`, /^250 2/)
  await sender.say('RCPT TO:<me@example.test> NOTIFY=NEVER,DELAY\r\n', /^501 5\.5\.4/)
  await sender.say('RCPT TO:<me@example.test>\r\n', /^250 2/)
  assert.deepEqual(heard, [
    ['HDRS', 'x+2By'],
    ['you@example.test', 'SUCCESS,FAILURE,DELAY', orcpt],
    ['me@example.test', undefined, undefined],
  ])
})

test('50 pipelined recipients are asked for together, and DATA is answered behind them', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  const recipients = Array.from({ length: 50 }, (_, index) => `RCPT TO:<r${index}@example.test>\r\n`)
  const heard = await sender.say(`MAIL FROM:<>\r\n${recipients.join('')}DATA\r\n`, /^354 .*\r\n/m)
  assert.equal(heard.match(/^250 /gm)?.length, 51)
  assert.equal(server.calls.filter((call) => call.startsWith('rcpt')).length, 1)
  await sender.say('hello\r\n.\r\nQUIT\r\n', /^250 2.*\r\n221 2.*\r\n$/)
  assert.deepEqual(server.messages, ['hello\r\n'])
})

test('recipients are asked for in groups of at most recipientsAtOnce, in order, with what is wrong among them', async (t) => {
  const server = await startServer(t, {
    handler: {
      recipientsAtOnce: () => 2,
      rcpt: async (recipients) =>
        recipients.map(({ text }) => reply(text.startsWith('no') ? 550 : 250, undefined, text)),
    },
  })
  const sender = await Sender.greeted(t, server.port)
  sender.send(
    'MAIL FROM:<>\r\nRCPT TO:<1@x.test>\r\nRCPT TO:<no@x.test>\r\nRCPT TO:<2@x.test>\r\nRCPT TO:<>\r\nRCPT TO:<3@x.test>\r\n',
  )
  const heard = await sender.say('NOOP\r\n', /^250 2\.0\.0 Ok\r\n$(?<=3@x\.test.*Ok\r\n)/ms)
  assert.deepEqual(heard.split('\r\n').slice(1), [
    '250 1@x.test',
    '550 no@x.test',
    '250 2@x.test',
    '501 5.1.3 A recipient cannot be empty',
    '250 3@x.test',
    '250 2.0.0 Ok',
    '',
  ])
})

test('one recipient more than the limit: 452 4.5.3, and the rest is delivered', async (t) => {
  const server = await startServer(t, { limits: { recipients: 1000 } })
  const sender = await Sender.greeted(t, server.port)
  const rcpt = 'RCPT TO:<you@example.test>\r\n'
  const heard = await sender.say(`MAIL FROM:<>\r\n${rcpt.repeat(1001)}DATA\r\n`, /^354 /m)
  const lines = heard.split('\r\n')
  assert.equal(lines.filter((line) => line.startsWith('250')).length, 1001)
  assert.match(lines[1001] ?? '', /^452 4\.5\.3 /)
})

test('what is out of order is answered 503, and QUIT is always right', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.dial(t, server.port)
  await sender.expect(/^220/)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^503 5\.5\.1/)
  await sender.say('RCPT TO:<a@b.example>\r\n', /^503 5\.5\.1/)
  await sender.say('HELO x\r\n', /^250 mx1\.example\.test\r\n$/)
  await sender.say('DATA\r\n', /^503 5\.5\.1/)
  await sender.say('QUIT\r\n', /^221 /)
})

test('a second MAIL and a DATA without recipients are refused; RSET and EHLO end the transaction', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^250/)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^503 5\.5\.1/)
  await sender.say('DATA\r\n', /^554 5\.5\.1/)
  await sender.say('RSET\r\n', /^250 2\.0\.0/)
  await sender.say(mailAndRcpt, /(^250.*\r\n){2}/m)
  await sender.say('EHLO again\r\n', /^250 ENH/m)
  await sender.say('DATA\r\n', /^503/)
  assert.deepEqual(server.calls, ['mail a@b.example', 'reset', 'mail a@b.example', 'rcpt you@example.test', 'reset'])
})

test('VRFY, EXPN, HELP, NOOP, AUTH and nonsense have their answers', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  await sender.say('VRFY you\r\n', /^252 2\.5\.0 /)
  await sender.say('EXPN list\r\n', /^502 5\.5\.1 /)
  await sender.say('HELP\r\n', /^214 2\.0\.0 /)
  await sender.say('NOOP x\r\n', /^250 2\.0\.0 /)
  await sender.say('AUTH LOGIN\r\n', /^502 5\.5\.1 /)
  await sender.say('STARTTLS\r\n', /^502 5\.5\.1 /)
})

test('a declared SIZE over the limit is refused at MAIL; content over it at the dot, and all of it is eaten', async (t) => {
  const server = await startServer(t, { limits: { messageBytes: 1000 } })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('MAIL FROM:<a@b.example> SIZE=1001\r\n', /^552 5\.3\.4/)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  const line = `${'x'.repeat(98)}\r\n`
  await sender.say(`${line.repeat(11)}.\r\n`, /^552 5\.3\.4/)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  await sender.say(`${line.repeat(10)}.\r\n`, /^250/)
  assert.deepEqual(server.messages, [line.repeat(10)])
  assert.ok(server.calls.includes('abort too-big'))
})

for (const [name, lines, count] of [
  ['101 Received fields', 'Received: from a by b; x\r\n', 101],
  ['our own name in five of them', 'Received: from a\r\n\tby mx1.example.test; x\r\n', 5],
] as const) {
  test(`${name}: 554 5.4.6; with one less it is taken`, async (t) => {
    const server = await startServer(t)
    const sender = await Sender.greeted(t, server.port)
    for (const [fields, expected] of [
      [count, /^554 5\.4\.6/],
      [count - 1, /^250/],
    ] as const) {
      await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
      await sender.say(`${lines.repeat(fields)}\r\nhello\r\n.\r\n`, expected)
    }
    assert.equal(server.messages.length, 1)
  })
}

test('a refusal of the handler at MAIL and the dot is passed on; 421 is the last word', async (t) => {
  const server = await startServer(t, {
    end: async () => reply(421, '4.3.2', 'No more'),
    handler: { mail: (envelope) => (envelope.sender === null ? reply(550, '5.7.1', 'No') : ok) },
  })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('MAIL FROM:<>\r\n', /^550 5\.7\.1 No/)
  await sender.say('RCPT TO:<you@example.test>\r\n', /^503/)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('hello\r\n.\r\nNOOP\r\n')
  assert.equal(await sender.rest(), '421 4.3.2 No more\r\n')
})

test('the sender hears of 8-bit content in the sink, and a sink that wants to wait is waited for', async (t) => {
  const waits: (() => void)[] = []
  let heard8bit: boolean | undefined
  const server = await startServer(t, {
    write: () => new Promise<void>((resolve) => void waits.push(resolve)),
    end: async (has8bit) => {
      heard8bit = has8bit
      return ok
    },
  })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('caf\xe9\r\n')
  await until(() => waits.length === 1)
  sender.send('more\r\n.\r\n')
  waits[0]?.()
  await until(() => waits.length === 2)
  assert.deepEqual(server.messages, [])
  waits[1]?.()
  await sender.expect(/^250/)
  assert.equal(heard8bit, true)
  assert.deepEqual(server.messages, ['caf\xe9\r\nmore\r\n'])
})

test('errors: from the fifth on each waits a second, the twentieth ends it', async (t) => {
  const clock = hurriedClock()
  const server = await startServer(t, { clock })
  const sender = await Sender.greeted(t, server.port)
  sender.send('FOO\r\n'.repeat(30))
  const heard = await sender.rest()
  assert.equal(heard.match(/^500 5\.5\.1/gm)?.length, 20)
  assert.match(heard, /\r\n421 4\.7\.0 Too many errors\r\n$/)
  assert.deepEqual(clock.waits, Array(16).fill(1_000))
})

const rcpt = 'RCPT TO:<a@example.test>\r\n'

for (const [name, answer, free] of [
  ['deferred', reply(450, '4.7.1', 'Later'), 200],
  ['accepted again and again in transactions that come to nothing', ok, 1000],
] as const) {
  test(`recipients ${name}: behind the first ${free} each hundred waits a second, and a message forgives them`, async (t) => {
    const clock = hurriedClock()
    let said: Reply = answer
    const handler = { rcpt: async (asked: readonly unknown[]) => asked.map(() => said) }
    const server = await startServer(t, { clock, handler })
    const sender = await Sender.greeted(t, server.port)
    const transaction = `MAIL FROM:<b@example.test>\r\n${rcpt.repeat(150)}RSET\r\n`
    const heard = (transactions: number) => new RegExp(`^(?:\\d.*\r\n){${152 * transactions}}$`)
    await sender.say(transaction.repeat(10), heard(10))
    assert.equal(clock.waits.length, (1500 - free) / 100)
    assert.ok(clock.waits.every((waitMs) => waitMs === 1_000))
    said = ok
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
    await sender.say('hello\r\n.\r\n', /^250/)
    const waitsBefore = clock.waits.length
    said = answer
    await sender.say(transaction, heard(1))
    assert.equal(clock.waits.length, waitsBefore)
  })
}

test('three thousand recipients: a thousand are taken, the rest hears 452 at a pace, and the message comes in', async (t) => {
  const clock = hurriedClock()
  const server = await startServer(t, { clock })
  const sender = await Sender.greeted(t, server.port)
  const heard = await sender.say(`MAIL FROM:<b@example.test>\r\n${rcpt.repeat(3000)}DATA\r\n`, /^354/m)
  assert.equal(heard.match(/^452 4\.5\.3/gm)?.length, 2000)
  assert.deepEqual(clock.waits, Array(18).fill(1_000))
  await sender.say('hello\r\n.\r\n', /^250/)
  assert.deepEqual(server.messages, ['hello\r\n'])
})

test('a hundred commands that lead to no mail end it, a message among them does not count', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  await sender.say('NOOP\r\n'.repeat(98), /^(250 .*\r\n){98}$/)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  await sender.say('hello\r\n.\r\n', /^250/)
  sender.send('RSET\r\n'.repeat(120))
  const heard = await sender.rest()
  assert.match(heard, /^(250 2\.0\.0 Ok\r\n){100}421 4\.7\.0 .*\r\n$/)
})

test('a failure inside of the handler is 421 4.3.0, and the server goes on', async (t) => {
  const server = await startServer(t, {
    handler: {
      rcpt: async () => {
        throw new Error('broken')
      },
    },
  })
  const sender = await Sender.greeted(t, server.port)
  sender.send(mailAndRcpt)
  assert.match(await sender.rest(), /^250 .*\r\n421 4\.3\.0 .*\r\n$/)
  await Sender.greeted(t, server.port)
})

test('a sink that fails is told to drop what it has, and the sender hears 421', async (t) => {
  const server = await startServer(t, { write: () => Promise.reject(new Error('disk full')) })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('hello\r\n.\r\n')
  assert.match(await sender.rest(), /^421 4\.3\.0 /)
  assert.deepEqual(server.calls.slice(2), ['data', 'abort failed'])
})
