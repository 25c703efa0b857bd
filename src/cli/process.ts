/** The process as `serve` needs it: signals, the log on standard error, colours. Handed in by `main.ts`; tests hand in their own. */
import { systemClock } from '../base/clock.ts'
import { createLineOutput } from './line-output.ts'
import { programName } from './program-name.ts'
import type { ServeDeps } from './serve/serve-deps.ts'
import { endWhenStuck } from './serve/stuck.ts'
import { isErrColored, outShape } from './terminal.ts'

/** Everything that `serveCommand` needs but the gateway itself. */
export interface ProcessDeps extends Omit<ServeDeps, 'createGateway' | 'openHolding' | 'handlers' | 'version'> {
  /** The work is done: the process ends soon, whether its last words are read or not. */
  readonly end: () => void
}

/** The last lines are waited for no longer than this. */
const lastWordsMs = 1_000

export function processDeps(): ProcessDeps {
  // What nobody reads any more must not keep the process from its end: flushing would wait for a reader.
  let isRead = true
  const output = createLineOutput(2, systemClock, () => {
    isRead = false
  })
  process.on('exit', () => {
    output.hurry(lastWordsMs)
    try {
      if (isRead) output.flushSync()
    } catch {
      // There is no place left to tell it.
    }
  })
  return {
    signals: {
      on: (signal, run) => void process.on(signal, run),
      exit(code) {
        output.hurry(lastWordsMs)
        const end = () => process.exit(code)
        systemClock.after(lastWordsMs, end)
        void output.flushed().then(end)
      },
    },
    endWhenStuck: (options) => endWhenStuck(options, systemClock),
    writeLog: output.write,
    color: isErrColored(),
    isWatched: outShape().isTerminal,
    end() {
      output.hurry(lastWordsMs)
      // Something else may still wait for a reader: standard output, for one.
      systemClock.after(2 * lastWordsMs, () => process.exit())
    },
    sendCommand: process.env.npm_lifecycle_event === 'start' ? 'npm run send --' : `${programName} send`,
    program: programName,
  }
}
