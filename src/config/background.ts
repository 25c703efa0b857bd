/**
 * Reads waypost.yaml beside the main thread, so that a reload of a hundred thousand domains does not stop the mail: `worker.ts` reads,
 * and hands the domains over piece by piece, each when it is asked for. For `LoadDeps.read`. A worker that dies or hangs is a problem of the file
 * like others: a reload that never ended would keep every later one waiting.
 */
import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../base/clock.ts'
import { errorCode } from '../base/error-code.ts'
import { type ReadInPieces, ReadingEnded, type ReadPieces } from './load.ts'
import type { Plan, PlannedDomain, Summary } from './plan.ts'
import type { Problem } from './source.ts'

/** What the worker says first. */
export type WorkerResult =
  | {
      readonly kind: 'read'
      readonly plan: Omit<Plan, 'domains'>
      readonly summary: Summary
      readonly copy: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly state?: string | undefined }

/** And then, to each `next`. */
export type WorkerPiece =
  | { readonly kind: 'piece'; readonly domains: readonly PlannedDomain[] }
  | { readonly kind: 'end' }

export interface WorkerOrder {
  readonly path: string
  readonly machineName: string
}

/** For the whole file, and then for each piece. A hundred thousand domains take some seconds. */
const limitMs = 120_000

/** @param startWorker  for tests */
export function createBackgroundReader(
  clock: Clock,
  startWorker: (order: WorkerOrder) => Worker = start,
): ReadInPieces {
  return async (path, machineName): Promise<ReadPieces> => {
    const talk = talkWith(startWorker({ path, machineName }), clock)
    const result = await talk.hear<WorkerResult>()
    if (result.kind === 'read') return { ...result, domains: pieces(talk) }
    talk.end()
    return result
  }
}

export const readInBackground: ReadInPieces = createBackgroundReader(systemClock)

function start(order: WorkerOrder): Worker {
  // `worker.ts` from a checkout, `worker.js` from the package: whatever this file is.
  return new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), { workerData: order })
}

interface Talk {
  ask(): void
  /** The next thing that the worker says. Rejects with `ReadingEnded` where nothing comes, and then the worker is ended. */
  hear<Message>(): Promise<Message>
  end(): void
}

function talkWith(worker: Worker, clock: Clock): Talk {
  // From the beginning: it may end while nobody listens to it.
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})
  worker.on('error', (error) => ended.reject(errorCode(error) === outOfMemory ? new ReadingEnded(tooLarge) : error))
  worker.on('exit', (code) => ended.reject(new ReadingEnded(brokeOff(code))))
  const end = () => {
    // It is not waited for: a thread that a file system keeps ends when that answers.
    void worker.terminate()
    worker.unref()
  }
  return {
    ask: () => worker.postMessage('next'),
    end,
    async hear<Message>() {
      const message = Promise.withResolvers<Message>()
      const timer = clock.after(limitMs, () => message.reject(new ReadingEnded(tookTooLong)))
      worker.once('message', message.resolve)
      try {
        return await Promise.race([message.promise, ended.promise])
      } catch (error) {
        end()
        throw error
      } finally {
        timer.cancel()
        worker.off('message', message.resolve)
      }
    },
  }
}

const outOfMemory = 'ERR_WORKER_OUT_OF_MEMORY'

const tookTooLong = `was not read to its end within ${limitMs / 60_000} minutes, so that was given up. Mostly a file system that does not answer keeps it: look at the files that it names, those of "include:" and "recipients:" first`

const tooLarge = 'needs more memory to be read than there is for it. Look for a file that was included by mistake'

const brokeOff = (code: number) =>
  `could not be read: the thread that reads it ended without a word (exit code ${code}). Try again, and report it if it stays so`

async function* pieces(talk: Talk): AsyncGenerator<readonly PlannedDomain[]> {
  try {
    for (;;) {
      talk.ask()
      const piece = await talk.hear<WorkerPiece>()
      if (piece.kind === 'end') return
      yield piece.domains
    }
  } finally {
    talk.end()
  }
}
