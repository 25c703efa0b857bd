import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mailbox } from '../../../test/unit/deliver.ts'
import { backendName, dsnCase, status } from '../../../test/unit/dsn.ts'
import type { Reply } from '../reply.ts'
import { deliveryStatus, replyLines } from './fields.ts'
import type { DsnReport } from './report.ts'

function reportOf(reply: Reply): DsnReport {
  const remote = { host: backendName, reply }
  return dsnCase({
    recipients: [{ action: 'failed', recipient: mailbox('you@example.test'), status: status('5.1.1'), remote }],
  }).report
}

test('a reply reads the same unfolded, and no line of it is long without need, is blank or ends in a blank', () => {
  const words = fc.string({ unit: fc.constantFrom('word', ' ', '  ', '; ', 'x'.repeat(90), '     '), maxLength: 40 })
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 4 }), (text) => {
      const said = { code: 550, enhanced: '5.1.1', text }
      const report = reportOf(said)
      const field = /Diagnostic-Code: (?:.|\r\n )*\r\n/.exec(deliveryStatus(report, report.recipients))?.[0] ?? ''
      assert.equal(field.replaceAll('\r\n', ''), `Diagnostic-Code: smtp; ${replyLines(said).join(' ')}`)
      for (const line of field.slice(0, -2).split('\r\n')) {
        assert.match(line, /\S$/)
        assert.ok(
          line.length <= 78 ||
            !/\S \S/.test(line.slice('Diagnostic-Code: smtp; 550 5.1.1 '.length)) ||
            line.includes('x'.repeat(90)),
        )
      }
    }),
    { numRuns: 1000 },
  )
})

test('a client that calls itself what no server is called is told by its address alone', () => {
  const named = (hello: string) => {
    const { report } = dsnCase({ recipients: [] })
    const client = report.client && { ...report.client, hello }
    return /^Received-From-MTA: (.*)\r$/m.exec(deliveryStatus({ ...report, client }, []))?.[1]
  }
  assert.equal(named('Client.Example'), 'dns; Client.Example ([127.0.0.1])')
  assert.equal(named('[192.0.2.1]'), 'dns; [192.0.2.1] ([127.0.0.1])')
  assert.equal(named('a(b'), 'dns; [127.0.0.1]')
  assert.equal(named('a;b\r\nAction: delivered'), 'dns; [127.0.0.1]')
})
