/** The second thread of `stuck.ts`. */
import { type Debugger, Session } from 'node:inspector'
import { parentPort, workerData } from 'node:worker_threads'
import { type Clock, systemClock } from '../../base/clock.ts'
import { createLineOutput } from '../line-output.ts'
import { createLog } from '../log.ts'
import { looks, type StuckOrder } from './stuck.ts'

/** The first thread is asked where it is; in the middle of a call of the system it does not hear. */
const answerMs = 3_000
const lastWordsMs = 1_000
/** Calls that are told, the innermost first. */
const mostCalls = 20

const { afterMs, form, color, beats } = workerData as StuckOrder

/** Resolves when the other thread has stood still at so many looks in a row. */
function untilStuck(beat: Int32Array, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let seen = Atomics.load(beat, 0)
    let still = 0
    function look(): void {
      const now = Atomics.load(beat, 0)
      still = now === seen ? still + 1 : 0
      seen = now
      if (still >= looks) resolve()
      else clock.after(afterMs / looks, look)
    }
    look()
  })
}

/** Holds the first thread where it is. @returns its calls, the innermost first; none where it does not hear */
function whereItIs(session: Session, clock: Clock): Promise<Debugger.CallFrame[]> {
  return new Promise((resolve) => {
    session.connectToMainThread()
    session.once('Debugger.paused', ({ params }) => resolve(params.callFrames))
    session.post('Debugger.enable')
    session.post('Debugger.pause')
    clock.after(answerMs, () => resolve([]))
  })
}

const session = new Session()
const files = new Map<string, string>()
session.on('Debugger.scriptParsed', ({ params }) => void files.set(params.scriptId, params.url))

// Keeps this thread at it: timers do not.
parentPort?.on('message', () => undefined)
await untilStuck(new Int32Array(beats), systemClock)
const calls = await whereItIs(session, systemClock)
const output = createLineOutput(2, systemClock, () => undefined)
const log = createLog({ form, level: 'error', color, write: output.write })
log.alert('stuck, so this ends here: it is a fault of Waypost, please report it', {
  forSeconds: Math.round(afterMs / 1_000),
  at: calls.slice(0, mostCalls).map(({ functionName, location: { scriptId, lineNumber } }) => {
    const file = files.get(scriptId)?.replace(/^.*\/(?=(?:src|dist|node_modules)\/)/, '') ?? '?'
    return `${functionName === '' ? '(no name)' : functionName} ${file}:${lineNumber + 1}`
  }),
})
output.hurry(lastWordsMs)
await output.flushed()
const [innermost] = calls
// From within, so that the last lines of its log are written. The first process of a container can be ended in no other way.
if (innermost)
  session.post('Debugger.evaluateOnCallFrame', {
    callFrameId: innermost.callFrameId,
    expression: 'process.exit(2)',
  })
systemClock.after(lastWordsMs * 2, () => process.kill(process.pid, 'SIGKILL'))
