import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextOf, factsOf } from '../../test/unit/facts/facts.ts'
import { partsFor } from './check-domain.ts'
import type { Verdict } from './finding.ts'
import { domainSubject } from './read-facts.ts'
import type { Rule } from './rule.ts'
import { runRules, runRulesInTurns } from './run-rules.ts'

const subject = domainSubject(factsOf())
const rule = (id: Rule['id'], verdicts: readonly Verdict[], needs: Rule['needs'] = []): Rule => ({
  id,
  title: `title of ${id}`,
  rfc: ['RFC 5321 §5.1'],
  needs,
  examine: () => verdicts,
})
const fault = (severity: 'notice' | 'warning' | 'error', more: { rfc?: readonly string[] } = {}): Verdict => ({
  kind: 'fault',
  severity,
  subject,
  seen: 'seen',
  why: 'why',
  remedy: { text: 'do this' },
  ...more,
})

test('outcomes have the rule’s id, title and RFCs; the worst comes first and what was not checked last', () => {
  const rules = [
    rule('mx-missing', [fault('notice'), { kind: 'undecided', subject, reason: 'no-answer', why: 'silence' }]),
    rule('ns-silent', [fault('error', { rfc: ['RFC 8906 §3.1.1'] }), fault('warning')]),
  ]
  const outcomes = runRules(rules, factsOf(), contextOf())
  assert.deepEqual(
    outcomes.map((outcome) => [
      outcome.kind,
      outcome.id,
      outcome.kind === 'finding' ? outcome.severity : outcome.reason,
    ]),
    [
      ['finding', 'ns-silent', 'error'],
      ['finding', 'ns-silent', 'warning'],
      ['finding', 'mx-missing', 'notice'],
      ['not-checked', 'mx-missing', 'no-answer'],
    ],
  )
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === 'finding' && outcome.rfc.join()),
    ['RFC 8906 §3.1.1', 'RFC 5321 §5.1', 'RFC 5321 §5.1', false],
  )
  assert.ok(outcomes.every(({ title, id }) => title === `title of ${id}`))
})

test('a rule that has much to say is heard of the worst, and the rest is counted', () => {
  const many: Verdict[] = [
    ...Array.from({ length: 3_000 }, () => fault('notice')),
    ...Array.from({ length: 3 }, () => fault('error')),
    ...Array.from(
      { length: 500 },
      (): Verdict => ({ kind: 'undecided', subject, reason: 'no-answer', why: 'silence' }),
    ),
  ]
  const outcomes = runRules([rule('ns-silent', many), rule('mx-missing', [fault('warning')])], factsOf(), contextOf())
  const count = (wanted: string) =>
    outcomes.filter((one) => wanted === (one.kind === 'finding' ? one.severity : one.kind)).length
  assert.deepEqual([count('error'), count('warning'), count('notice'), count('not-checked')], [3, 1, 48, 51])
  const rest = outcomes.findLast(({ kind }) => kind === 'finding')
  assert.ok(rest?.kind === 'finding')
  assert.deepEqual([rest.id, rest.data, rest.subject], ['ns-silent', { more: 2_953 }, subject])
  assert.match(rest.seen, /^The same of 2953 more, of which the first is: seen$/)
  assert.match(outcomes.at(-1)?.why ?? '', /^450 more could not be decided either/)
})

test('between rules others have their turn', async () => {
  const turns: string[] = []
  const talkative = (id: Rule['id']): Rule => ({
    ...rule(id, [fault('notice')]),
    examine() {
      setImmediate(() => turns.push('other'))
      turns.push(id)
      return [fault('notice')]
    },
  })
  const rules = [talkative('mx-missing'), talkative('ns-silent')]
  const outcomes = await runRulesInTurns(rules, factsOf(), contextOf())
  assert.deepEqual(turns, ['mx-missing', 'other', 'ns-silent', 'other'])
  assert.deepEqual(outcomes, runRules(rules, factsOf(), contextOf()))
})

test('what no rule needs is not collected', () => {
  assert.deepEqual(
    [...partsFor([rule('ns-silent', [], ['name-servers']), rule('mx-missing', [], ['smtp', 'name-servers'])])],
    ['name-servers', 'smtp'],
  )
})
