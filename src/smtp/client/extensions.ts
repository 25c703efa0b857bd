/** What a server offers: the reply to EHLO or LHLO as a value (RFC 5321 §4.1.1.1). Read by `smtp/client` alone. */
import type { Reply } from '../../mail/reply.ts'

export interface Extensions {
  /** RFC 2920. */
  readonly pipelining: boolean
  /** RFC 1870. `limit` in octets; 0 where the server names none. */
  readonly size: { readonly limit: number } | undefined
  /** RFC 6152. */
  readonly eightBit: boolean
  /** RFC 3207. */
  readonly startTls: boolean
  /** RFC 3461. */
  readonly dsn: boolean
}

/** After HELO. */
export const noExtensions: Extensions = {
  pipelining: false,
  size: undefined,
  eightBit: false,
  startTls: false,
  dsn: false,
}

export function parseExtensions(hello: Reply): Extensions {
  const found = {
    pipelining: false,
    size: undefined as Extensions['size'],
    eightBit: false,
    startTls: false,
    dsn: false,
  }
  // The first line is the server's name and greeting.
  for (const line of hello.text.slice(1)) {
    const [keyword = '', parameter = ''] = line.split(' ', 2)
    switch (keyword.toUpperCase()) {
      case 'PIPELINING':
        found.pipelining = true
        break
      case 'SIZE':
        found.size = { limit: /^\d{1,15}$/.test(parameter) ? Number(parameter) : 0 }
        break
      case '8BITMIME':
        found.eightBit = true
        break
      case 'STARTTLS':
        found.startTls = true
        break
      case 'DSN':
        found.dsn = true
        break
    }
  }
  return found
}
