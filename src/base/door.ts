/**
 * The one door out: every outgoing TCP or Unix connection of Waypost is opened here, and says what for.
 * What comes from DNS or from mail may not lead into private networks (RFC 6890), so those purposes are judged by
 * address, and the address that was judged is the one that is connected to: nothing is resolved twice.
 */
import { connect as netConnect, type Socket } from 'node:net'
import type { Inlet } from './inlet.ts'
import { type IpAddress, whyNotPublic } from './ip.ts'

export type Purpose =
  | 'backend'
  | 'included'
  | 'mx'
  | 'dsn'
  | 'check'
  | 'policy'
  | 'webhook'
  | 'client'
  | 'resolver'
  | 'publisher'

export type Target =
  | { readonly kind: 'tcp'; readonly address: IpAddress; readonly port: number; readonly source?: IpAddress }
  | { readonly kind: 'unix'; readonly path: string }

export type Opening =
  | { readonly kind: 'opened'; readonly socket: Socket }
  /** The address is not public and nothing opened the door for it. */
  | { readonly kind: 'forbidden'; readonly why: string }

export interface Door {
  /**
   * Begins to connect; the socket is returned at once, still connecting, so that its owner sets the deadline and
   * hears 'connect' and 'error'.
   * @param isPrivate  true where a person has said that private addresses are meant (`private: true`, `--private`)
   * @param inlet  where the octets go; a door that cannot do that leaves them to the socket's 'data'
   */
  open(purpose: Purpose, target: Target, isPrivate?: boolean, inlet?: Inlet): Opening
}

const judged: ReadonlySet<Purpose> = new Set(['included', 'mx', 'dsn', 'check', 'policy'])

/**
 * Connects for real. What the world names (an MX, a policy's host), or an included file that is not trusted, is refused where it is at an address that is not public, unless the purpose is
 * declared private.
 */
export const systemDoor: Door = {
  open(purpose, target, isPrivate = false, inlet) {
    const reading = inlet ? { onread: inlet.onread } : {}
    if (target.kind === 'unix') return { kind: 'opened', socket: netConnect({ path: target.path, ...reading }) }
    const why = judged.has(purpose) && !isPrivate ? whyNotPublic(target.address) : undefined
    if (why) return { kind: 'forbidden', why: `${target.address} is ${why}` }
    const { address, port, source } = target
    const local = source ? { localAddress: source } : {}
    return {
      kind: 'opened',
      socket: netConnect({ host: address, port, noDelay: true, autoSelectFamily: false, ...local, ...reading }),
    }
  },
}
