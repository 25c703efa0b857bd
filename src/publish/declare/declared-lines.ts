/** What waypost.yaml declares of a domain as lines of text, a set each: shown beside what DNS has, and compared with what it came to have. Pure. */
import { isIpv6 } from '../../base/ip.ts'
import { textKinds } from '../sets/text-kind.ts'
import { type Declaration, declaredExchangers } from './declaration.ts'

export interface DeclaredSet {
  /** Without a final dot. */
  readonly name: string
  readonly type: 'MX' | 'A' | 'AAAA' | 'TXT'
  /** Empty of addresses: the host is declared to have none of this type. */
  readonly data: readonly string[]
}

export function declaredLines(declaration: Pick<Declaration, 'domain' | 'exchangers' | 'texts'>): DeclaredSet[] {
  const { domain, exchangers, texts } = declaration
  const hosts = declaredExchangers(declaration)
  const mx = hosts.map(({ preference, host }) => `${preference} ${host === '.' ? '.' : `${host}.`}`)
  return [
    // RFC 7505 §3
    ...(exchangers === undefined
      ? []
      : [{ name: domain, type: 'MX', data: exchangers === 'none' ? ['0 .'] : mx } as const]),
    ...hosts.flatMap(({ host, addresses }) =>
      (addresses === undefined ? [] : (['A', 'AAAA'] as const)).map((type) => ({
        ...{ name: host, type },
        data: addresses?.filter((address) => isIpv6(address) === (type === 'AAAA')) ?? [],
      })),
    ),
    ...texts.map(({ kind, text }) => {
      const { prefix } = textKinds[kind]
      return { name: prefix === '' ? domain : `${prefix}.${domain}`, type: 'TXT', data: [text] } as const
    }),
  ]
}
