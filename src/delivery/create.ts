/**
 * Makes the `Delivery` of a gateway: a pool for each endpoint, Maildirs without one. Called by `gateway/backends/reach.ts`.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import { createInlets } from '../base/inlet.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createTurnEnd } from '../base/turn-end.ts'
import type { HostName } from '../mail/address.ts'
import type { Endpoint } from '../routing/backend.ts'
import type { OpenLimits } from '../smtp/client/open.ts'
import { shortSteps } from '../smtp/client/step-limits.ts'
import { Scratch } from '../smtp/wire/scratch.ts'
import type { Begun, Delivery, HealthReports, Job } from './delivery.ts'
import { boundlessRoom, type MailboxRoom } from './mailbox-room.ts'
import { MaildirTransaction } from './maildir.ts'
import { type MaildirFiles, systemFiles } from './maildir-files.ts'
import { createOpener } from './opening.ts'
import { OurEnds } from './our-ends.ts'
import { Pool, stopping } from './pool.ts'
import { createMaildirProbe } from './probe-maildir.ts'
import { SmtpTransaction } from './smtp.ts'
import type { Taken } from './waiting-line.ts'

export interface DeliveryOptions {
  /** Our name now, which a reload may change: in EHLO, unless the backend has a `helo`, and in the names of Maildir files. */
  readonly hostname: () => HostName
  /** Whether 8-bit text goes to a backend that offers no 8BITMIME. Default: it does. */
  readonly eightBit?: () => 'pass' | 'refuse'
  /** Default: `openLimits` of `smtp/client/open.ts`. */
  readonly openLimits?: OpenLimits
}

export interface DeliveryDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
  readonly health: HealthReports
  /** Default: this machine's file system. */
  readonly files?: MaildirFiles
  /** Default: Maildirs may take all of their disk. */
  readonly room?: MailboxRoom
}

export function createDelivery(options: DeliveryOptions, deps: DeliveryDeps): Delivery {
  const { hostname, eightBit, openLimits } = options
  const { clock, random, log, door, health } = deps
  const { files = systemFiles, room = boundlessRoom } = deps
  let isClosed = false
  const opening = new Set<Socket>()
  const atTurnEnd = createTurnEnd()
  const isStopping = () => isClosed
  const newInlet = createInlets()
  const open = createOpener({
    hostname,
    clock,
    log,
    door,
    health,
    openLimits,
    opening,
    isStopping,
    atTurnEnd,
    newInlet,
    scratch: new Scratch(),
  })
  const pools = new Map<string, Pool>()
  const ends = new OurEnds()
  const maildirProbe = createMaildirProbe({ clock, random, files, health })

  function poolOf(endpoint: Endpoint): Pool {
    const known = pools.get(endpoint.key)
    if (known) return known
    const pool: Pool = new Pool(
      endpoint.backend.options.connections,
      (readyUntilMs, hasOthers, cancel) => open(endpoint, readyUntilMs, hasOthers, cancel),
      clock,
      () => {
        if (pools.get(endpoint.key) === pool) pools.delete(endpoint.key)
      },
      ends,
    )
    pools.set(endpoint.key, pool)
    return pool
  }

  function beginMaildir(path: string, job: Job): Begun {
    return {
      kind: 'begun',
      transaction: new MaildirTransaction(path, job, { hostname: hostname(), clock, random, log, files, room }),
    }
  }

  return {
    begin(endpoint, job, { sessionUntilMs, readyUntilMs, steps = shortSteps, fresh = false, cancel }) {
      if (isClosed) return { kind: 'failed', fault: stopping }
      const { address } = endpoint.backend
      if (address.protocol === 'maildir') return beginMaildir(address.path, job)
      const pool = poolOf(endpoint)
      const isFromHold = job.isFromHold === true
      const wish = { key: job.fairnessKey, sessionUntilMs, readyUntilMs, fresh, isFromHold, cancel }
      const begin = (taken: Taken): Begun => {
        if (taken.kind !== 'taken') return taken
        return { kind: 'begun', transaction: new SmtpTransaction(pool, taken.pooled, job, steps, { fresh, eightBit }) }
      }
      const taken = pool.take(wish)
      return taken instanceof Promise ? taken.then(begin) : begin(taken)
    },

    async probe(endpoint, readyUntilMs) {
      if (isClosed) return { kind: 'failed', fault: stopping }
      if (endpoint.backend.address.protocol === 'maildir') return maildirProbe.probe(endpoint, readyUntilMs)
      return poolOf(endpoint).look(readyUntilMs)
    },

    sessions: (endpoint) => pools.get(endpoint.key)?.counts ?? { busy: 0, idle: 0, waiting: 0 },

    isOurs: (peer) => ends.has(peer),

    async close() {
      isClosed = true
      for (const pool of pools.values()) pool.close()
      for (const socket of opening) socket.destroy()
      await maildirProbe.settle()
    },
  }
}
