/**
 * Opens the store of the state folder, with the hold in it, for `serve` and for commands that work on a stopped gateway. The store's lock is what
 * says that nobody else runs on the folder.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { heardAlerts } from '../gateway/events.ts'
import type { Holding } from '../gateway/hold/holding.ts'
import type { Queue } from '../queue/queue.ts'
import type { HoldLimits } from '../queue/quota.ts'
import { knownModule, openKnownRecipients } from '../queue/sqlite/known.ts'
import { openSqliteQueue, queueModule } from '../queue/sqlite/queue.ts'
import { openStore, whyNotOpened } from '../store/open.ts'
import type { Store, StoreState } from '../store/store.ts'
import { watchModule } from '../watch/history.ts'

export type OpenedHolding =
  | {
      readonly kind: 'opened'
      readonly holding: Holding
      /** The whole store, for other rooms that keep something in it. */
      readonly store?: Store
      close(): Promise<void>
    }
  /** `inUse`: another Waypost has the folder. */
  | { readonly kind: 'not-opened'; readonly inUse: boolean; readonly why: string }

export interface HoldingDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: () => HoldLimits
}

/** @param folder  of the state, there already */
export async function openHolding(folder: string, deps: HoldingDeps): Promise<OpenedHolding> {
  const { clock, log } = deps
  const opened = await openStore({ folder, modules: [queueModule, knownModule, watchModule] }, { clock })
  if (opened.kind !== 'opened')
    return { kind: 'not-opened', inUse: opened.kind === 'in-use', why: whyNotOpened(opened, folder) }
  const { store } = opened
  store.onState((state) => tellState(state, log))
  const queue = await openSqliteQueue(store, {
    clock,
    limits: deps.limits,
    corrupt: (id, why) => log.alert('held message is damaged', { id, why }),
    dropped: ({ message }) => log.warn('kept message dropped for want of room', { id: message.id, size: message.size }),
  })
  const known = await openKnownRecipients(store, { clock, random: deps.random })
  return {
    kind: 'opened',
    store,
    holding: {
      queue,
      known,
      whenWritable: createWhenWritable(store),
      whyNotKept: () => whyNotKept(store.state, queue),
    },
    async close() {
      try {
        await known.close()
        await queue.close()
      } finally {
        // Its threads would keep the process alive, and its lock would keep others out.
        await store.close()
      }
    },
  }
}

function tellState(state: StoreState, log: Log): void {
  if (state.kind === 'failing') log.alert(heardAlerts.storeNotWritten, { code: state.code, why: state.why })
  else if (state.kind === 'writable') log.info('the store can be written again')
}

const noRoom = 'the disk has no room for more'

/** The store is tried every half minute where nobody writes; room is asked for as for a short message of no domain. */
function whyNotKept(state: StoreState, queue: Pick<Queue, 'wouldHold'>): string | undefined {
  if (state.kind !== 'writable')
    return state.kind === 'failing' && state.code === 'full' ? noRoom : 'the store cannot be written'
  const outcome = queue.wouldHold({ size: 1, recipients: 1, domains: [], client: undefined })
  if (outcome.kind !== 'full') return undefined
  return outcome.why === 'hold' ? 'the hold is full' : noRoom
}

/** A store that was closed, or whose thread broke, is never written again: who waits for that waits until everything ends. */
function createWhenWritable(store: Store): Holding['whenWritable'] {
  const waiting: (() => void)[] = []
  store.onState(({ kind }) => {
    if (kind === 'writable') for (const go of waiting.splice(0)) go()
  })
  return () => (store.state.kind === 'writable' ? undefined : new Promise((resolve) => waiting.push(resolve)))
}

export type OpenHolding = typeof openHolding
