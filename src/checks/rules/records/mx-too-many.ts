/** More exchangers or addresses than senders try, or an answer that does not fit into one packet. Page: docs/checks/mx-too-many.md */
import { domainSubject, everyAddress, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { counted, listed } from '../../wording.ts'

const mostExchangers = 10
const mostAddresses = 20
/** What resolvers ask for over UDP since 2020, so that no fragments are needed (RFC 9715). */
const mostBytes = 1232

export const mxTooMany: Rule = {
  id: 'mx-too-many',
  title: 'too many exchangers',
  rfc: ['RFC 5321 §5.1', 'RFC 9715'],
  needs: [],

  examine(facts) {
    const { mx, exchangers } = facts
    const subject = domainSubject(facts)
    if (mx.kind !== 'answer') return undecidedBy(subject, 'MX', mx)
    const addresses = everyAddress(facts).length
    const isLarge = mx.bytes > mostBytes
    const excess = [
      ...(exchangers.length > mostExchangers ? [`has ${exchangers.length} exchangers`] : []),
      ...(addresses > mostAddresses ? [`has ${addresses} addresses of exchangers`] : []),
      ...(isLarge ? [`has an MX answer of ${counted(mx.bytes, 'octet')}`] : []),
    ]
    if (excess.length === 0) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `${facts.domain} ${listed(excess)}.`,
        why: `Senders try a few addresses and give up until later: two is all that the standard asks of them, five is usual. What stands behind is never used${isLarge ? `, and an answer over ${mostBytes} octets needs TCP` : ''}.`,
        remedy: {
          text: 'Keep two to four exchangers, and put pools of servers behind one name with several addresses, or behind one address.',
        },
        data: { exchangers: exchangers.length, records: recordsOf(mx).length, addresses, bytes: mx.bytes },
      },
    ]
  },
}
