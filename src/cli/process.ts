/** The process as `serve` needs it: signals, the log on standard error, colours. Handed in by `main.ts`; tests hand in their own. */
import { pino } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { ServeDeps } from './serve.ts'

const flushEveryMs = 100

/** Everything that `serveCommand` needs but the gateway itself. */
export function processDeps(): Omit<ServeDeps, 'createGateway' | 'handlers'> {
  // Written behind the scenes, because a pipe that nobody reads must not stop the mail; flushed when the process ends.
  // Several lines a write: a write for each costs as much as the line itself. What nobody takes is dropped at 16 MiB, not kept.
  const output = pino.destination({ fd: 2, sync: false, minLength: 8192, maxLength: 16 * 1024 * 1024 })
  const flushLater = () =>
    systemClock.after(flushEveryMs, () => {
      output.flush()
      flushLater()
    })
  flushLater()
  process.on('exit', () => output.flushSync())
  return {
    signals: {
      on: (signal, run) => void process.on(signal, run),
      exit: (code) => process.exit(code),
    },
    writeLog: (line) => void output.write(line),
    color: process.stderr.isTTY === true && !process.env.NO_COLOR,
    sendCommand: process.env.npm_lifecycle_event === 'start' ? 'npm run send --' : 'waypost send',
  }
}
