/** Parsers that are not ours read every notification, field by field: Python's email, Sisimai, and Mail::DeliveryStatus::BounceParser. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLab } from '../lab/lab.ts'
import { cases, octets, plainMessage, trace, written } from '../unit/dsn.ts'
import { runWell } from './harness/program.ts'

interface Read {
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly defects: readonly string[]
  readonly parts: readonly {
    readonly type: string
    readonly encoding: string
    readonly groups?: readonly (readonly (readonly [name: string, value: string])[])[]
    readonly content?: string
  }[]
}

const script = (name: string) => fileURLToPath(new URL(`./harness/${name}`, import.meta.url))
const notification = async (name: string) => octets(await written(cases[name] ?? assert.fail(name)))

async function readByPython(message: Buffer): Promise<Read> {
  // Debian's own, whatever else the machine has.
  const ran = await runWell('/usr/bin/python3', [script('read-dsn.py')], message)
  return JSON.parse(ran.stdout) as Read
}

const messageGroup = [
  ['Reporting-MTA', 'dns; mx.example.test'],
  ['Received-From-MTA', 'dns; client.example ([127.0.0.1])'],
  ['Arrival-Date', 'Mon, 5 Jan 2026 10:00:00 +0000'],
]
const lastAttempt = ['Last-Attempt-Date', 'Mon, 5 Jan 2026 11:29:00 +0000']
const unknownUser = [
  ['Action', 'failed'],
  ['Status', '5.1.1'],
  ['Remote-MTA', 'dns; mail.example.test'],
  ['Diagnostic-Code', 'smtp; 550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown'],
  lastAttempt,
]
const nobodyGroup = [['Final-Recipient', 'rfc822; nobody@example.test'], ...unknownUser]
const utf8Group = [['Final-Recipient', 'utf-8; δοκιμή@example.test'], ...unknownUser]

/** What a program must find in parts two and three. `whole`: the message, else its header. */
const expected: Readonly<
  Record<string, { groups: string[][][]; types: [string, string]; content: string | Buffer; whole: boolean }>
> = {
  failed: {
    groups: [messageGroup, nobodyGroup],
    types: ['message/delivery-status', 'message/rfc822'],
    content: plainMessage,
    whole: true,
  },
  'failed-header-only': {
    groups: [messageGroup, nobodyGroup],
    types: ['message/delivery-status', 'text/rfc822-headers'],
    content: plainMessage,
    whole: false,
  },
  delayed: {
    groups: [
      messageGroup,
      [
        ['Final-Recipient', 'rfc822; you@example.test'],
        ['Action', 'delayed'],
        ['Status', '4.4.1'],
        ['Last-Attempt-Date', 'Mon, 5 Jan 2026 11:25:00 +0000'],
        ['Will-Retry-Until', 'Mon, 19 Jan 2026 10:00:00 +0000'],
      ],
    ],
    types: ['message/delivery-status', 'text/rfc822-headers'],
    content: plainMessage,
    whole: false,
  },
  expired: {
    groups: [
      messageGroup,
      [
        ['Final-Recipient', 'rfc822; you@example.test'],
        ['Action', 'failed'],
        ['Status', '4.4.7'],
      ],
    ],
    types: ['message/delivery-status', 'message/rfc822'],
    content: plainMessage,
    whole: true,
  },
  relayed: {
    groups: [
      messageGroup,
      [
        ['Final-Recipient', 'rfc822; you@example.test'],
        ['Action', 'relayed'],
        ['Status', '2.0.0'],
        ['Remote-MTA', 'dns; [127.0.0.1]'],
        ['Diagnostic-Code', 'smtp; 250 Ok: queued as 4F2'],
        ['Last-Attempt-Date', 'Mon, 5 Jan 2026 10:00:00 +0000'],
      ],
    ],
    types: ['message/delivery-status', 'text/rfc822-headers'],
    content: plainMessage,
    whole: false,
  },
  'names-of-the-senders-own': {
    groups: [
      [['Original-Envelope-Id', 'QQ+314 Abc'], ...messageGroup],
      [
        ['Original-Recipient', 'rfc822;You+tag@Orig.Example'],
        ['Final-Recipient', 'rfc822; you@example.test'],
        ...unknownUser,
      ],
    ],
    types: ['message/delivery-status', 'message/rfc822'],
    content: plainMessage,
    whole: true,
  },
  'utf-8': {
    groups: [messageGroup, [['Original-Recipient', 'utf-8;δο@example.test'], ...utf8Group]],
    types: ['message/global-delivery-status', 'message/global'],
    content: plainMessage.replace('Lunch', 'Mittagessen für zwölf'),
    whole: true,
  },
  'utf-8-to-an-ascii-sender': {
    groups: [messageGroup, utf8Group],
    types: ['message/global-delivery-status', 'message/global'],
    content: plainMessage.replace('Lunch', 'Mittagessen für zwölf'),
    whole: true,
  },
  '8-bit-header': {
    groups: [messageGroup, nobodyGroup],
    types: ['message/delivery-status', 'text/rfc822-headers'],
    content: Buffer.from(plainMessage.replace('Lunch', 'Mittagessen f\xfcr zw\xf6lf'), 'latin1'),
    whole: false,
  },
  '8-bit-message': {
    groups: [messageGroup, nobodyGroup],
    types: ['message/delivery-status', 'message/rfc822'],
    content: plainMessage.replace('noon', 'zwölf'),
    whole: true,
  },
  '100-kilobytes': {
    groups: [messageGroup, nobodyGroup],
    types: ['message/delivery-status', 'text/rfc822-headers'],
    content: plainMessage,
    whole: false,
  },
}

for (const [name, due] of Object.entries(expected)) {
  test(`Python's email reads the notification ${name}`, async () => {
    const read = await readByPython(await notification(name))
    assert.deepEqual(read.defects, [])
    const fields = new Map(read.fields)
    assert.equal(fields.get('From'), 'Mail Delivery <postmaster@mx.example.test>')
    assert.equal(fields.get('To'), name === 'utf-8' ? 'jörg@example.org' : 'sender@example.org')
    assert.equal(fields.get('References'), '<lunch.1@example.org>')
    assert.equal(fields.get('Auto-Submitted'), 'auto-replied')
    assert.match(fields.get('Content-Type') ?? '', /^multipart\/report; report-type="?delivery-status"?; boundary=/)
    const [people, status, original] = read.parts
    assert.equal(read.parts.length, 3)
    assert.equal(people?.type, 'text/plain')
    assert.match(
      Buffer.from(people?.content ?? '', 'base64').toString(),
      /^This is the mail server mx\.example\.test\.\r\n/,
    )
    assert.deepEqual(status?.groups, due.groups)
    assert.deepEqual([status?.type, original?.type], due.types)
    const message = Buffer.concat([Buffer.from(trace), Buffer.from(due.content)]).toString('latin1')
    const content = due.whole ? message : message.slice(0, message.indexOf('\r\n\r\n') + 2)
    assert.equal(Buffer.from(original?.content ?? '', 'base64').toString('latin1'), content)
  })
}

interface Sisimai {
  readonly recipient: string
  readonly alias: string
  readonly action: string
  readonly reason: string
  readonly deliverystatus: string
  readonly replycode: string
  readonly rhost: string
  readonly lhost: string
  readonly messageid: string
  readonly addresser: string
  readonly timestamp: number
}

const seconds = (text: string) => Date.parse(`2026-01-05T${text}:00Z`) / 1000
const fromSender = {
  lhost: 'client.example',
  messageid: 'lunch.1@example.org',
  addresser: 'sender@example.org',
  alias: '',
}
const nobody = {
  ...fromSender,
  recipient: 'nobody@example.test',
  action: 'failed',
  reason: 'userunknown',
  deliverystatus: '5.1.1',
  replycode: '550',
  rhost: 'mail.example.test',
  timestamp: seconds('11:29'),
}
const bySisimai: Readonly<Record<string, Sisimai>> = {
  failed: nobody,
  'failed-header-only': nobody,
  '8-bit-header': nobody,
  '8-bit-message': nobody,
  '100-kilobytes': nobody,
  'names-of-the-senders-own': { ...nobody, recipient: 'you@example.test', alias: 'You+tag@Orig.Example' },
  'expired-with-a-last-word': {
    ...nobody,
    recipient: 'you@example.test',
    reason: 'mailboxfull',
    deliverystatus: '4.2.2',
    replycode: '452',
  },
  delayed: {
    ...nobody,
    recipient: 'you@example.test',
    action: 'delayed',
    reason: 'expired',
    deliverystatus: '4.4.1',
    replycode: '',
    // It takes the reporting server where no other spoke.
    rhost: 'mx.example.test',
    timestamp: seconds('11:25'),
  },
  relayed: {
    ...nobody,
    recipient: 'you@example.test',
    action: 'relayed',
    reason: 'delivered',
    deliverystatus: '2.0.0',
    replycode: '250',
    rhost: '127.0.0.1',
    timestamp: seconds('10:00'),
  },
}

test('Sisimai finds recipient, status, reply and servers in each', async (t) => {
  const lab = await startLab(t)
  for (const [name, due] of Object.entries(bySisimai)) {
    const file = join(lab.folder, `${name}.eml`)
    await writeFile(file, await notification(name))
    const ran = await runWell('/usr/bin/perl', [
      '-MSisimai',
      '-e',
      'print Sisimai->dump($ARGV[0], delivered => 1)',
      file,
    ])
    const [found, ...more] = JSON.parse(ran.stdout) as (Sisimai & Record<string, unknown>)[]
    assert.deepEqual(more, [], name)
    assert.ok(found, name)
    assert.deepEqual(Object.fromEntries(Object.keys(due).map((key) => [key, found[key]])), due, name)
  }
})

interface Bounce {
  readonly isBounce: number
  readonly messageId: string
  readonly reports: readonly Readonly<Record<string, string>>[]
}

test('BounceParser tells a failure from a delay, and why it failed', async () => {
  const read = async (name: string) => {
    const ran = await runWell('/usr/bin/perl', [script('read-bounce.pl')], await notification(name))
    return JSON.parse(ran.stdout) as Bounce
  }
  const messageId = '<lunch.1@example.org>'
  const unknown = {
    email: 'nobody@example.test',
    std_reason: 'user_unknown',
    smtp_code: '550',
    action: 'failed',
    status: '5.1.1',
  }
  assert.deepEqual(await read('failed'), { isBounce: 1, messageId, reports: [unknown] })
  assert.deepEqual(await read('100-kilobytes'), { isBounce: 1, messageId, reports: [unknown] })
  assert.deepEqual(await read('expired-with-a-last-word'), {
    isBounce: 1,
    messageId,
    reports: [
      { email: 'you@example.test', std_reason: 'over_quota', smtp_code: '452', action: 'failed', status: '4.2.2' },
    ],
  })
  assert.deepEqual(await read('delayed'), { isBounce: 0, messageId, reports: [] })
})
