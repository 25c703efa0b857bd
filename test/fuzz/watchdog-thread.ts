/** The second thread of `watchdog.ts`. */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const { shared, limitMs } = workerData as { readonly shared: SharedArrayBuffer; readonly limitMs: number }
const [state, shown] = [new Int32Array(shared, 0, 2), Buffer.from(shared, 8)]

for (let seen = Atomics.load(state, 0); ; seen = Atomics.load(state, 0)) {
  // Nobody wakes it; it looks whether the round is still the one of then.
  Atomics.wait(state, 0, seen, limitMs)
  if (seen % 2 === 0 || Atomics.load(state, 0) !== seen) continue
  const input = shown.subarray(0, Atomics.load(state, 1)).toString()
  writeSync(2, `fuzz: nothing came of this input within ${limitMs / 1_000} s:\n${input}\n`)
  process.kill(process.pid, 'SIGKILL')
}
