/**
 * What goes round and round in a parser no test can end, and no time limit of the runner: nothing else gets its turn. So a second thread looks at
 * the clock: an input that takes too long is written down, and the process is killed.
 */
import { Worker } from 'node:worker_threads'

/** Far more than any input needs on a busy machine. */
const limitMs = Number(process.env.FUZZ_LIMIT_MS ?? 60_000)
const mostShown = 4_096

/** How many inputs have been begun and ended, so that it is odd while one is looked at; then the octets of the input at hand. */
const shared = new SharedArrayBuffer(8 + mostShown)
const [state, shown] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)]
new Worker(new URL('./watchdog-thread.ts', import.meta.url), { workerData: { shared, limitMs } }).unref()

/** Does one input, a synchronous one; `kind` is told with it. */
export function watched<T>(kind: string, input: string | Uint8Array, examine: () => T): T {
  begin(kind, input)
  try {
    return examine()
  } finally {
    end()
  }
}

/** The same for one that waits in between. One at a time. */
export async function watchedAsync<T>(kind: string, input: string | Uint8Array, examine: () => Promise<T>): Promise<T> {
  begin(kind, input)
  try {
    return await examine()
  } finally {
    end()
  }
}

function begin(kind: string, input: string | Uint8Array): void {
  const head = input.slice(0, mostShown)
  const text = typeof head === 'string' ? head : Buffer.from(head).toString('latin1')
  Atomics.store(state, 1, Buffer.from(`${kind}: ${JSON.stringify(text)}`).copy(shown))
  Atomics.add(state, 0, 1)
}

const end = () => Atomics.add(state, 0, 1)
