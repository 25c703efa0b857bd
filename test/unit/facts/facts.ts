/**
 * Facts for the tests of rules: those of a domain in which everything is right (`faultless.ts`), and ways to make others of them.
 *
 *   const facts = factsOf()                                       no rule says anything about it
 *   factsOf({ mx: noSuchName('example.com') })                    another view (`views.ts`)
 *   factsOf((facts) => changeSession(facts, 0, { startTls: … }))  another session at the first address of the first exchanger (`change.ts`)
 */
import { createRoots } from '../../../src/checks/certificate.ts'
import type { Facts } from '../../../src/checks/facts.ts'
import type { Context } from '../../../src/checks/rule.ts'
import { root } from './certificates.ts'
import { faultless } from './faultless.ts'

/** @param change  properties that are other, or a function that makes other facts of the faultless ones */
export function factsOf(change: Partial<Facts> | ((facts: Facts) => Facts) = {}): Facts {
  const facts = faultless()
  return typeof change === 'function' ? change(facts) : { ...facts, ...change }
}

/** What rules are handed beside facts: the roots of the fixture's certificates, and what a test adds. */
export const contextOf = (more: Partial<Context> = {}): Context => ({ roots: createRoots([root.pem]), ...more })
