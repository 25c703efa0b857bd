/**
 * Who has come in and is still here: sessions by their cookie, and the keys of links that work once. In memory alone, as hashes, so that nobody who
 * reads the memory of a moment ago, a file or a log comes in by it; they end with the process.
 */
import { createHash } from 'node:crypto'
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Role } from './role.ts'

/** Whose session it is. */
export type Holder =
  /** Came by a link of this process, which whoever may start or ask it was given. */
  | { readonly kind: 'link' }
  /** By name and secret, as `web.access` has them: it ends when the entry changes. */
  | { readonly kind: 'access'; readonly name: string; readonly hashKey: string }

export interface Sessions {
  /** The key of a link. It opens one session, within half an hour. */
  invite(): string
  /** @returns whether there was such a key; it is gone then */
  redeem(key: string): boolean
  /** @returns what the cookie holds */
  begin(holder: Holder): string
  /** @returns tells at each call whose session it is; the cookie is hashed once, however often that is asked */
  follow(cookie: string): () => Holder | undefined
  end(cookie: string): void
}

export const linkRole: Role = 'operate'
const inviteMs = 30 * 60_000
const idleMs = 12 * 60 * 60_000
export const sessionMs = 7 * 24 * 60 * 60_000
const mostSessions = 1000
const mostInvitations = 20

interface Session {
  readonly holder: Holder
  readonly beganMs: number
  usedMs: number
}

export function createSessions({ clock, random }: { readonly clock: Clock; readonly random: Random }): Sessions {
  /** When each was made. */
  const invitations = new BoundedMap<string, number>(mostInvitations)
  const sessions = new BoundedMap<string, Session>(mostSessions)
  const secret = () => random.bytes(32).toString('base64url')
  const keyOf = (text: string) => createHash('sha256').update(text).digest('base64')

  function find(key: string): Holder | undefined {
    const session = sessions.get(key)
    if (!session) return undefined
    const nowMs = clock.monotonicMs()
    if (nowMs - session.beganMs > sessionMs || nowMs - session.usedMs > idleMs) {
      sessions.delete(key)
      return undefined
    }
    session.usedMs = nowMs
    return session.holder
  }

  return {
    invite() {
      const key = secret()
      invitations.set(keyOf(key), clock.monotonicMs())
      return key
    },
    redeem(key) {
      const madeMs = invitations.get(keyOf(key))
      invitations.delete(keyOf(key))
      return madeMs !== undefined && clock.monotonicMs() - madeMs < inviteMs
    },
    begin(holder) {
      const cookie = secret()
      const nowMs = clock.monotonicMs()
      sessions.set(keyOf(cookie), { holder, beganMs: nowMs, usedMs: nowMs })
      return cookie
    },
    follow(cookie) {
      const key = keyOf(cookie)
      return () => find(key)
    },
    end(cookie) {
      sessions.delete(keyOf(cookie))
    },
  }
}
