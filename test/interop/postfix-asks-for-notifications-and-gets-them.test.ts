/**
 * Postfix as the sender's side: what its user asks for with `sendmail -N` reaches us by DSN (RFC 3461), what we write of it goes back through
 * that Postfix into the user's mailbox, and Postfix itself hands on what we handed to it.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseIp } from '../../src/base/ip.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { DsnReport } from '../../src/mail/dsn/report.ts'
import { writeDsn } from '../../src/mail/dsn/write.ts'
import { readEnvelopeId, readOriginalRecipient } from '../../src/mail/dsn-request.ts'
import type { Client, Envelope, Recipient } from '../../src/mail/message.ts'
import { reply } from '../../src/mail/reply.ts'
import type { Endpoint } from '../../src/routing/backend.ts'
import type { SessionHandler } from '../../src/smtp/server/handler.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'
import { ok, type Recorder, startServer } from '../lab/smtp-server.ts'
import { begin, delivery, endpoint, job, mailbox, message, name, stepLimits } from '../unit/deliver.ts'
import { envid, notify, octets, orcpt, status } from '../unit/dsn.ts'
import { readMaildir } from './harness/maildir.ts'
import { type Postfix, startPostfix } from './harness/postfix.ts'
import { runWell } from './harness/program.ts'

interface Heard {
  readonly envelope: Envelope
  readonly client: Client
  readonly recipients: Recipient[]
}

/** An SMTP server of ours that offers DSN and takes everything. */
async function startListener(t: TestContext): Promise<{ server: Recorder & { address: string }; heard: Heard[] }> {
  const heard: Heard[] = []
  const address = freeAddress()
  const handler: Partial<SessionHandler> = {
    mail(envelope, client) {
      heard.push({ envelope, client, recipients: [] })
      return ok
    },
    async rcpt(recipients) {
      heard.at(-1)?.recipients.push(...recipients)
      return recipients.map(() => ok)
    },
  }
  return { server: { ...(await startServer(t, { dsn: true, address, handler })), address }, heard }
}

function to({ address, port }: Postfix): Endpoint {
  return { ...endpoint({ port }), target: { kind: 'tcp', address: parseIp(address) ?? assert.fail(), port } }
}

test('a user of Postfix asks, we hear it, and our answer reaches its mailbox', async (t) => {
  const lab = await startLab(t)
  const { server, heard } = await startListener(t)
  const postfix = await startPostfix(lab, { relayTo: server, isFinal: true })

  const content =
    'From: you@example.test\r\nTo: bob+tag@elsewhere.test\r\nSubject: hello\r\nMessage-ID: <1@example.test>\r\n\r\nGrüße\r\n'
  await runWell(
    '/usr/sbin/sendmail',
    [
      '-C',
      postfix.config,
      '-N',
      'success,delay,failure',
      '-V',
      'a+b=c',
      '-R',
      'full',
      '-f',
      'you@example.test',
      'bob+tag@elsewhere.test',
    ],
    content.replaceAll('\r\n', '\n'),
  )
  await lab.until(() => server.messages.length === 1)
  const [{ envelope, client, recipients } = assert.fail()] = heard
  const [recipient = assert.fail()] = recipients
  assert.equal(envelope.ret, 'FULL')
  assert.equal(envelope.envid === undefined ? undefined : readEnvelopeId(envelope.envid), 'a+b=c')
  assert.equal(recipient.notify, 'SUCCESS,FAILURE,DELAY')
  assert.deepEqual(
    recipient.originalRecipient === undefined ? undefined : readOriginalRecipient(recipient.originalRecipient),
    {
      type: 'rfc822',
      address: 'bob+tag@elsewhere.test',
    },
  )

  const bytes = Buffer.from(server.messages[0] ?? '', 'latin1')
  const nowMs = Date.now()
  const report: DsnReport = {
    id: '01KE70000000000000000000D1',
    atMs: nowMs,
    hostname: name('mx.example.test'),
    envelope,
    client,
    messageId: '01KE6W7S000000000000000001',
    arrivedMs: nowMs - 60_000,
    recipients: [
      {
        action: 'failed',
        recipient,
        status: status('5.1.1'),
        remote: { host: parseIp('192.0.2.1') ?? assert.fail(), reply: reply(550, '5.1.1', 'No such user') },
        lastAttemptMs: nowMs,
      },
    ],
  }
  const original = { trace: Buffer.alloc(0), body: { size: bytes.length, blocks: () => [bytes] } }
  const dsn = (await writeDsn(report, original, seededRandom(1))) ?? assert.fail()
  const written = await octets(dsn)

  // Over our own client, to a server that offers DSN.
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, to(postfix), { ...job(), client, envelope: dsn.envelope })
  const asked = await transaction.askRecipients([dsn.to], stepLimits())
  assert.deepEqual(asked.kind === 'answered' && asked.replies.map(({ code }) => code), [250], JSON.stringify(asked))
  assert.equal(transaction.owedOnSuccess, undefined)
  const sent = await transaction.data({ ...message(''), trace: Buffer.alloc(0), body: dsn.body }, stepLimits())
  assert.deepEqual(sent.kind === 'answered' && sent.replies.map(({ code }) => code), [250], JSON.stringify(sent))

  await lab.until(async () => (await readMaildir(postfix.maildir('you'))).length === 1)
  const [mailed = ''] = (await readMaildir(postfix.maildir('you'))).map((file) => file.toString('latin1'))
  assert.match(mailed, /^Return-Path: <>$/m)
  // Behind the fields that Postfix puts in front it is what we wrote, octet for octet.
  assert.ok(mailed.endsWith(written.toString('latin1').replaceAll('\r\n', '\n')))
  assert.match(mailed, /^Original-Envelope-Id: a\+b=c\nReporting-MTA: dns; mx\.example\.test$/m)
  assert.match(
    mailed,
    /^Original-Recipient: rfc822;bob\+tag@elsewhere\.test\nFinal-Recipient: rfc822; bob\+tag@elsewhere\.test$/m,
  )
  // It tells nobody of a notification, as NOTIFY=NEVER and the null reverse-path ask.
  await lab.until(async () => (await postfix.queued()) === 0)
  assert.equal(server.messages.length, 1)
})

test('Postfix as a backend takes the parameters that we pass on, and hands on the very same', async (t) => {
  const lab = await startLab(t)
  const { server, heard } = await startListener(t)
  const postfix = await startPostfix(lab, { relayTo: server })
  const what = job({ ret: 'HDRS', envid: envid('QQ+2B314') })
  const one = {
    ...mailbox('one@elsewhere.test'),
    notify: notify('SUCCESS,FAILURE'),
    originalRecipient: orcpt('rfc822;One+2Btag@Orig.Example'),
  }
  const two = { ...mailbox('two@elsewhere.test'), notify: notify('NEVER') }
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, to(postfix), what)
  const asked = await transaction.askRecipients([one, two], stepLimits())
  assert.deepEqual(
    asked.kind === 'answered' && asked.replies.map(({ code }) => code),
    [250, 250],
    JSON.stringify(asked),
  )
  await transaction.data(message('Subject: x\r\n\r\nhi\r\n'), stepLimits())

  await lab.until(
    () => server.messages.length >= 1 && heard.flatMap(({ recipients }) => recipients).length === 2,
    90_000,
  )
  for (const { envelope } of heard) assert.deepEqual([envelope.ret, envelope.envid], ['HDRS', 'QQ+2B314'])
  const got = new Map(heard.flatMap(({ recipients }) => recipients).map((recipient) => [recipient.text, recipient]))
  assert.equal(got.get('one@elsewhere.test')?.notify, 'SUCCESS,FAILURE')
  assert.equal(got.get('one@elsewhere.test')?.originalRecipient, 'rfc822;One+2Btag@Orig.Example')
  assert.equal(got.get('two@elsewhere.test')?.notify, 'NEVER')
})
