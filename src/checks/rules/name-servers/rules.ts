/** Name servers of the domain and of its exchangers: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { dnsAnswerMalformed } from './dns-answer-malformed.ts'
import { createExchangerZoneFaulty } from './exchanger-zone-faulty.ts'
import { nsDelegationDiffers } from './ns-delegation-differs.ts'
import { nsDeniesEmptyNonterminal } from './ns-denies-empty-nonterminal.ts'
import { nsEdnsBreaks } from './ns-edns-breaks.ts'
import { nsMxDataDiffers, nsMxPresenceDiffers } from './ns-mx-differs.ts'
import { nsMxSilent } from './ns-mx-silent.ts'
import { nsNameIsAlias } from './ns-name-is-alias.ts'
import { nsNotAuthoritative } from './ns-not-authoritative.ts'
import { nsOpenRecursor } from './ns-open-recursor.ts'
import { nsSerialDiffers } from './ns-serial-differs.ts'
import { nsSilent } from './ns-silent.ts'
import { nsTcpFails } from './ns-tcp-fails.ts'
import { nsTypeBreaks } from './ns-type-breaks.ts'
import type { ZoneRule } from './zone-rule.ts'

const zoneRules: readonly ZoneRule[] = [
  nsSilent,
  nsMxSilent,
  nsNotAuthoritative,
  dnsAnswerMalformed,
  nsMxPresenceDiffers,
  nsMxDataDiffers,
  nsSerialDiffers,
  nsTcpFails,
  nsEdnsBreaks,
  nsTypeBreaks,
  nsDeniesEmptyNonterminal,
  nsDelegationDiffers,
  nsNameIsAlias,
  nsOpenRecursor,
]

/** What is compared of the mail domain itself has no meaning in the zone of an exchanger. */
const ofDomainAlone: readonly ZoneRule[] = [nsMxSilent, nsMxPresenceDiffers, nsMxDataDiffers]

export const nameServerRules: readonly Rule[] = [
  ...zoneRules,
  createExchangerZoneFaulty(zoneRules.filter((rule) => !ofDomainAlone.includes(rule))),
]
