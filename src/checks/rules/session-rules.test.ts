/** What holds for every rule about sessions and policies: nothing that was not examined is a fault, and no text of others gets through as it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../test/unit/facts/facts.ts'
import { notSaid, said } from '../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../test/unit/facts/views.ts'
import { assertSafe } from '../../../test/unit/outcomes.ts'
import type { ProbedSession, Said } from '../../smtp/probe-facts.ts'
import type { Facts } from '../facts.ts'
import { runRules } from '../run-rules.ts'
import { daneRules } from './dane/rules.ts'
import { mtaStsRules } from './mta-sts/rules.ts'
import { senderRules } from './senders/rules.ts'
import { smtpRules } from './smtp/rules.ts'
import { tlsRules } from './tls/rules.ts'
import { tlsRptRules } from './tlsrpt/rules.ts'

const overSmtp = [...smtpRules, ...tlsRules, ...daneRules]
const all = [...overSmtp, ...mtaStsRules, ...tlsRptRules, ...senderRules]
const findings = (rules: typeof all, facts: Facts) =>
  runRules(rules, facts, contextOf()).flatMap((outcome) => (outcome.kind === 'finding' ? [outcome.id] : []))

/** Every reply of the session as another one. */
function answering(change: (reply: Said) => Said): Facts {
  const changed = (session: ProbedSession): ProbedSession => ({
    ...session,
    greeting: change(session.greeting),
    ehlo: change(session.ehlo),
    mailInClear: change(session.mailInClear),
    startTls: change(session.startTls),
    ehloInTls: change(session.ehloInTls),
    mailFromNull: change(session.mailFromNull),
    recipients: session.recipients.map((one) => ({ ...one, said: change(one.said) })),
    quit: change(session.quit),
  })
  return changeSession(factsOf(), 'all', changed)
}

const everyAddress = (facts: Facts, smtp: ReturnType<typeof notExamined>) =>
  [0, 1, 2, 3].reduce((changed, at) => changeAddress(changed, at, { smtp, ownNames: smtp }), facts)

test('without SMTP no rule finds anything, and each that needs it says so', () => {
  const facts = everyAddress(factsOf(), notExamined('not-wanted', 'SMTP was left out.'))
  assert.deepEqual(findings(all, facts), [])
  const silent = smtpRules.filter((rule) => runRules([rule], facts, contextOf()).length === 0).map(({ id }) => id)
  // With no recipient named there is nothing that could be compared.
  assert.deepEqual(silent, ['exchangers-disagree'])
})

test('a server that says 421 from its greeting on, and one that drops the connection, are nobody with a fault', () => {
  const unsaid = { ehlo: notSaid, mailInClear: notSaid, startTls: notSaid, handshake: notSaid, ehloInTls: notSaid }
  const rest = { ...unsaid, mailFromNull: notSaid, recipients: [], extras: [], quit: notSaid }
  const busy = changeSession(factsOf(), 'all', { greeting: said(421, '4.7.0 too many connections'), ...rest })
  const fault = {
    kind: 'closed',
    step: 'greeting',
    reply: undefined,
    detail: 'the server closed the connection',
  } as const
  const dropped = changeSession(factsOf(), 'all', { greeting: { kind: 'failed', fault, tookMs: 3 }, ...rest })
  assert.deepEqual(findings(all, busy), [])
  assert.deepEqual(findings(all, dropped), [])
})

test('greylisting everywhere is no finding', () => {
  const facts = changeSession(factsOf(), 'all', (session) => ({
    ...session,
    recipients: session.recipients.map((one) => ({ ...one, said: said(450, '4.2.0 greylisted') })),
  }))
  assert.deepEqual(findings(all, facts), [])
})

test('nothing known of DNS beside the exchangers is no finding', () => {
  const why = notExamined('budget-spent', 'The queries were spent.')
  const facts: Facts = {
    ...factsOf(),
    spf: { txt: why, lookups: [], cost: undefined },
    dkim: { parent: why, selectors: why },
    dmarc: { walk: [], discovery: why, reportConsents: [] },
    bimi: why,
    mtaSts: { txt: why, a: why, aaaa: why, https: why },
    tlsRpt: { txt: why, destinations: [] },
    exchangers: factsOf().exchangers.map((exchanger) => ({ ...exchanger, tlsa: why, caa: why })),
  }
  assert.deepEqual(findings(all, facts), [])
  const telling = new Set(runRules(all, facts, contextOf()).map(({ id }) => id))
  const senders = senderRules.map(({ id }) => id).filter((id) => !telling.has(id))
  // Nobody has named selectors or destinations, and the servers have been asked for SPF themselves.
  assert.deepEqual(senders, ['spf-differs', 'dkim-selector-faulty', 'dmarc-report-unauthorised'])
})

test('escapes, controls and endless lines in replies are shown and never performed', () => {
  const hostile = `\u001b[2J\u001b]0;owned\u0007 \u202egnp.exe\r\n<script>\u0000 ${'A'.repeat(5_000)}`
  for (const code of [220, 250, 421, 450, 502, 530, 550, 554]) {
    const facts = answering((reply) =>
      reply.kind === 'reply' ? { ...reply, reply: { ...reply.reply, code, text: [hostile, hostile] } } : reply,
    )
    for (const outcome of runRules(all, facts, contextOf())) assertSafe(outcome)
  }
})
