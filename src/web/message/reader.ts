/**
 * Reads messages for people: each in a thread of its own, with little memory and little time, so that one that was made to be hard costs the mail
 * nothing. Called by `api/messages.ts`.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { MessageText } from './read-text.ts'
import type { WorkerAnswer } from './worker.ts'

export type Read =
  | { readonly kind: 'read'; readonly message: MessageText }
  /** In words. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'busy' }

export interface MessageReader {
  /** @param bytes  of the message, or its beginning; they are given away */
  read(bytes: Uint8Array<ArrayBuffer>): Promise<Read>
}

const limitMs = 10_000
const megabytes = 192
const atOnce = 2

/** @param startWorker  for tests */
export function createMessageReader(
  clock: Clock,
  startWorker: (bytes: Uint8Array<ArrayBuffer>) => Worker = start,
): MessageReader {
  let reading = 0
  return {
    async read(bytes) {
      if (reading >= atOnce) return { kind: 'busy' }
      reading++
      try {
        return await answerOf(startWorker(bytes), clock)
      } finally {
        reading--
      }
    },
  }
}

function start(bytes: Uint8Array<ArrayBuffer>): Worker {
  // `worker.ts` from a checkout, `worker.js` from the package: whatever this file is.
  return new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), {
    workerData: bytes,
    transferList: [bytes.buffer],
    resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 32 },
    env: {},
    execArgv: [],
  })
}

async function answerOf(worker: Worker, clock: Clock): Promise<Read> {
  const { promise, resolve } = Promise.withResolvers<Read>()
  const timer = clock.after(limitMs, () => resolve({ kind: 'failed', why: 'it took too long to take it apart' }))
  worker.on('message', (answer: WorkerAnswer) => resolve(answer))
  worker.on('error', () => resolve({ kind: 'failed', why: 'it took too much to take it apart' }))
  worker.on('exit', () => resolve({ kind: 'failed', why: 'it could not be taken apart' }))
  try {
    return await promise
  } finally {
    timer.cancel()
    await worker.terminate()
  }
}
