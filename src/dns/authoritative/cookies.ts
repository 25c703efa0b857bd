/**
 * DNS cookies, the server's part (RFC 7873) in the form that all servers of one secret agree on (RFC 9018): who sends back what it was
 * given can hear us at its address, so it is not limited. Used by `answer.ts`.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { sipHash24 } from './siphash.ts'

export const clientCookieBytes = 8
export const serverCookieBytes = 16

export interface Cookies {
  /**
   * @param cookie  what the option holds: 8 octets, or 16 to 40
   * @param address  the client's: 4 or 16 octets
   * @returns whether the server's part is one of ours, and the whole cookie to send back
   */
  judge(cookie: Buffer, address: Uint8Array): { readonly isGood: boolean; readonly answer: Buffer }
}

const version = 1
// RFC 9018 §4.3.
const oldestSeconds = 3600
const newestSeconds = 300
const renewSeconds = 1800

/** @param secrets  16 octets each: the first makes cookies, all of them are taken (RFC 9018 §5) */
export function createCookies(secrets: readonly Buffer[], clock: Clock): Cookies {
  const [current] = secrets
  if (!current || secrets.some((secret) => secret.length !== 16)) throw new RangeError('a secret has 16 octets')

  /** @param head  the client's cookie, version, reserved, time: 16 octets */
  const hash = (head: Buffer, address: Uint8Array, secret: Buffer) => sipHash24(secret, Buffer.concat([head, address]))

  function make(client: Buffer, address: Uint8Array, nowSeconds: number): Buffer {
    const cookie = Buffer.alloc(clientCookieBytes + serverCookieBytes)
    client.copy(cookie)
    cookie[8] = version
    cookie.writeUInt32BE(nowSeconds >>> 0, 12)
    hash(cookie.subarray(0, 16), address, current as Buffer).copy(cookie, 16)
    return cookie
  }

  return {
    judge(cookie, address) {
      const nowSeconds = Math.floor(clock.now() / 1000)
      const client = cookie.subarray(0, clientCookieBytes)
      const fresh = () => make(client, address, nowSeconds)
      if (cookie.length !== clientCookieBytes + serverCookieBytes || cookie[8] !== version)
        return { isGood: false, answer: fresh() }
      // Modulo 2^32, as serials are (RFC 9018 §4.3).
      const ageSeconds = (nowSeconds - cookie.readUInt32BE(12)) | 0
      if (ageSeconds > oldestSeconds || ageSeconds < -newestSeconds) return { isGood: false, answer: fresh() }
      const head = cookie.subarray(0, 16)
      const own = cookie.subarray(16)
      const secret = secrets.find((one) => timingSafeEqual(own, hash(head, address, one)))
      if (!secret) return { isGood: false, answer: fresh() }
      const isYoung = ageSeconds <= renewSeconds && secret === current
      return { isGood: true, answer: isYoung ? Buffer.from(cookie) : fresh() }
    },
  }
}
