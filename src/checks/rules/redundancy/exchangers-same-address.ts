/** Two exchangers are one address: it looks redundant, and is not. Page: docs/checks/exchangers-same-address.md */
import type { IpAddress } from '../../../base/ip.ts'
import type { ExchangerFacts } from '../../facts.ts'
import { domainSubject, everyAddress, exchangerSubject, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed } from '../../wording.ts'

export const exchangersSameAddress: Rule = {
  id: 'exchangers-same-address',
  title: 'two exchangers with one address',
  rfc: [],
  needs: [],

  examine(facts) {
    const byAddress = new Map<IpAddress, ExchangerFacts[]>()
    for (const { exchanger, at } of everyAddress(facts))
      byAddress.set(at.address, [...(byAddress.get(at.address) ?? []), exchanger])
    const shared = [...byAddress].filter(([, hosts]) => hosts.length > 1)
    if (shared.length === 0) {
      if (facts.exchangers.length < 2) return []
      return facts.exchangers.flatMap((one) =>
        one.host && one.addresses.length === 0
          ? undecidedBy(exchangerSubject(one), 'the address', one.a, one.aaaa)
          : [],
      )
    }
    return shared.map(([address, hosts]) => {
      const names = hosts.map(({ name }) => plainName(name))
      return {
        kind: 'fault',
        severity: 'warning',
        subject: domainSubject(facts),
        seen: `The exchangers ${listed(names)} have the same address ${address}.`,
        why: 'When that machine fails both fail. Senders try it once for each name before they go to another, which only costs time.',
        remedy: {
          text: `Give ${names.at(-1) ?? ''} a machine of its own, best in another network; or keep one MX record for ${address}.`,
        },
        data: { address, exchangers: names },
      }
    })
  },
}
