/** The thread behind `background.ts`: reads and checks the files, then hands the domains over piece by piece. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import type { WorkerOrder, WorkerPiece, WorkerResult } from './background.ts'
import { readInPieces } from './load.ts'
import type { PlannedDomain } from './plan.ts'

/** So many domains (with their lists of recipients) take a few milliseconds to arrive on the other side. */
const costOfPiece = 2000

const port = parentPort
if (!port) throw new TypeError('worker.ts runs as a worker of background.ts')
const { path, machineName } = workerData as WorkerOrder

const read = await readInPieces(path, machineName, systemClock.now())
if (read.kind === 'invalid') port.postMessage(read satisfies WorkerResult)
else {
  const { domains, ...result } = read
  port.postMessage(result satisfies WorkerResult, [result.copy.buffer])
  const pieces = cut(domains)
  port.on('message', () => {
    const next = pieces.next()
    port.postMessage((next.done ? { kind: 'end' } : { kind: 'piece', domains: next.value }) satisfies WorkerPiece)
    if (next.done) port.close()
  })
}

function* cut(lists: Iterable<readonly PlannedDomain[]>) {
  let piece: PlannedDomain[] = []
  let cost = 0
  for (const list of lists) {
    for (const domain of list) {
      piece.push(domain)
      const { recipients = [], addresses = [] } = domain.mail ?? {}
      cost += 1 + (typeof recipients === 'string' ? 0 : recipients.length) / 20 + addresses.length
      if (cost < costOfPiece) continue
      yield piece
      piece = []
      cost = 0
    }
  }
  if (piece.length > 0) yield piece
}
