/**
 * What a rule says about facts, short enough to compare: `warning mx1.example.com`, `error 192.0.2.1`, `not-checked told-to-wait domain`. Each
 * text is looked at on the way: findings say what to do, and nothing in them is a control character.
 */
import assert from 'node:assert/strict'
import type { Facts } from '../../src/checks/facts.ts'
import type { Finding, Outcome, Subject } from '../../src/checks/finding.ts'
import type { Context, Rule } from '../../src/checks/rule.ts'
import { runRules } from '../../src/checks/run-rules.ts'
import { contextOf } from './facts/facts.ts'

export function told(rule: Rule, facts: Facts, context: Partial<Context> = {}): readonly string[] {
  return runRules([rule], facts, contextOf(context)).map((outcome) => {
    assertSafe(outcome)
    if (outcome.kind === 'not-checked') return `not-checked ${outcome.reason} ${subjectText(outcome.subject)}`
    return `${outcome.severity} ${subjectText(outcome.subject)}`
  })
}

/** The only finding of the rule. */
export function findingOf(rule: Rule, facts: Facts, context: Partial<Context> = {}): Finding {
  const [finding, ...more] = runRules([rule], facts, contextOf(context))
  assert.deepEqual(more, [])
  assert.ok(finding?.kind === 'finding', `${rule.id} finds nothing`)
  assertSafe(finding)
  return finding
}

export function subjectText(subject: Subject): string {
  switch (subject.kind) {
    case 'domain':
      return 'domain'
    case 'exchanger':
    case 'zone':
      return subject.name
    case 'record':
      return `${subject.name} ${subject.type}`
    case 'address':
      return subject.address
    case 'name-server':
      return subject.address ?? subject.name
  }
}

/** Texts are one line of printable characters, and a finding has a remedy. */
export function assertSafe(outcome: Outcome): void {
  const texts =
    outcome.kind === 'not-checked'
      ? [outcome.why]
      : [
          outcome.seen,
          outcome.why,
          outcome.remedy.text,
          ...(outcome.remedy.records ?? []),
          ...(outcome.remedy.settings ?? []),
        ]
  for (const text of [...texts, subjectText(outcome.subject)]) {
    assert.ok(text.length > 0 && text.length < 20_000, outcome.id)
    assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]|undefined|\[object/, outcome.id)
  }
  if (outcome.kind === 'finding') assert.doesNotThrow(() => JSON.stringify(outcome.data))
}
