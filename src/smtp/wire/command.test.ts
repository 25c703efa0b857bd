import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { replyText } from '../../mail/reply.ts'
import { parseCommand } from './command.ts'

/** What a command says, in one line. */
function told(line: string, isDsnOffered = false): string {
  const command = parseCommand(line, isDsnOffered)
  switch (command.kind) {
    case 'invalid':
      return replyText(command.reply).split(' ').slice(0, 2).join(' ')
    case 'mail':
      return `mail ${command.sender === null ? '<>' : command.sender.text} ${command.body} ${command.size}${asked(command.ret, command.envid)}`
    case 'rcpt':
      return `rcpt ${command.recipient.text}${asked(command.recipient.notify, command.recipient.originalRecipient)}`
    case 'ehlo':
    case 'helo':
      return `${command.kind} ${command.name}`
    default:
      return command.kind
  }
}

const asked = (...values: (string | undefined)[]) =>
  values.some((value) => value !== undefined) ? ` ${values.map((value) => value ?? '-').join(' ')}` : ''

const cases: readonly [line: string, said: string][] = [
  ['EHLO mail.example.com', 'ehlo mail.example.com'],
  ['ehlo [192.0.2.1]', 'ehlo [192.0.2.1]'],
  ['EHLO my_pc', 'ehlo my_pc'],
  ['EHLO one two', 'ehlo one'],
  ['HELO x', 'helo x'],
  ['EHLO', '501 Say'],
  ['EHLO  ', '501 Say'],
  [`EHLO ${'x'.repeat(256)}`, '501 Say'],
  ['EHLO x\x1b[31m', '500 5.5.2'],
  ['MAIL FROM:<a@b.example>', 'mail a@b.example undefined undefined'],
  ['mail from:<a@b.example>', 'mail a@b.example undefined undefined'],
  ['MAIL FROM: <a@b.example>', 'mail a@b.example undefined undefined'],
  ['MAIL FROM:<>', 'mail <> undefined undefined'],
  ['MAIL FROM:<> BODY=8BITMIME SIZE=12', 'mail <> 8BITMIME 12'],
  ['MAIL FROM:<a@b.example> size=0  body=7bit ', 'mail a@b.example 7BIT 0'],
  ['MAIL FROM:<a@b.example> SIZE=99999999999999999999', 'mail a@b.example undefined 100000000000000000000'],
  ['MAIL FROM:<a@b.example> SIZE=999999999999999999999', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE=', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE=-1', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE=0x10', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE=1 SIZE=1', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> BODY=7BIT BODY=7BIT', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> BODY=BINARYMIME', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> BODY', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SMTPUTF8', '555 5.5.4'],
  ['MAIL FROM:<a@b.example> AUTH=<>', '555 5.5.4'],
  ['MAIL FROM:<a@b.example> AUTH=x@y', '555 5.5.4'],
  ['MAIL FROM:<a@b.example> RET=FULL', '555 5.5.4'],
  ['MAIL FROM:<a@b.example> =x', '501 5.5.4'],
  ['MAIL FROM:<a@b.example>SIZE=1', '501 5.5.4'],
  ['MAIL FROM:<a@b.example> SIZE=1\0', '500 5.5.2'],
  ['MAIL FROM:<a@b.example> SIZE=1\rRCPT TO:<x@y.example>', '500 5.5.2'],
  ['MAIL FROM:<a@b.example\0>', '500 5.5.2'],
  ['MAIL FROM:a@b.example', '501 5.1.7'],
  ['MAIL FROM:<a@b.example', '501 5.1.7'],
  ['MAIL FROM:<a@>', '501 5.1.7'],
  ['MAIL FROM:', '501 5.1.7'],
  ['MAIL', '501 5.5.4'],
  ['MAIL <a@b.example>', '501 5.5.4'],
  ['MAIL FROM:<\xe4@b.example>', '550 5.6.7'],
  ['RCPT TO:<\xe4@b.example>', '553 5.6.7'],
  ['NOOP \xe4', '500 5.5.2'],
  ['RCPT TO:<a@b.example>', 'rcpt a@b.example'],
  ['RCPT TO: <a@B.Example.>', 'rcpt a@b.example'],
  ['rcpt to:<"a b>c"@b.example>', 'rcpt "a b>c"@b.example'],
  ['RCPT TO:<"a"@b.example>', 'rcpt a@b.example'],
  ['RCPT TO:<postMASTER>', 'rcpt postmaster'],
  ['RCPT TO:<@x.example,@y.example:a@b.example>', 'rcpt a@b.example'],
  ['RCPT TO:<>', '501 5.1.3'],
  ['RCPT TO:<a>', '501 5.1.3'],
  ['RCPT TO:<a@b.example> ', 'rcpt a@b.example'],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER', '555 5.5.4'],
  ['RCPT TO:<a@b.example> ORCPT=rfc822;a\0b', '500 5.5.2'],
  ['RCPT TO:<a@b.example>x', '501 5.5.4'],
  ['RCPT FROM:<a@b.example>', '501 5.5.4'],
  ['DATA', 'data'],
  ['data  ', 'data'],
  ['DATA x', '501 5.5.4'],
  ['DATAX', '500 5.5.1'],
  ['RSET', 'rset'],
  ['RSET x', '501 5.5.4'],
  ['NOOP', 'noop'],
  ['NOOP anything', 'noop'],
  ['QUIT', 'quit'],
  ['Quit ', 'quit'],
  ['VRFY someone', 'vrfy'],
  ['VRFY', '501 5.5.4'],
  ['EXPN list', 'expn'],
  ['HELP', 'help'],
  ['HELP MAIL', 'help'],
  ['STARTTLS', 'starttls'],
  ['starttls ', 'starttls'],
  ['STARTTLS now', '501 5.5.4'],
  ['STARTTLSX', '500 5.5.1'],
  ['STARDUST', '500 5.5.1'],
  ['AUTH PLAIN AGEAYg==', '502 5.5.1'],
  ['ETRN', '500 5.5.4'],
  ['ETRN ', '500 5.5.4'],
  ['ETRN two words', '501 5.5.4'],
  ['ETRN @', '501 5.5.4'],
  ['ETRN #', '501 5.5.4'],
  ['ETRN bad..example', '501 5.5.4'],
  ['ETRN [192.0.2.1]', '501 5.5.4'],
  ['XCLIENT ADDR=127.0.0.1', '502 5.5.1'],
  ['LHLO x', '502 5.5.1'],
  ['BDAT 10 LAST', 'bdat'],
  ['GET / HTTP/1.1', 'foreign'],
  ['POST /x HTTP/1.0', 'foreign'],
  ['CONNECT 192.0.2.1:25 HTTP/1.1', 'foreign'],
  ['PRI * HTTP/2.0', 'foreign'],
  ['GET', '500 5.5.1'],
  ['', '500 5.5.2'],
  ['   ', '500 5.5.2'],
  [' NOOP', '500 5.5.1'],
  ['NOOP\t', '500 5.5.2'],
  ['\x80', '500 5.5.2'],
]

for (const [line, said] of cases) {
  test(`${JSON.stringify(line.slice(0, 70))} is ${said}`, () => assert.equal(told(line), said))
}

const mail = 'MAIL FROM:<a@b.example>'
const rcpt = 'RCPT TO:<a@b.example>'
const dsnCases: readonly [line: string, said: string][] = [
  [`${mail} RET=FULL`, 'mail a@b.example undefined undefined FULL -'],
  [`${mail} ret=hdrs size=1`, 'mail a@b.example undefined 1 HDRS -'],
  [`${mail} ENVID=a+2Bb+20c`, 'mail a@b.example undefined undefined - a+2Bb+20c'],
  [`${mail} EnvId=+41 Ret=Full BODY=7BIT`, 'mail a@b.example 7BIT undefined FULL +41'],
  ['MAIL FROM:<> RET=HDRS ENVID=x', 'mail <> undefined undefined HDRS x'],
  [`${mail} ENVID=${'x'.repeat(100)}`, `mail a@b.example undefined undefined - ${'x'.repeat(100)}`],
  [`${mail} ENVID=${'x'.repeat(101)}`, '501 5.5.4'],
  [`${mail} ENVID=`, '501 5.5.4'],
  [`${mail} ENVID`, '501 5.5.4'],
  [`${mail} ENVID=a+2bb`, '501 5.5.4'],
  [`${mail} ENVID=a+b`, '501 5.5.4'],
  [`${mail} ENVID=a+`, '501 5.5.4'],
  [`${mail} ENVID=a=b`, '501 5.5.4'],
  [`${mail} ENVID=a+0D+0AX-Injected:+20yes`, '501 5.5.4'],
  [`${mail} ENVID=a+00`, '501 5.5.4'],
  [`${mail} ENVID=a+09`, '501 5.5.4'],
  [`${mail} ENVID=a+7F`, '501 5.5.4'],
  [`${mail} ENVID=a+E4`, '501 5.5.4'],
  [`${mail} ENVID=a ENVID=a`, '501 5.5.4'],
  [`${mail} RET=FULL RET=HDRS`, '501 5.5.4'],
  [`${mail} RET=ALL`, '501 5.5.4'],
  [`${mail} RET`, '501 5.5.4'],
  [`${mail} NOTIFY=NEVER`, '555 5.5.4'],
  [`${rcpt} NOTIFY=NEVER`, 'rcpt a@b.example NEVER -'],
  [`${rcpt} notify=success,Delay,FAILURE `, 'rcpt a@b.example SUCCESS,DELAY,FAILURE -'],
  [`${rcpt} NOTIFY=DELAY,DELAY`, 'rcpt a@b.example DELAY,DELAY -'],
  [`${rcpt} NOTIFY=NEVER,DELAY`, '501 5.5.4'],
  [`${rcpt} NOTIFY=DELAY,NEVER`, '501 5.5.4'],
  [`${rcpt} NOTIFY=DELAY,`, '501 5.5.4'],
  [`${rcpt} NOTIFY=,DELAY`, '501 5.5.4'],
  [`${rcpt} NOTIFY=`, '501 5.5.4'],
  [`${rcpt} NOTIFY`, '501 5.5.4'],
  [`${rcpt} NOTIFY=ALWAYS`, '501 5.5.4'],
  [`${rcpt} NOTIFY=DELAY NOTIFY=DELAY`, '501 5.5.4'],
  [`${rcpt} NOTIFY=DELAY,DELAY,DELAY,DELAY`, '501 5.5.4'],
  [`${rcpt} ORCPT=rfc822;Bob+2Btag@Orig.Example`, 'rcpt a@b.example - rfc822;Bob+2Btag@Orig.Example'],
  [`${rcpt} NOTIFY=NEVER ORCPT=x400;a;b`, 'rcpt a@b.example NEVER x400;a;b'],
  [`${rcpt} ORCPT=utf-8;j\\x{F6}rg@b.example`, 'rcpt a@b.example - utf-8;j\\x{F6}rg@b.example'],
  [`${rcpt} ORCPT=rfc822;${'x'.repeat(493)}`, `rcpt a@b.example - rfc822;${'x'.repeat(493)}`],
  [`${rcpt} ORCPT=rfc822;${'x'.repeat(494)}`, '501 5.5.4'],
  [`${rcpt} ORCPT=rfc822;x+0D+0AAction:+20delivered`, '501 5.5.4'],
  [`${rcpt} ORCPT=a+0A;x`, 'rcpt a@b.example - a+0A;x'],
  [`${rcpt} ORCPT=rfc822`, '501 5.5.4'],
  [`${rcpt} ORCPT=;x`, '501 5.5.4'],
  [`${rcpt} ORCPT=rfc(822);x`, '501 5.5.4'],
  [`${rcpt} ORCPT=rfc822;x ORCPT=rfc822;x`, '501 5.5.4'],
  [`${rcpt} RET=FULL`, '555 5.5.4'],
  [`${rcpt} =x`, '501 5.5.4'],
  ['RCPT TO:<a@b.example>NOTIFY=NEVER', '501 5.5.4'],
]

for (const [line, said] of dsnCases) {
  test(`with DSN offered, ${JSON.stringify(line.slice(0, 70))} is ${said.slice(0, 70)}`, () => {
    assert.equal(told(line, true), said)
    // RFC 5321 §4.1.1.11: what was not offered is not known.
    if (/ (?:RET|ENVID|NOTIFY|ORCPT)=\w/i.test(line)) assert.match(told(line), /^5/)
  })
}

/** Every text in a value, however deep. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}

test('no octets make a command that holds anything but printable ASCII', () => {
  const verbs = fc.constantFrom(
    'MAIL FROM:<',
    'RCPT TO:<',
    'EHLO ',
    'HELO ',
    'NOOP ',
    '',
    'MAIL FROM:<a@b.example> ',
    `${rcpt} ORCPT=`,
  )
  const octets = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString('latin1'))
  fc.assert(
    fc.property(verbs, octets, fc.constantFrom('', '>', '@b.example>', '"@b.example>'), (verb, text, tail) => {
      for (const held of stringsOf(parseCommand(verb + text + tail, true))) assert.match(held, /^[\x20-\x7e]*$/)
    }),
    { numRuns: 2000 },
  )
})

test('verbs are read in any case', () => {
  fc.assert(
    fc.property(fc.mixedCase(fc.constantFrom('DATA', 'RSET', 'QUIT', 'NOOP', 'STARTTLS', 'HELP')), (verb) => {
      assert.equal(parseCommand(verb, false).kind, verb.toLowerCase())
    }),
  )
})

test('ETRN names a domain, a domain with all below it, or a queue', () => {
  const node = (line: string) => parseCommand(line, false)
  assert.deepEqual(node('ETRN Example.COM.'), { kind: 'etrn', node: { kind: 'domain', domain: 'example.com' } })
  assert.deepEqual(node('etrn @example.com  '), { kind: 'etrn', node: { kind: 'subdomains', domain: 'example.com' } })
  assert.deepEqual(node('ETRN #uucp'), { kind: 'etrn', node: { kind: 'queue', name: 'uucp' } })
})
