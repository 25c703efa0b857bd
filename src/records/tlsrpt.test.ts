import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTlsrpt, selectTlsrpt } from './tlsrpt.ts'

test('the examples of RFC 8460 §3.1', () => {
  const mail = parseTlsrpt('v=TLSRPTv1;rua=mailto:reports@example.com')
  assert.deepEqual(mail, {
    kind: 'tlsrpt',
    record: {
      reportTo: [{ uri: 'mailto:reports@example.com', scheme: 'mailto', domain: 'example.com', maxBytes: undefined }],
    },
  })
  const web = parseTlsrpt('v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt;')
  assert.ok(web.kind === 'tlsrpt' && web.record.reportTo[0]?.domain === 'reporting.example.com')
  const both = parseTlsrpt('v=TLSRPTv1; x-new=1; rua=mailto:a@b.example?subject=x , https://c.example:8443/%2C')
  assert.deepEqual(both.kind === 'tlsrpt' && both.record.reportTo.map(({ domain }) => domain), [
    'b.example',
    'c.example',
  ])
})

test('a record that is wrong is told where', () => {
  const bad: readonly (readonly [text: string, column: number, why: RegExp])[] = [
    ['v=TLSRPTv1', 11, /"rua" is missing/],
    ['v=tlsrptv1; rua=mailto:a@b.example', 1, /does not begin/],
    ['v=TLSRPTv1; rua=', 17, /no URI/],
    ['v=TLSRPTv1; rua=a@b.example', 17, /no URI/],
    ['v=TLSRPTv1; rua=mailto:a@b.example, ,https://c.example/', 36, /no URI/],
    ['v=TLSRPTv1; rua=mailto:a@b.example!10m', 17, /no URI/],
    ['v=TLSRPTv1; rua=mailto:a@b.example/x!', 17, /no URI/],
    ['v=TLSRPTv1; rua=http://c.example/', 17, /neither mailto: nor https:/],
    ['v=TLSRPTv1; rua=https://', 17, /no host/],
    ['v=TLSRPTv1; rua=https:///x', 17, /no host/],
    ['v=TLSRPTv1; rua=mailto:a@', 17, /no address/],
    ['v=TLSRPTv1; rua=mailto:\x1b@b.example', 17, /"mailto:\\x1b@b\.example"/],
    ['v=TLSRPTv1; x=a b; rua=mailto:a@b.example', 13, /blank/],
  ]
  for (const [text, column, why] of bad) {
    const parsed = parseTlsrpt(text)
    assert.ok(parsed.kind === 'invalid', text)
    assert.match(parsed.problems[0]?.message ?? '', why, text)
    assert.equal(parsed.problems[0]?.column, column, `${text}: ${parsed.problems[0]?.message}`)
  }
})

test('which TXT record is meant', () => {
  assert.equal(selectTlsrpt(['v=TLSRPTv1; rua=x', 'v=STSv1; id=1', 'v=TLSRPTv1']).kind, 'one')
  assert.equal(selectTlsrpt(['v=TLSRPTv1']).kind, 'none')
  assert.equal(selectTlsrpt(['v=TLSRPTv1;', 'v=TLSRPTv1;']).kind, 'several')
})
