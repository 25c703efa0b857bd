/** DNSSEC: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { dnssecBogus } from './dnssec-bogus.ts'
import { dnssecIsland, dnssecMissing, dnssecMissingExchanger } from './dnssec-chain.ts'
import { dnssecDenialBroken } from './dnssec-denial-broken.ts'
import { dnssecNsecOmitsMx } from './dnssec-nsec-omits-mx.ts'
import { dnssecAlgorithmWeak, dnssecNsec3Iterations } from './dnssec-parameters.ts'
import { dnssecServerUnsigned, dnssecSignatureEndsSoon } from './dnssec-signatures.ts'

export const dnssecRules: readonly Rule[] = [
  dnssecBogus,
  dnssecDenialBroken,
  dnssecNsecOmitsMx,
  dnssecServerUnsigned,
  dnssecSignatureEndsSoon,
  dnssecAlgorithmWeak,
  dnssecNsec3Iterations,
  dnssecIsland,
  dnssecMissing,
  dnssecMissingExchanger,
]
