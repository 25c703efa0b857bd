/** Reports for the tests of the formats: findings made by hand, so that the formats' goldens do not change with the rules. */
import assert from 'node:assert/strict'
import type { Facts } from '../../src/checks/facts.ts'
import type { Finding, NotChecked, Outcome } from '../../src/checks/finding.ts'
import { reportSchema, runSchema } from '../../src/checks/report/document.ts'
import type { DomainReport } from '../../src/checks/report/domain-report.ts'
import { domainReport, type ExaminedReport } from '../../src/checks/report/domain-report.ts'
import { createFormat, type FormatName, formatNames } from '../../src/checks/report/format.ts'
import type { FormatOptions } from '../../src/checks/report/report-format.ts'
import { count, countable, createTally } from '../../src/checks/report/tally.ts'
import type { Rule } from '../../src/checks/rule.ts'
import { factsOf } from './facts/facts.ts'

export const finding = (change: Partial<Finding> = {}): Finding => ({
  kind: 'finding',
  id: 'tls-certificate-name',
  severity: 'warning',
  title: 'certificate for another name',
  subject: { kind: 'address', exchanger: 'mx2.example.com', address: '198.51.100.1' },
  seen: 'mx2.example.com (198.51.100.1) serves a certificate for old.example.com.',
  why: 'Senders that verify names deliver nothing there.',
  remedy: {
    text: 'Have a certificate issued for mx2.example.com.',
    settings: ['smtpd_tls_cert_file = /etc/ssl/mx2.pem'],
  },
  rfc: ['RFC 6125 §6.4'],
  data: { names: ['old.example.com'] },
  ...change,
})

export const notChecked = (change: Partial<NotChecked> = {}): NotChecked => ({
  kind: 'not-checked',
  id: 'open-relay',
  title: 'relays mail for strangers',
  subject: { kind: 'exchanger', name: 'mx1.example.com' },
  reason: 'not-wanted',
  why: 'It was asked politely, so the question for relaying was left out.',
  ...change,
})

const ruleOf = ({ id, title }: Outcome): Rule => ({ id, title, rfc: [], needs: [], examine: () => [] })

/** The rules that were asked are those of the outcomes, and one that says nothing. */
export function reportOf(outcomes: readonly Outcome[], facts: Facts = factsOf()): ExaminedReport {
  const silent: Rule = { id: 'single-exchanger', title: 'all on one machine', rfc: [], needs: [], examine: () => [] }
  return domainReport({ facts, outcomes }, [silent, ...outcomes.map(ruleOf)])
}

export function written(
  name: FormatName,
  reports: readonly DomainReport[],
  change: Partial<FormatOptions> = {},
): string {
  const options = { columns: 100, isColored: false, isWhole: true, failOn: 'warning', ...change } as const
  const format = createFormat(name, options)
  const tally = createTally()
  const pieces = reports.map((report) => {
    count(tally, countable(report), options.failOn)
    return format.one(report)
  })
  return format.begin() + pieces.join('') + format.end(tally)
}

/** A real report comes out of every format, in JSON as its schema says, and nothing in it acts. */
export function assertWritten(report: DomainReport): void {
  for (const name of formatNames) {
    const text = written(name, [report])
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/, name)
    if (name === 'json') runSchema.parse(JSON.parse(text))
    if (name === 'jsonl') reportSchema.parse(JSON.parse(text))
  }
}
