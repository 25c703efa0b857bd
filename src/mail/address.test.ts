import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMailbox, parsePath, quoted } from './address.ts'

function mailbox(text: string): string | undefined {
  const parsed = parseMailbox(text)
  return parsed.kind === 'mailbox' ? parsed.mailbox.text : undefined
}

const mailboxes: readonly [text: string, canonical: string | undefined][] = [
  ['a@b.example', 'a@b.example'],
  ['A.b+c@B.EXAMPLE', 'A.b+c@b.example'],
  ['a@b.example.', 'a@b.example'],
  ['"a"@b.example', 'a@b.example'],
  ['"\\a\\"b"@b.example', '"a\\"b"@b.example'],
  ['"a b"@b.example', '"a b"@b.example'],
  ['"a@c.example"@b.example', '"a@c.example"@b.example'],
  ['a%c.example@b.example', 'a%c.example@b.example'],
  ['a@[192.0.2.1]', 'a@[192.0.2.1]'],
  ['a@[IPv6:2001:DB8:0::1]', 'a@[IPv6:2001:db8::1]'],
  ['a@[ipv6:2001:db8::1]', 'a@[IPv6:2001:db8::1]'],
  ['a@[2001:db8::1]', undefined],
  ['a@[IPv6:192.0.2.1]', undefined],
  ['a@[192.0.2.1', undefined],
  ['a@[192.0.2.256]', undefined],
  ['a@[tag:x]', undefined],
  ['a@b@c.example', undefined],
  ['a..b@c.example', undefined],
  ['.a@b.example', undefined],
  ['a.@b.example', undefined],
  ['a b@c.example', undefined],
  ['@b.example', undefined],
  ['""@b.example', undefined],
  ['"a@b.example', undefined],
  ['"a\\', undefined],
  ['"a"b@c.example', undefined],
  ['a@', undefined],
  ['a@.', undefined],
  ['a@b..example', undefined],
  ['a@-', 'a@-'],
  ['a@b,c.example', undefined],
  ['a@b.example\r\nRCPT TO:<x@y.example>', undefined],
  ['a\0@b.example', undefined],
  ['\xe4@b.example', undefined],
  ['a@b\xe4.example', undefined],
  [`${'a'.repeat(64)}@b.example`, `${'a'.repeat(64)}@b.example`],
  [`${'a'.repeat(65)}@b.example`, undefined],
  [`"${'a '.repeat(33)}"@b.example`, undefined],
  [`a@${'b.'.repeat(130)}example`, undefined],
  [`a@${'b'.repeat(64)}.example`, undefined],
  ['', undefined],
]

for (const [text, canonical] of mailboxes) {
  test(`the mailbox ${JSON.stringify(text.slice(0, 50))} is ${canonical?.slice(0, 50) ?? 'refused'}`, () => {
    assert.equal(mailbox(text), canonical)
  })
}

function path(text: string): string | undefined {
  const parsed = parsePath(text, 0)
  if (parsed.kind === 'invalid') return undefined
  return `${parsed.mailbox === null ? 'null' : parsed.mailbox.text}|${text.slice(parsed.end)}`
}

const paths: readonly [text: string, read: string | undefined][] = [
  ['<a@b.example>', 'a@b.example|'],
  ['<a@b.example> SIZE=1', 'a@b.example| SIZE=1'],
  ['<>', 'null|'],
  ['<Postmaster>', 'postmaster|'],
  ['<postmaster@b.example>', 'postmaster@b.example|'],
  ['<">"@b.example>x', '">"@b.example|x'],
  ['<"\\">"@b.example>x', '"\\">"@b.example|x'],
  ['<@x.example:a@b.example>', 'a@b.example|'],
  ['<@x.example,@y.example:"a:b"@b.example>', '"a:b"@b.example|'],
  ['<@x.example:>', undefined],
  ['<@x.example>', undefined],
  ['<@x.example,y.example:a@b.example>', undefined],
  ['<@x.example,:a@b.example>', undefined],
  ['<@:a@b.example>', undefined],
  ['<@.:a@b.example>', undefined],
  ['<@x.example:@y.example:a@b.example>', undefined],
  ['<@x.example:postmaster>', undefined],
  ['<a@b.example', undefined],
  ['<"a@b.example>', undefined],
  ['a@b.example', undefined],
  ['<<a@b.example>>', undefined],
  ['< a@b.example>', undefined],
  ['<a@b.example >', undefined],
  ['< >', undefined],
  ['<postmaster >', undefined],
  ['', undefined],
]

for (const [text, read] of paths) {
  test(`the path ${JSON.stringify(text)} is ${read ?? 'refused'}`, () => assert.equal(path(text), read))
}

const local = fc.string({ unit: fc.constantFrom(...'abZ09.+-"\\ @%!>,:<()'), minLength: 1, maxLength: 20 })

test('a local part survives being written and read again', () => {
  fc.assert(
    fc.property(local, (localPart) => {
      const parsed = parsePath(`<${quoted(localPart)}@b.example>`, 0)
      assert.ok(parsed.kind === 'path' && parsed.mailbox)
      assert.equal(parsed.mailbox.localPart, localPart)
    }),
  )
})

test('what is read is canonical: reading it again changes nothing, and it is printable', () => {
  const text = fc.string({
    unit: fc.constantFrom(...'aB1.@"\\[]:<>%!, \0\r\n\xe9', 'x.example', 'IPv6:::1'),
    maxLength: 24,
  })
  fc.assert(
    fc.property(text, (inner) => {
      const parsed = parsePath(`<${inner}>`, 0)
      if (parsed.kind === 'invalid' || parsed.mailbox === null || parsed.mailbox.text === 'postmaster') return
      assert.match(parsed.mailbox.text, /^[\x20-\x7e]{3,254}$/)
      assert.equal(mailbox(parsed.mailbox.text), parsed.mailbox.text)
    }),
    { numRuns: 5000 },
  )
})

test('long hostile paths are refused in no time', () => {
  const began = process.cpuUsage()
  for (const text of [`<${'"\\'.repeat(5000)}>`, `<@${'a,@'.repeat(5000)}:x@y>`, `<${'a.'.repeat(5000)}@b>`]) {
    assert.equal(parsePath(text, 0).kind, 'invalid')
  }
  assert.ok(process.cpuUsage(began).user < 2_000_000, 'microseconds of the processor')
})
