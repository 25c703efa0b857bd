import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HostName } from '../dns/name.ts'
import { backendUrl, createBackend, defaultBackendOptions, parseBackend } from './parse-backend.ts'

const url = (text: string, folder = '/etc/waypost') => {
  const parsed = parseBackend(text, folder)
  return parsed.kind === 'backend' ? backendUrl(parsed.address) : `no: ${parsed.why}`
}

test('every form has one canonical spelling', () => {
  const same: readonly (readonly [string, ...string[]])[] = [
    [
      'smtp://mail.example.com:25',
      'smtp://mail.example.com',
      'SMTP://Mail.Example.COM.',
      'smtp://mail.example.com:025',
    ],
    ['smtps://10.0.0.1:465', 'smtps://10.0.0.1'],
    ['smtp://[2001:db8::1]:25', 'smtp://[2001:DB8:0:0::1]', 'smtp://[IPv6:2001:db8::1]'],
    ['smtp://xn--mnchen-3ya.example:25', 'smtp://münchen.example'],
    ['lmtp://10.0.0.20:24'],
    ['lmtp:/run/dovecot/lmtp', 'lmtp:/run//dovecot/./lmtp', 'LMTP:../../run/dovecot/lmtp'],
    ['maildir:/var/mail/{local}', 'maildir:/var/mail/{local}/', 'maildir:../../var/mail/{local}'],
    ['mx', 'mx'],
    ['mx:example.net', 'mx:Example.NET.'],
  ]
  for (const [canonical, ...spellings] of same)
    for (const spelling of [canonical, ...spellings]) assert.equal(url(spelling), canonical, spelling)
})

test('what is no backend says why and what to write', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /no scheme/,
    'mail.example.com': /no scheme/,
    '10.0.0.1:25': /write smtp:\/\/10\.0\.0\.1:25/,
    'http://x': /"http:" is no scheme/,
    'smtp:mail.example.com': /how Postfix writes it; write smtp:\/\/mail\.example\.com$/,
    'smtp:mail_example': /two slashes/,
    'smtp:[mail.example.com]:25': /write smtp:\/\/mail\.example\.com:25$/,
    'smtp:[::1]:25': /write smtp:\/\/\[::1\]:25$/,
    'relay:[mail.example.com]:2525': /write smtp:\/\/mail\.example\.com:2525$/,
    'relay:example.com': /write smtp:\/\/example\.com$/,
    'smtp://user:secret@mail.example.com': /no user and no password/,
    'smtp://@mail.example.com': /no user/,
    'smtp://mail.example.com/path': /nothing may stand behind/,
    'smtp://mail.example.com?tls=off': /nothing may stand behind/,
    'smtp://mail.example.com#x': /nothing may stand behind/,
    'smtp://mail.example.com\\@evil': /no user/,
    'smtp://': /no host/,
    'smtp://:25': /no host/,
    'smtp://mail.example.com:0': /port is not 1 to 65535/,
    'smtp://mail.example.com:65536': /port is not/,
    'smtp://mail.example.com:': /port is not/,
    'smtp://mail.example.com:25x': /port is not/,
    'smtp://127.0.0.1:7702:25': /it has two ports/,
    'smtp://mx.example.test:25:26': /it has two ports/,
    'smtp://[::1]:25:26': /it has two ports/,
    'smtp://2001:db8::1': /IPv6 address stands in/,
    'smtp://[10.0.0.1]': /no IPv6 address/,
    'smtp://[::1': /no host|IPv6/,
    'smtp://127.1': /neither a host name nor an IP address/,
    'smtp://0x7f.1': /neither/,
    'smtp://2130706433': /neither/,
    'smtp://mail%2eexample.com': /characters that no host name has/,
    'smtp://a..b': /two dots/,
    'lmtp://10.0.0.1': /no usual port/,
    'lmtp:///run/lmtp': /write lmtp:\/run\/lmtp/,
    'lmtp:': /no path/,
    'lmtp:unix:/run/dovecot/lmtp': /write lmtp:\/run\/dovecot\/lmtp$/,
    'unix:/run/dovecot/lmtp': /write lmtp:\/run\/dovecot\/lmtp$/,
    'lmtp:unix:private/dovecot-lmtp': /write lmtp:\/var\/spool\/postfix\/private\/dovecot-lmtp$/,
    'lmtp:private/dovecot-lmtp': /write lmtp:\/var\/spool\/postfix\/private\/dovecot-lmtp$/,
    'lmtp:inet:127.0.0.1:24': /write lmtp:\/\/127\.0\.0\.1:24$/,
    'lmtp:inet:mail.example.com': /write lmtp:\/\/mail\.example\.com:24$/,
    'lmtp:127.0.0.1:24': /write lmtp:\/\/127\.0\.0\.1:24$/,
    'lmtp:localhost': /begins with "\/" .*write lmtp:\/path\/to\.sock or lmtp:\/\/host:port/,
    'lmtp:~/lmtp': /begins with "\/"/,
    [`lmtp:/${'x'.repeat(120)}`]: /longer than the 107 octets/,
    'maildir:': /no path/,
    'maildir:~/Maildir': /"~" is no home folder here; write the whole path/,
    'maildir:/var/mail/%n': /\{local\} is the folder of each recipient/,
    'maildir:///var/mail': /write maildir:\/path/,
    'maildir:/a/{local}/{local}': /once/,
    'maildir:/a/x{local}': /whole segment/,
    'maildir:/a/{domain}': /nothing else stands in braces/,
    'maildir:/a\0b': /no path/,
    'mx:': /mx alone/,
    'mx://example.com': /without slashes/,
    'mx:a@b': /without an "@"/,
    'mx:192.0.2.1': /an address has no MX/,
    'smtp://a\nb': /characters|no host/,
  }
  for (const [text, why] of Object.entries(wrong)) assert.match(url(text), why, JSON.stringify(text))
})

test('what is proposed instead of a spelling of Postfix is a backend', () => {
  for (const text of [
    'smtp:h.example:25',
    'relay:[2001:db8::1]',
    'lmtp:inet:[::1]:24',
    'lmtp:unix:private/lmtp',
    'smtps:h',
  ]) {
    const proposed = / write (\S+)$/.exec(url(text))?.[1] ?? ''
    assert.equal(parseBackend(proposed, '/').kind, 'backend', `${text}: ${proposed}`)
  }
})

test('the key holds what differs from the defaults', () => {
  const parsed = parseBackend('smtp://a.example', '/')
  assert.equal(parsed.kind, 'backend')
  if (parsed.kind !== 'backend') return
  assert.equal(createBackend(parsed.address, defaultBackendOptions).key, 'smtp://a.example:25')
  const options = { tls: 'require', helo: 'me.example' as HostName, connections: 5, private: false } as const
  assert.equal(
    createBackend(parsed.address, options).key,
    'smtp://a.example:25 tls=require helo=me.example connections=5',
  )
})

test('property: no text throws, and what is read reads again as itself', () => {
  const pieces = fc.constantFrom(
    'smtp',
    'smtps',
    'lmtp',
    'maildir',
    'mx',
    ':',
    '//',
    '/',
    '@',
    '[',
    ']',
    '::1',
    '10.0.0.1',
    'a.b',
    ':25',
    '{local}',
    '..',
    '\0',
    'ü',
    '%',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parseBackend(input, '/folder')
      if (parsed.kind === 'invalid') return parsed.why.length > 0
      const canonical = backendUrl(parsed.address)
      const again = parseBackend(canonical, '/other')
      return again.kind === 'backend' && backendUrl(again.address) === canonical
    }),
    { numRuns: 2000 },
  )
})
