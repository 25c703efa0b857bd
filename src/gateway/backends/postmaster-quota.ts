/**
 * The quota of the postmaster's Maildir in the state folder. What lies there is counted once, file by file, and from then on with what is added; and
 * again where it seems full, because a person has taken mail out meanwhile. For `mailbox-room.ts`.
 */
import { lstat, opendir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { FreeSpace } from '../../base/free-space.ts'
import { networkKey } from '../../base/ip.ts'
import { createRateCounter } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Job } from '../../delivery/delivery.ts'
import { holdLimit, keptLimit } from '../../queue/quota.ts'
import { type GatewaySettings, isTrusted } from '../settings.ts'

type Settings = Pick<GatewaySettings, 'state' | 'holdLimits' | 'limits' | 'postmaster' | 'trusted'>

export interface PostmasterQuota {
  /** Takes `cost` octets for a message, or says that it may not be. @param cost  0 only asks */
  take(path: string, cost: number, job: Job, space: FreeSpace): Promise<boolean>
  done(cost: number, isStored: boolean): void
}

/** Counting a mailbox of this size, 262,144 files at most, takes some seconds. */
const mostByDefault = 1024 ** 3
const perHour = 100
const hourMs = 3_600_000
/** Files; others that need one of the few threads for files wait a millisecond behind so many. */
const lookedAtOnce = 64
/** A full mailbox is counted again no more often. */
const recountMs = 10_000

/** What a file takes of a disk: blocks of 4 KiB. */
export const mailboxCost = (octets: number): number => Math.max(1, Math.ceil(octets / 4096)) * 4096

/** The postmaster's Maildir in the state folder; undefined where it is anywhere else, which is the business of whoever put it there. */
export function ownMailbox({ postmaster, state }: Settings): string | undefined {
  const address = postmaster.entries[0]?.backend.address
  return address?.protocol === 'maildir' && address.path.startsWith(state + sep) ? address.path : undefined
}

/** @param settings  those of now */
export function createPostmasterQuota(
  settings: () => Settings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): PostmasterQuota {
  /** What lies there, as far as we know; undefined until it was counted. */
  let stored: number | undefined
  let pending = 0
  /** Stored while it is being counted: in the count or not. */
  let meanwhile = 0
  let countedMs = Number.NEGATIVE_INFINITY
  let counting: Promise<void> | undefined
  let freeAtStart: number | undefined
  let isTold = false
  const messages = createRateCounter(clock, hourMs)
  const octets = createRateCounter(clock, hourMs)

  async function count(path: string): Promise<void> {
    meanwhile = 0
    stored = (await sizeOf(path)) + meanwhile
    countedMs = clock.monotonicMs()
  }
  function recount(path: string): Promise<void> {
    counting ??= count(path).finally(() => {
      counting = undefined
    })
    return counting
  }

  function most(space: FreeSpace): number {
    const { limits, holdLimits } = settings()
    freeAtStart ??= space.freeBytes
    return limits.postmaster ?? Math.min(mostByDefault, keptLimit(holdLimit(holdLimits, freeAtStart, 0)))
  }

  function isWelcome({ client, isFromHold }: Job, cost: number, limit: number): boolean {
    // Mail of our own, which has a limit of its own.
    if (isFromHold || isTrusted(settings(), client.address)) return true
    const key = networkKey(client.address)
    if (messages.recent(key) >= perHour || octets.recent(key) + cost > limit / 4) return false
    if (cost > 0) {
      messages.count(key)
      octets.count(key, cost)
    }
    return true
  }

  function tellFull(path: string, limit: number): void {
    if (isTold) return
    isTold = true
    log.alert("the postmaster's mailbox is full", {
      why: `${path} holds all of the ${limit} octets that it may, and mail for postmaster is answered 452`,
      remedy: 'Read it and take mail out, or raise limits.postmaster, or have postmaster: name another backend.',
    })
  }

  return {
    async take(path, cost, job, space) {
      const limit = most(space)
      const isFull = () => (stored ?? 0) + pending + Math.max(cost, 1) > limit
      if (stored === undefined || (isFull() && clock.monotonicMs() - countedMs >= recountMs)) await recount(path)
      if (isFull()) {
        tellFull(path, limit)
        return false
      }
      if ((stored ?? 0) < limit / 2) isTold = false
      if (!isWelcome(job, cost, limit)) return false
      pending += cost
      return true
    },
    done(cost, isStored) {
      pending -= cost
      if (!isStored) return
      stored = (stored ?? 0) + cost
      meanwhile += cost
    },
  }
}

/** Octets of all files of a Maildir, links not followed. What goes away meanwhile counts for nothing. */
async function sizeOf(path: string): Promise<number> {
  let sum = 0
  for (const name of ['new', 'cur', 'tmp']) {
    const folder = join(path, name)
    let names: string[] = []
    const look = async () => {
      for (const found of await Promise.all(names.map((file) => lstat(join(folder, file)).catch(() => undefined))))
        sum += found ? mailboxCost(found.size) : 0
      names = []
    }
    for await (const { name: file } of await opendir(folder, { bufferSize: lookedAtOnce })) {
      names.push(file)
      if (names.length === lookedAtOnce) await look()
    }
    await look()
  }
  return sum
}
