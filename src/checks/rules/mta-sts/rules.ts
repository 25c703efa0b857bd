/** MTA-STS (RFC 8461): the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { stsExchangerUncovered, stsExchangerUnverified } from './exchangers.ts'
import {
  stsIdStale,
  stsMaxAge,
  stsModeWeak,
  stsPatternInvalid,
  stsPatternUnused,
  stsPolicyMalformed,
} from './policy.ts'
import { stsPolicyCertificate, stsPolicyMediaType, stsPolicyRedirects, stsPolicyUnreachable } from './policy-host.ts'
import { stsMissing, stsRecordAmbiguous, stsRecordMalformed } from './record.ts'

export const mtaStsRules: readonly Rule[] = [
  stsMissing,
  stsRecordAmbiguous,
  stsRecordMalformed,
  stsPolicyUnreachable,
  stsPolicyRedirects,
  stsPolicyCertificate,
  stsPolicyMediaType,
  stsPolicyMalformed,
  stsPatternInvalid,
  stsExchangerUncovered,
  stsExchangerUnverified,
  stsPatternUnused,
  stsMaxAge,
  stsModeWeak,
  stsIdStale,
]
