/** TLSRPT (RFC 8460): the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { tlsRptDestinationDead, tlsRptMissing, tlsRptRecordInvalid } from './record.ts'

export const tlsRptRules: readonly Rule[] = [tlsRptMissing, tlsRptRecordInvalid, tlsRptDestinationDead]
