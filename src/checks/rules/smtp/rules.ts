/** SMTP at each address of each exchanger: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { smtpGreetingRefuses, smtpGreetingSlow } from './greeting.ts'
import { smtpEhloRefused, smtpExtensionsDiffer, smtpExtensionsMissing, smtpSizeSmall } from './hello.ts'
import { smtpNameInvalid } from './name-invalid.ts'
import { openRelay } from './open-relay.ts'
import {
  exchangersDisagree,
  smtpAbuseRefused,
  smtpBouncesRefused,
  smtpDomainRefused,
  smtpPostmasterRefused,
} from './own-recipients.ts'
import { smtpRepliesSlow, smtpReplyMalformed } from './replies.ts'
import { smtpInjectsBeforeTls, smtpNoStarttls, smtpStarttlsRefused, smtpTlsRequired } from './starttls.ts'
import { smtpTemporarilyRefused } from './temporarily-refused.ts'
import { acceptsUnknownRecipient, backupAcceptsUnknown } from './unknown-recipient.ts'

export const smtpRules: readonly Rule[] = [
  smtpGreetingRefuses,
  smtpGreetingSlow,
  smtpTemporarilyRefused,
  smtpReplyMalformed,
  smtpNameInvalid,
  smtpEhloRefused,
  smtpNoStarttls,
  smtpStarttlsRefused,
  smtpTlsRequired,
  smtpInjectsBeforeTls,
  smtpSizeSmall,
  smtpExtensionsMissing,
  smtpExtensionsDiffer,
  smtpBouncesRefused,
  smtpDomainRefused,
  smtpPostmasterRefused,
  smtpAbuseRefused,
  openRelay,
  acceptsUnknownRecipient,
  backupAcceptsUnknown,
  exchangersDisagree,
  smtpRepliesSlow,
]
