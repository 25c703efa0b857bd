/**
 * One domain, looked at and judged: `collect` does the I/O, the rules say what it means. Called by `waypost check` and by users of the library.
 */
import { rootCertificates } from 'node:tls'
import type { HostName } from '../dns/name.ts'
import { catalogue } from '../records/catalogue/catalogue.ts'
import { createRoots } from './certificate.ts'
import { type Collector, type CollectorDeps, createCollector, type Manner } from './collect/collector.ts'
import type { Facts } from './facts.ts'
import type { Outcome } from './finding.ts'
import type { CheckOptions } from './options.ts'
import type { Context, Part, Rule } from './rule.ts'
import { allRules } from './rules/all.ts'
import { runRulesInTurns } from './run-rules.ts'

/** One domain: what was seen, and what the rules make of it. */
export interface Checked {
  readonly facts: Facts
  /** Findings, worst first, then what was not checked. */
  readonly outcomes: readonly Outcome[]
}

/** Checks many domains over one resolver and one memory of hosts, so that what they share is asked once. */
export interface Checker {
  /** @param context  what is known of this domain; the roots are those of the checker */
  check(domain: HostName, context?: Omit<Context, 'roots'>, manner?: Manner): Promise<Checked>
  close(): void
}

/** What a checker may do, `defaultCheckOptions` where nothing is said. */
export interface CheckerOptions extends Partial<CheckOptions> {
  /** Default: all of them. What none of them needs is not collected. */
  readonly rules?: readonly Rule[]
  /** PEM of the authorities that senders trust. Default: those of Node, which are Mozilla's. */
  readonly roots?: readonly string[]
}

/** For many domains in one run: what they share is asked once, and hosts are met politely. */
export function createChecker(options: CheckerOptions, deps: CollectorDeps): Checker {
  const { rules = allRules, roots: pems = rootCertificates, ...rest } = options
  // A provider's hosts serve many who did not ask for a probe, whatever the owner of one domain consents to.
  const isShared = (host: HostName) => catalogue().index.match(host).length > 0
  const collector: Collector = createCollector(rest, { isShared, ...deps })
  const parts = partsFor(rules)
  const roots = createRoots(pems)
  return {
    async check(domain, context = {}, manner = {}) {
      const facts = await collector.collect(domain, parts, manner)
      return { facts, outcomes: await runRulesInTurns(rules, facts, { ...context, roots }) }
    },
    close: () => collector.close(),
  }
}

/** For one domain alone. */
export async function checkDomain(
  domain: HostName,
  options: CheckerOptions & { readonly context?: Omit<Context, 'roots'> },
  deps: CollectorDeps,
): Promise<Checked> {
  const { context, ...rest } = options
  const checker = createChecker(rest, deps)
  try {
    return await checker.check(domain, context)
  } finally {
    checker.close()
  }
}

/** What these rules need to be collected. */
export const partsFor = (rules: readonly Rule[]): ReadonlySet<Part> => new Set(rules.flatMap(({ needs }) => needs))
