import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { loopback, mailbox } from '../../../test/unit/deliver.ts'
import {
  arrivedMs,
  backendName,
  cases,
  dsnCase,
  envid,
  notify,
  octets,
  orcpt,
  plainMessage,
  status,
  trace,
  userUnknown,
  utf8Mailbox,
  written,
} from '../../../test/unit/dsn.ts'
import { type Random, seededRandom } from '../../base/random.ts'
import { type DsnRecipient, isBeyondAscii } from './report.ts'
import { writeDsn } from './write.ts'

const you = mailbox('you@example.test')
const refused: DsnRecipient = {
  action: 'failed',
  recipient: you,
  status: status('5.1.1'),
  remote: { host: backendName, reply: userUnknown },
}

/** `WRITE_GOLDEN=1` writes the files anew; `git diff` then shows what has changed. */
for (const [name, what] of Object.entries(cases)) {
  test(`the notification ${name} is the one of its file`, async () => {
    const file = new URL(`./golden/${name}.eml`, import.meta.url)
    const found = await octets(await written(what))
    if (process.env.WRITE_GOLDEN === '1') await writeFile(file, found)
    assert.equal(found.toString('latin1'), (await readFile(file)).toString('latin1'))
  })
}

test('it goes from nobody to the sender, who is told of nothing more', async () => {
  const dsn = await written(cases['8-bit-message'] ?? assert.fail())
  const size = (await octets(dsn)).length
  assert.deepEqual(dsn.envelope, {
    sender: null,
    body: '8BITMIME',
    declaredSize: size,
    ret: undefined,
    envid: undefined,
  })
  assert.deepEqual(dsn.to, { ...mailbox('sender@example.org'), notify: 'NEVER' })
  assert.equal(dsn.body.size, size)
  assert.equal(dsn.body.has8bit, true)
})

test('nobody hears of what nobody asked for, and nobody writes to nobody', async () => {
  const silent = [
    dsnCase({ sender: null, recipients: [refused] }),
    dsnCase({ recipients: [] }),
    dsnCase({ recipients: [{ ...refused, recipient: { ...you, notify: notify('NEVER') } }] }),
    dsnCase({ recipients: [{ ...refused, recipient: { ...you, notify: notify('SUCCESS,DELAY') } }] }),
    dsnCase({
      recipients: [{ action: 'delayed', recipient: { ...you, notify: notify('FAILURE') }, status: undefined }],
    }),
    dsnCase({ recipients: [{ action: 'relayed', recipient: you, status: undefined }] }),
  ]
  for (const { report, original } of silent) assert.equal(await writeDsn(report, original, seededRandom(1)), undefined)
})

/** Type, encoding and content of each part, by hand, for tests that look at octets. */
function partsOf(message: Buffer): { type: string; encoding: string; content: string }[] {
  const text = message.toString('latin1')
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? assert.fail('no boundary')
  const pieces = text.split(`--${boundary}`)
  assert.equal(pieces.length, 5)
  assert.equal(pieces[4], '--\r\n')
  return pieces.slice(1, 4).map((piece) => {
    const end = piece.indexOf('\r\n\r\n')
    const head = piece.slice(0, end)
    return {
      type: /Content-Type: ([^;\r]+)/.exec(head)?.[1] ?? '',
      encoding: /Content-Transfer-Encoding: (\S+)/.exec(head)?.[1] ?? '',
      content: piece.slice(end + 4, -2),
    }
  })
}

async function returned(
  content: string,
  ret: 'FULL' | 'HDRS' = 'FULL',
): Promise<{ type: string; encoding: string; content: string }> {
  const dsn = await written(dsnCase({ ret, content: Buffer.from(content, 'latin1'), recipients: [refused] }))
  return partsOf(await octets(dsn))[2] ?? assert.fail()
}

test('the message goes back whole to 50,000 octets, its trace line counted', async () => {
  const filler = 50_000 - trace.length - plainMessage.length
  const lines = `${'x'.repeat(98)}\r\n`.repeat(Math.floor(filler / 100)) + 'y'.repeat(filler % 100)
  const whole = await returned(plainMessage + lines)
  assert.equal(whole.type, 'message/rfc822')
  assert.equal(whole.content, trace + plainMessage + lines)
  const header = await returned(`${plainMessage}${lines}z`)
  assert.equal(header.type, 'text/rfc822-headers')
  assert.equal(header.content, trace + plainMessage.slice(0, plainMessage.indexOf('\r\n\r\n') + 2))
})

test('of a message with a line that no line may be, the header goes back', async () => {
  const part = await returned(`${plainMessage}${'x'.repeat(999)}\r\n`)
  assert.equal(part.type, 'text/rfc822-headers')
})

test('a header without end is cut behind a whole field', async () => {
  const fields = Array.from({ length: 1000 }, (_, index) => `X-${index}: ${'a'.repeat(70)}\r\n ${'b'.repeat(70)}\r\n`)
  const { content } = await returned(`${fields.join('')}\r\nhi\r\n`, 'HDRS')
  const kept = content.match(/^X-/gm)?.length ?? 0
  assert.equal(content, trace + fields.slice(0, kept).join(''))
  assert.ok(content.length <= 50_000 && content.length + (fields[kept]?.length ?? 0) > 50_000)
})

test('what is no header is not given back as one', async () => {
  assert.equal((await returned('Dear you\r\nthis is private\r\n', 'HDRS')).content, trace)
  assert.equal((await returned('\r\nX-Not: a field\r\n', 'HDRS')).content, trace)
  assert.equal((await returned('A: b\r\nprivate\r\nC: d\r\n', 'HDRS')).content, `${trace}A: b\r\n`)
})

test('a boundary that the content holds is not taken', async () => {
  const random: Random = { number: () => 0, bytes: (count) => Buffer.alloc(count, 7) }
  const guess = `=_${'07'.repeat(15)}`
  const { report, original } = dsnCase({
    content: `${plainMessage}--${guess}.0\r\n--${guess}.1--\r\n`,
    recipients: [refused],
  })
  const dsn = (await writeDsn(report, original, random)) ?? assert.fail()
  const message = await octets(dsn)
  assert.match(message.toString('latin1'), new RegExp(`boundary="${guess}\\.2"`))
  assert.equal(partsOf(message)[2]?.content, `${trace}${plainMessage}--${guess}.0\r\n--${guess}.1--\r\n`)
})

test('only a Message-ID that is one is repeated', async () => {
  const references = async (line: string) => {
    const dsn = await written(dsnCase({ content: `${line}\r\nSubject: x\r\n\r\nhi\r\n`, recipients: [refused] }))
    return /^References: (.*)\r$/m.exec((await octets(dsn)).toString('latin1'))?.[1]
  }
  assert.equal(await references('message-id:<a@b.example>'), '<a@b.example>')
  assert.equal(await references('Message-ID:\r\n <a@b.example> '), '<a@b.example>')
  assert.equal(await references('Message-ID: <a@b.example>\r\n X-Injected: yes'), undefined)
  assert.equal(await references('Message-ID: <a b@b.example>'), undefined)
  assert.equal(await references('Message-ID: <\xe4@b.example>'), undefined)
  assert.equal(await references('Message-ID: none'), undefined)
  assert.equal(await references('X-Message-ID: <a@b.example>'), undefined)
})

test('a reply of a thousand lines is told by its first ten', async () => {
  const text = Array.from({ length: 1000 }, (_, index) => `line ${index}`) as [string, ...string[]]
  const remote = { host: backendName, reply: { code: 550, enhanced: '5.1.1', text } }
  const status =
    partsOf(await octets(await written(dsnCase({ recipients: [{ ...refused, remote }] }))))[1]?.content ?? ''
  assert.match(status, /Diagnostic-Code: smtp; 550-5\.1\.1 line 0\r\n 550-5\.1\.1 line 1\r\n/)
  assert.match(status, /\r\n 550 5\.1\.1 line 9\r\n(?! )/)
})

// ---- whatever comes

const hostile = fc.string({
  unit: fc.constantFrom(
    ...'ab =?;:<>()"\\.',
    ' ',
    '\r',
    '\n',
    '\r\n',
    '\r\n.\r\n',
    '\0',
    '\t',
    '\x7f',
    '\xe9',
    '\x85',
    '\u2028',
    'é',
    '😀',
    'x'.repeat(600),
  ),
  maxLength: 40,
})
const replies = fc.record({
  code: fc.integer({ min: 200, max: 599 }),
  enhanced: fc.option(fc.constantFrom('5.1.1', '4.2.2', '2.0.0', '5.001.010'), { nil: undefined }),
  text: fc.array(hostile, { minLength: 1, maxLength: 12 }),
})
const xtext = fc.string({
  unit: fc.constantFrom('a', '+20', '+2B', '(', ';', ':', '<', '+3D'),
  minLength: 1,
  maxLength: 30,
})
const recipients = fc.record({
  recipient: fc.record({
    address: fc.constantFrom(you, mailbox('"a b\\"c"@example.test'), utf8Mailbox('jö rg', 'example.test')),
    originalRecipient: fc.option(
      xtext.map((text) => orcpt(`rfc822;${text}`)),
      { nil: undefined },
    ),
  }),
  action: fc.constantFrom('failed', 'delayed', 'relayed', 'delivered'),
  status: fc.option(fc.constantFrom(status('5.1.1'), status('4.4.1'), status('2.0.0')), { nil: undefined }),
  remote: fc.option(fc.record({ host: fc.constantFrom(backendName, loopback), reply: replies }), { nil: undefined }),
})
const contents = fc.oneof(
  hostile,
  fc.string({
    unit: fc.constantFrom('Subject: ', 'Message-ID: <', '>', '\r\n', '\r\n ', 'é', 'text', '-'.repeat(300), '--=_'),
    maxLength: 60,
  }),
)
/** As the data decoder leaves it: lines end in CRLF, with no bare CR or LF and no NUL. */
const canonical = (text: string) => `${text.replace(/\r\n|[\r\n\0]/g, (end) => (end === '\r\n' ? end : ' '))}\r\n`

test('whatever comes: three parts, no bare CR or LF, no line over 998, 7-bit where it must be, and the fields are ours', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        recipients: fc.array(recipients, { minLength: 1, maxLength: 4 }),
        envid: fc.option(
          xtext.map((text) => envid(text)),
          { nil: undefined },
        ),
        hello: hostile,
        content: contents,
        ret: fc.constantFrom('FULL' as const, 'HDRS' as const, undefined),
        sender: fc.constantFrom(mailbox('sender@example.org'), utf8Mailbox('jörg', 'example.org')),
      }),
      async (words) => {
        const told = words.recipients.map(({ recipient, ...rest }) => ({
          ...rest,
          recipient: {
            ...recipient.address,
            originalRecipient: recipient.originalRecipient,
            notify: notify('SUCCESS,FAILURE,DELAY'),
          },
          lastAttemptMs: arrivedMs,
        })) as DsnRecipient[]
        const made = dsnCase({
          recipients: told,
          sender: words.sender,
          content: Buffer.from(canonical(words.content)),
          ...(words.ret ? { ret: words.ret } : {}),
          ...(words.envid ? { envid: words.envid } : {}),
        })
        const client = { address: loopback, hello: words.hello }
        const dsn = await written({ ...made, report: { ...made.report, client } })
        const message = await octets(dsn)
        assert.equal(message.length, dsn.body.size)
        const text = message.toString('latin1')
        assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n|\0/)
        for (const line of text.split('\r\n')) assert.ok(line.length <= 998)
        assert.equal(dsn.body.has8bit, /[\x80-\xff]/.test(text))
        assert.match(text, headerFields)

        const [people, fields, original] = partsOf(message)
        for (const part of [people, fields, original]) {
          if (part?.encoding !== '8bit') assert.doesNotMatch(part?.content ?? '', /[\x80-\xff]/)
        }
        if (!isBeyondAscii(words.sender)) assert.ok(people?.encoding !== '8bit' && fields?.encoding !== '8bit')
        if (fields?.type === 'message/delivery-status') {
          assert.equal(fields.encoding, '7bit')
          const groups = fields.content.split('\r\n\r\n')
          assert.equal(groups.length, 1 + told.length)
          assert.match(groups[0] ?? '', messageFields)
          for (const group of groups.slice(1))
            assert.match(group.endsWith('\r\n') ? group : `${group}\r\n`, recipientFields)
        } else {
          assert.equal(fields?.type, 'message/global-delivery-status')
          const names = told.flatMap(({ recipient: { text, originalRecipient } }) => [text, originalRecipient])
          assert.match([words.sender.text, ...names, words.hello].join(''), /[^\x00-\x7f]/)
        }
      },
    ),
    { numRuns: 400 },
  )
})

const headerFields =
  /^From: [^\r]*\r\nTo: [^\r]*\r\nSubject: [^\r]*\r\nDate: [^\r]*\r\nMessage-ID: [^\r]*\r\n(?:In-Reply-To: <[^\r]*\r\nReferences: <[^\r]*\r\n)?Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart\/report; report-type=delivery-status;\r\n boundary="[^"\r]*"\r\n(?:Content-Transfer-Encoding: 8bit\r\n)?\r\n/
const messageFields =
  /^(?:Original-Envelope-Id: [^\r]*\r\n)?Reporting-MTA: dns; mx\.example\.test\r\nReceived-From-MTA: dns; [^\r]*\r\nArrival-Date: [^\r]*$/
const recipientFields =
  /^(?:Original-Recipient: rfc822;[^\r]*\r\n)?Final-Recipient: (?:rfc822|utf-8); [^\r]*\r\nAction: (?:failed|delayed|relayed|delivered)\r\nStatus: [245]\.\d+\.\d+\r\n(?:Remote-MTA: dns; [^\r]*\r\nDiagnostic-Code: smtp; \d{3}[ -]?[^\r]*\r\n(?: +[^ \r][^\r]*\r\n)*)?Last-Attempt-Date: [^\r]*\r\n$/
