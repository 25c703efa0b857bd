/** Addresses and reverse DNS: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { aaaaQueryFails } from './aaaa-query-fails.ts'
import { addressBlocklisted } from './address-blocklisted.ts'
import { addressDiffers } from './address-differs.ts'
import { addressNotPublic } from './address-not-public.ts'
import { ptrMissing, ptrNotConfirmed } from './reverse-dns.ts'
import { routeUnsigned } from './route-unsigned.ts'

export const addressRules: readonly Rule[] = [
  addressNotPublic,
  addressDiffers,
  aaaaQueryFails,
  ptrMissing,
  ptrNotConfirmed,
  addressBlocklisted,
  routeUnsigned,
]
