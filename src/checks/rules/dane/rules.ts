/** DANE: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import {
  daneBaseAlias,
  daneInsecure,
  daneLookupFails,
  daneMissing,
  daneMxInsecure,
  daneSomeExchangers,
} from './presence.ts'
import { daneNoSpare, daneUnusable, daneWholeCertificate } from './records.ts'
import { daneDigestOrder, daneMismatch, daneNoStarttls, daneTaInvalid, daneTaNotSent } from './served.ts'

export const daneRules: readonly Rule[] = [
  daneMissing,
  daneInsecure,
  daneLookupFails,
  daneNoStarttls,
  daneMismatch,
  daneUnusable,
  daneTaNotSent,
  daneTaInvalid,
  daneDigestOrder,
  daneSomeExchangers,
  daneMxInsecure,
  daneBaseAlias,
  daneNoSpare,
  daneWholeCertificate,
]
