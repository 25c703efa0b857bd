import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../test/lab/names.ts'
import { judgeTarget } from './target.ts'

for (const [text, expected] of [
  ['MX.Example.COM', 'mx.example.com'],
  ['192.0.2.1', /an IP address/],
  ['192\\.0\\.2\\.1', /an IP address/],
  ['2001:db8::1', /an IP address/],
  ['127.1', /reads as an address/],
  ['2130706433', /reads as an address/],
  ['0x7f000001', /reads as an address/],
  ['0127.0.0.1', /reads as an address/],
  ['localhost', /every machine itself/],
  ['mx.localhost', /every machine itself/],
  ['localhost.localdomain', /every machine itself/],
  ['mx\\000.test', /not a host name/],
  ['[192.0.2.1]', /not a host name/],
  ['1.example', '1.example'],
] as const) {
  test(`MX ${text}`, () => {
    const target = judgeTarget(labName(text), false)
    if (typeof expected === 'string') assert.equal(target.kind === 'host' && target.host, expected)
    else assert.match(target.kind === 'unusable' ? target.why : '', expected)
  })
}

test('oddities are noted and no reason to drop', () => {
  const notes = (text: string) => {
    const target = judgeTarget(labName(text), false)
    return target.kind === 'host' ? target.notes.length : -1
  }
  assert.deepEqual([notes('mx.test'), notes('mx'), notes('m_x.test'), notes('-mx.test')], [0, 1, 1, 1])
  assert.equal(judgeTarget(labName('localhost'), true).kind, 'host')
})
