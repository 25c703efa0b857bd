/** Every rule, group by group. What is not chosen otherwise is asked in this order. */
import type { Rule } from '../rule.ts'
import { addressRules } from './addresses/rules.ts'
import { daneRules } from './dane/rules.ts'
import { dnssecRules } from './dnssec/rules.ts'
import { mtaStsRules } from './mta-sts/rules.ts'
import { nameServerRules } from './name-servers/rules.ts'
import { recordRules } from './records/rules.ts'
import { redundancyRules } from './redundancy/rules.ts'
import { senderRules } from './senders/rules.ts'
import { smtpRules } from './smtp/rules.ts'
import { tlsRules } from './tls/rules.ts'
import { tlsRptRules } from './tlsrpt/rules.ts'

/** Every rule there is, in the order in which the docs have them. */
export const allRules: readonly Rule[] = [
  ...recordRules,
  ...nameServerRules,
  ...dnssecRules,
  ...redundancyRules,
  ...addressRules,
  ...smtpRules,
  ...tlsRules,
  ...daneRules,
  ...mtaStsRules,
  ...tlsRptRules,
  ...senderRules,
]
