/** Redundancy: what remains when something fails: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { addressesBehaveDifferently } from './addresses-behave-differently.ts'
import { exchangersNoIpv4, exchangersNoIpv6 } from './exchangers-families.ts'
import { exchangersSameAddress } from './exchangers-same-address.ts'
import { exchangersSameNetwork } from './exchangers-same-network.ts'
import { exchangerUnreachable, firstChoiceNeverAnswers } from './exchangers-unreachable.ts'
import { nsTooFew } from './ns-too-few.ts'
import { singleExchanger } from './single-exchanger.ts'
import { singlePointOfFailure } from './single-point-of-failure.ts'

export const redundancyRules: readonly Rule[] = [
  exchangerUnreachable,
  firstChoiceNeverAnswers,
  exchangersNoIpv4,
  exchangersNoIpv6,
  singleExchanger,
  exchangersSameAddress,
  exchangersSameNetwork,
  nsTooFew,
  singlePointOfFailure,
  addressesBehaveDifferently,
]
