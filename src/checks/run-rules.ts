/** Facts → outcomes: asks each rule. Called by `check-domain.ts`, and by who has facts already. */
import { nextTurn } from '../base/turn-end.ts'
import type { Facts } from './facts.ts'
import { type Finding, type NotChecked, type Outcome, type Subject, severities } from './finding.ts'
import { type OwnExchangers, ownExchangers, withGatewaySettings } from './gateway-settings.ts'
import type { Context, Rule } from './rule.ts'

/**
 * What one rule says is told of so many subjects, one by one; the others are counted. A domain may name 3,000 exchangers, each with the same
 * fault, and nobody reads that twice.
 */
const mostOfARule = 50

/** @returns findings, worst first, in the order of the rules where equal; then what was not checked */
export function runRules(rules: readonly Rule[], facts: Facts, context: Context): readonly Outcome[] {
  const isOwn = ownExchangers(facts, context.gateway)
  const outcomes = rules.flatMap((rule) => outcomesOf(rule, facts, context, isOwn))
  return outcomes.sort(worstFirst)
}

/** The same, with a turn of the event loop between rules: a domain with thousands of exchangers takes a second, and mail does not wait for it. */
export async function runRulesInTurns(
  rules: readonly Rule[],
  facts: Facts,
  context: Context,
): Promise<readonly Outcome[]> {
  const isOwn = ownExchangers(facts, context.gateway)
  const outcomes: Outcome[] = []
  for (const rule of rules) {
    outcomes.push(...outcomesOf(rule, facts, context, isOwn))
    await nextTurn()
  }
  return outcomes.sort(worstFirst)
}

function outcomesOf(rule: Rule, facts: Facts, context: Context, isOwn: OwnExchangers): readonly Outcome[] {
  const { id, title } = rule
  const [findings, notChecked]: [Finding[], NotChecked[]] = [[], []]
  for (const verdict of rule.examine(facts, context)) {
    if (verdict.kind === 'undecided') notChecked.push({ ...verdict, kind: 'not-checked', id, title })
    else {
      const fault = withGatewaySettings(id, verdict, isOwn)
      findings.push({ rfc: rule.rfc, data: {}, ...fault, kind: 'finding', id, title })
    }
  }
  const subject = { kind: 'domain', name: facts.domain } as const
  return [
    ...shortened(findings.sort(worstFirst), (first, more) => restOfFindings(first, more, subject)),
    ...shortened(notChecked, (first, more) => {
      return {
        ...first,
        subject,
        why: `${more} more could not be decided either, the first of them because: ${first.why}`,
      }
    }),
  ]
}

/** @param restOf  what stands for all that are left out, of which it gets the first, and how many they are */
function shortened<T>(outcomes: readonly T[], restOf: (first: T, more: number) => T): readonly T[] {
  const first = outcomes[mostOfARule]
  return first === undefined
    ? outcomes
    : [...outcomes.slice(0, mostOfARule), restOf(first, outcomes.length - mostOfARule)]
}

function restOfFindings({ remedy, ...first }: Finding, more: number, subject: Subject): Finding {
  const seen = `The same of ${more} more, of which the first is: ${first.seen}`
  return { ...first, subject, seen, remedy: { text: remedy.text }, data: { more } }
}

const worstFirst = (one: Outcome, other: Outcome) => rank(other) - rank(one)

const rank = (outcome: Outcome) => (outcome.kind === 'finding' ? severities.indexOf(outcome.severity) : -1)
