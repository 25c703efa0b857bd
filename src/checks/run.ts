/** Facts → outcomes: asks each rule. Called by `check-domain.ts`, and by who has facts already. */
import type { Facts } from './facts.ts'
import { type Outcome, severities } from './finding.ts'
import { withGatewaySettings } from './gateway-settings.ts'
import type { Context, Rule } from './rule.ts'

/** @returns findings, worst first, in the order of the rules where equal; then what was not checked */
export function runRules(rules: readonly Rule[], facts: Facts, context: Context): readonly Outcome[] {
  const outcomes = rules.flatMap((rule) => outcomesOf(rule, facts, context))
  return outcomes.sort((one, other) => rank(other) - rank(one))
}

function outcomesOf(rule: Rule, facts: Facts, context: Context): Outcome[] {
  const { id, title } = rule
  return rule.examine(facts, context).map((verdict): Outcome => {
    if (verdict.kind === 'undecided') return { ...verdict, kind: 'not-checked', id, title }
    return { rfc: rule.rfc, data: {}, ...withGatewaySettings(id, verdict, context.gateway), kind: 'finding', id, title }
  })
}

const rank = (outcome: Outcome) => (outcome.kind === 'finding' ? severities.indexOf(outcome.severity) : -1)
