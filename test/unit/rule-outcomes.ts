/**
 * What several rules together say of facts, each with its id: `error mx-missing`, `not checked mx-missing: lookup-failed`, the worst first. For
 * tests of rules that leave things to each other. Each text is looked at on the way.
 */
import type { Facts } from '../../src/checks/facts.ts'
import type { Finding } from '../../src/checks/finding.ts'
import type { Context, Rule } from '../../src/checks/rule.ts'
import { runRules } from '../../src/checks/run-rules.ts'
import { contextOf } from './facts/facts.ts'
import { assertSafe } from './outcomes.ts'

export function outcomesOf(
  rules: Rule | readonly Rule[],
  facts: Facts,
  context: Partial<Context> = {},
): readonly string[] {
  return runRules([rules].flat(), facts, contextOf(context)).map((outcome) => {
    assertSafe(outcome)
    if (outcome.kind === 'not-checked') return `not checked ${outcome.id}: ${outcome.reason}`
    return `${outcome.severity} ${outcome.id}`
  })
}

/** The one finding that there is, and nothing beside it. */
export function only(rules: Rule | readonly Rule[], facts: Facts, context: Partial<Context> = {}): Finding {
  const outcomes = runRules([rules].flat(), facts, contextOf(context))
  const [first, ...more] = outcomes
  if (first?.kind !== 'finding' || more.length > 0)
    throw new Error(`not one finding: ${JSON.stringify(outcomes, undefined, 1)}`)
  assertSafe(first)
  return first
}
