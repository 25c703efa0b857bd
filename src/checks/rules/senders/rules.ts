/** SPF, DKIM, DMARC, BIMI: presence and hard faults: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { dkimNameMissing, dkimSelectorFaulty } from './dkim.ts'
import {
  bimiWithoutEnforcement,
  dmarcAmbiguous,
  dmarcMalformed,
  dmarcMissing,
  dmarcNotEnforced,
  dmarcReportUnauthorised,
} from './dmarc.ts'
import { spfAmbiguous, spfMalformed, spfMissing, spfOpen, spfTooManyLookups, spfVoidLookups } from './spf.ts'
import { spfDiffers } from './spf-differs.ts'

export const senderRules: readonly Rule[] = [
  spfMissing,
  spfAmbiguous,
  spfMalformed,
  spfTooManyLookups,
  spfVoidLookups,
  spfOpen,
  spfDiffers,
  dkimNameMissing,
  dkimSelectorFaulty,
  dmarcMissing,
  dmarcAmbiguous,
  dmarcMalformed,
  dmarcNotEnforced,
  dmarcReportUnauthorised,
  bimiWithoutEnforcement,
]
