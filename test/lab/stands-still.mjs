/** Loaded into a gateway's process before its own code (`NODE_OPTIONS=--import`): lets its one thread stand still when a signal says so, as a bug would. */
import { openSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

function goRoundInACircle() {
  for (;;);
}

/** In the system, where no debugger is heard: nobody writes into that pipe. */
function waitForWhatNeverComes() {
  openSync(process.env.STANDS_STILL_AT ?? '')
}

if (isMainThread) {
  process.on('SIGUSR2', goRoundInACircle)
  process.on('SIGWINCH', waitForWhatNeverComes)
}
