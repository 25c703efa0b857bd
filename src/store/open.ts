/**
 * Opens the store of a folder: starts the writer, which takes the lock, and the reader, and puts what both can do into a `Store`. `cli` calls this
 * once a process, with the modules of all rooms.
 */
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Clock, Deadline } from '../base/clock.ts'
import { type FreeSpace, watchFreeSpace } from '../base/free-space.ts'
import { makeFolder } from '../base/make-folder.ts'
import { asFailure, StoreFailure, wordsOf } from './failure.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import type { OperationTable } from './module.ts'
import type { Answer, NotOpened, Order, ThreadSettings } from './protocol.ts'
import { createReads, type Reads } from './reads.ts'
import type { Store, StoreRoom, StoreState } from './store.ts'

export interface StoreOptions {
  /** Made where it is missing, for its owner alone. */
  readonly folder: string
  /** Modules that export `storeModule`: `` new URL(`./tables${import.meta.url.slice(-3)}`, import.meta.url) ``. */
  readonly modules: readonly URL[]
  /** Pages of 4 KiB that the database may have. Default: as many as the disk has. */
  readonly maxPages?: number
}

export interface StoreDeps {
  readonly clock: Clock
}

export type OpenedStore = { readonly kind: 'opened'; readonly store: Store } | NotOpened

/** How long opening may take: a migration of a large database is slow, and a hung disk is slower. */
const openMs = 10 * 60_000
/** When nothing was written for so long, the disk gets back what is not used; then in small steps, so that nobody waits for one. */
const quietMs = 1000
const tidyPauseMs = 30
/** How long what is under way may take when the store is closed. */
const closeMs = 30_000

/** Never throws where the disk is to blame: see `NotOpened`, and `whyNotOpened` for its words. */
export async function openStore(options: StoreOptions, deps: StoreDeps): Promise<OpenedStore> {
  const folder = resolve(options.folder)
  try {
    await makeFolder(folder)
    const space = await watchFreeSpace(folder, deps.clock)
    const modules = options.modules.map((url) => url.href)
    const settings: Omit<ThreadSettings, 'role'> = { folder, modules, maxPages: options.maxPages }
    const writer = await startThread({ ...settings, role: 'writer' }, deps.clock)
    if (writer.kind !== 'started') return writer
    const reader = await startThread({ ...settings, role: 'reader' }, deps.clock)
    if (reader.kind !== 'started') {
      await stopThread(writer.worker, deps.clock)
      return reader
    }
    return { kind: 'opened', store: createStore(folder, space, writer.worker, reader.worker, deps.clock) }
  } catch (error) {
    const failure = asFailure(error)
    if (failure) return { kind: 'failed', failure: wordsOf(failure) }
    throw error
  }
}

/** One sentence for people. */
export function whyNotOpened(why: NotOpened, folder: string): string {
  switch (why.kind) {
    case 'in-use':
      return `the store in ${folder} is in use: another Waypost runs on it`
    case 'newer':
      return `the store in ${folder} was written by a later Waypost (${why.room} has version ${why.version}, this one knows ${why.known}); install that one again, or use another folder`
    case 'network':
      return `the store in ${folder} lies on a network file system (${why.fileSystem}), where it would not be safe; put the state folder on a local disk`
    case 'failed':
      // What was held must be in reach, so nothing runs without it; what it needs to open is little.
      if (why.failure.code === 'full')
        return `the store in ${folder} cannot be opened: the disk is full; make room there (a few MiB are enough), and start again`
      if (why.failure.code === 'read-only')
        return `the store in ${folder} cannot be written by this user (${why.failure.message}): its files belong to another one, as after a start as root, or their disk is mounted to be read alone; see "ls -l ${folder}"`
      return `the store in ${folder} cannot be opened (${why.failure.code}): ${why.failure.message}`
  }
}

type Started = { readonly kind: 'started'; readonly worker: Worker } | NotOpened

async function startThread(settings: ThreadSettings, clock: Clock): Promise<Started> {
  // `thread.ts` from a checkout, `thread.js` from the package: whatever this file is.
  const worker = new Worker(new URL(`./thread${import.meta.url.slice(-3)}`, import.meta.url), { workerData: settings })
  const answer = await firstAnswer(worker, clock)
  if (answer?.kind === 'opened') return { kind: 'started', worker }
  await worker.terminate()
  if (answer?.kind === 'not-opened') return answer.why
  return {
    kind: 'failed',
    failure: { code: 'io', message: `the disk gives no answer for ${openMs / 1000} s`, isUnknown: false },
  }
}

function firstAnswer(worker: Worker, clock: Clock): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(openMs, () => end(() => resolve(undefined)))
    const heard = (answer: Answer) => end(() => resolve(answer))
    const broke = (error: unknown) => end(() => reject(error))
    const ended = () => end(() => reject(new StoreFailure('io', 'the thread of the store ended while it opened')))
    function end(then: () => void): void {
      timer.cancel()
      worker.off('message', heard).off('error', broke).off('exit', ended)
      then()
    }
    worker.on('message', heard).on('error', broke).on('exit', ended)
  })
}

/** Lets the thread close its database, and ends it where it does not. */
function stopThread(worker: Worker, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(closeMs, () => void worker.terminate())
    worker.once('exit', () => {
      timer.cancel()
      resolve()
    })
    worker.postMessage({ kind: 'close' } satisfies Order)
  })
}

function createStore(folder: string, space: FreeSpace, writer: Worker, reader: Worker, clock: Clock): Store {
  const listeners: ((state: StoreState) => void)[] = []
  const commits = createGroupCommit({
    clock,
    post: (order, transfer) => writer.postMessage(order, transfer),
    changed: (state) => {
      for (const listener of listeners) listener(state)
    },
  })
  const tidying = new Deadline(clock, () => {
    if (commits.isIdle) writer.postMessage({ kind: 'tidy' } satisfies Order)
  })
  const reads = createReads((order) => reader.postMessage(order), clock)
  writer.on('message', (answer: Answer) => {
    if (answer.kind === 'batch' || answer.kind === 'probe') {
      commits.answered(answer)
      tidying.arm(quietMs)
    } else if (answer.kind === 'tidy' && answer.isMore) tidying.arm(tidyPauseMs)
  })
  reader.on('message', (answer: Answer) => {
    if (answer.kind === 'read') reads.answered(answer)
  })
  for (const [worker, side] of [[writer, commits] as const, [reader, reads] as const]) {
    worker.on('error', (error) => side.end(`a thread of the store broke: ${String(error)}`))
    worker.on('exit', () => side.end('a thread of the store has ended'))
  }
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await Promise.race([Promise.all([commits.idle(), reads.idle()]), delay(clock, closeMs)])
    tidying.end()
    reads.end('the store is closed')
    commits.end('the store is closed')
    // The reader first: the last connection moves the log into the database.
    await stopThread(reader, clock)
    await stopThread(writer, clock)
  }

  return {
    folder,
    space,
    get state() {
      return commits.state
    },
    onState: (listener) => void listeners.push(listener),
    room: (name) => createRoom(name, commits, reads),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

const delay = (clock: Clock, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))

function createRoom<Operations extends OperationTable>(
  room: string,
  commits: GroupCommit,
  reads: Reads,
): StoreRoom<Operations> {
  return {
    write: (name, argument, { payload = [], undo, committed } = {}) =>
      new Promise((resolve, reject) => {
        commits.add({
          call: { room, operation: name, argument },
          payload,
          octets: payload.reduce((sum, { length }) => sum + length, 0),
          undo: undo && { room, operation: undo.name, argument: undo.argument },
          // What comes back is what the operation of that name returned.
          committed: (result) => committed?.(result as never),
          resolve: resolve as (result: unknown) => void,
          reject,
        })
      }),
    read: (name, argument) => reads.ask({ room, operation: name, argument }) as Promise<never>,
  }
}
