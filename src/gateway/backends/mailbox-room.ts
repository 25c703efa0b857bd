/**
 * Keeps Maildirs from taking the disk that the hold and the store need: on the file system of the state folder `limits.freeSpace` stays free, and the
 * postmaster's Maildir in the state folder, which anybody may write to (RFC 5321 §4.5.1), has a quota (`postmaster-quota.ts`). Asked by `delivery`.
 */
import { stat } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { type FreeSpace, watchFreeSpace } from '../../base/free-space.ts'
import type { Log } from '../../base/log.ts'
import type { MailboxRoom } from '../../delivery/mailbox-room.ts'
import { freeLimit } from '../../queue/quota.ts'
import type { GatewaySettings } from '../settings.ts'
import { createPostmasterQuota, mailboxCost, ownMailbox } from './postmaster-quota.ts'

type Settings = Pick<GatewaySettings, 'state' | 'holdLimits' | 'limits' | 'postmaster' | 'trusted'>

export interface MailboxRoomDeps {
  readonly clock: Clock
  readonly log: Log
}

/** @param settings  those of now */
export function createMailboxRoom(settings: () => Settings, { clock, log }: MailboxRoomDeps): MailboxRoom {
  let watching: Promise<FreeSpace> | undefined
  let pendingBytes = 0
  const quota = createPostmasterQuota(settings, { clock, log })

  /** The state folder never moves while we run. Where the disk gave no answer it is asked again by the next. */
  function watch(): Promise<FreeSpace> {
    watching ??= watchFreeSpace(settings().state, clock).catch((error: unknown) => {
      watching = undefined
      throw error
    })
    return watching
  }

  /** Judged and taken in one go, so that many at once take no more than there is. */
  async function takeSpace(cost: number): Promise<boolean> {
    const space = await watch()
    const isShort = () => space.freeBytes - pendingBytes - cost < freeLimit(settings().holdLimits, space.totalBytes)
    space.refresh()
    // Nobody is turned away for what is free again.
    if (isShort()) await space.look()
    if (isShort()) return false
    pendingBytes += cost
    return true
  }

  return {
    async take(path, octets, job) {
      const cost = octets === 0 ? 0 : mailboxCost(octets)
      const isOwn = path === ownMailbox(settings())
      const isBeside = await lieTogether(path, settings().state)
      if (isBeside && !(await takeSpace(cost))) return undefined
      let isTaken = false
      try {
        isTaken = !isOwn || (await quota.take(path, cost, job, await watch()))
      } finally {
        if (!isTaken && isBeside) pendingBytes -= cost
      }
      if (!isTaken) return undefined
      return {
        done(isStored) {
          if (isBeside) pendingBytes -= cost
          if (isOwn) quota.done(cost, isStored)
        },
      }
    },
  }
}

async function lieTogether(path: string, state: string): Promise<boolean> {
  const deviceOf = async (folder: string) => (await stat(folder)).dev
  return (await deviceOf(path)) === (await deviceOf(state))
}
