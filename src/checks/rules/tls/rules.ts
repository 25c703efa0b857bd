/** TLS and certificates on port 25: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { caaForbidsIssuer } from './caa-forbids-issuer.ts'
import {
  tlsCertificateEndsSoon,
  tlsCertificateExpired,
  tlsCertificateName,
  tlsCertificateUntrusted,
  tlsChainIncomplete,
} from './certificate.ts'
import { tlsCertificatesDiffer } from './certificates-differ.ts'
import { tlsCipherWeak, tlsHandshakeFails, tlsOldOffered, tlsSniRequired } from './handshake.ts'
import { tlsKeyWeak } from './tls-key-weak.ts'

export const tlsRules: readonly Rule[] = [
  tlsHandshakeFails,
  tlsOldOffered,
  tlsCipherWeak,
  tlsCertificateExpired,
  tlsCertificateEndsSoon,
  tlsCertificateUntrusted,
  tlsChainIncomplete,
  tlsCertificateName,
  tlsSniRequired,
  tlsKeyWeak,
  tlsCertificatesDiffer,
  caaForbidsIssuer,
]
