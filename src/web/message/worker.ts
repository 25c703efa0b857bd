/** The thread behind `reader.ts`: reads one message and ends. What it meets was written to be met; here it can take no more than it was given. */
import { parentPort, workerData } from 'node:worker_threads'
import { type MessageText, readText } from './read-text.ts'

export type WorkerAnswer =
  | { readonly kind: 'read'; readonly message: MessageText }
  | { readonly kind: 'failed'; readonly why: string }

const port = parentPort
if (!port) throw new TypeError('worker.ts runs as a worker of reader.ts')
try {
  port.postMessage({ kind: 'read', message: await readText(workerData as Uint8Array) } satisfies WorkerAnswer)
} catch {
  port.postMessage({ kind: 'failed', why: 'it is no message that can be taken apart' } satisfies WorkerAnswer)
}
