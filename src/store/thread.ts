/**
 * The threads behind a store: the writer, which holds the lock and runs each batch as one transaction, and the reader, whose long look at the rows
 * stops nobody. `open.ts` starts both; `protocol.ts` says what is said.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Connection, giveBack, openConnection, outcomeOf } from './database.ts'
import { asFailure, StoreFailure, wordsOf } from './failure.ts'
import { networkFileSystem } from './file-system.ts'
import { type Lock, takeLock } from './lock.ts'
import type { StoreModule } from './module.ts'
import {
  type Answer,
  type Call,
  type NotOpened,
  type Order,
  type Outcome,
  type ThreadSettings,
  unpackCalls,
} from './protocol.ts'
import { runBatch, runProbe } from './transaction.ts'

const port = parentPort
if (!port) throw new TypeError('thread.ts runs as a worker of open.ts')
const settings = workerData as ThreadSettings

const modules = await Promise.all(
  settings.modules.map(async (url) => ((await import(url)) as { storeModule: StoreModule }).storeModule),
)
let lock: Lock | undefined
let connection: Connection | undefined
/** The disk failed: what the connection believes of its files may be wrong, so the next probe opens them anew. */
let isDoubtful = false

const why = open()
if (why) {
  lock?.release()
  say({ kind: 'not-opened', why })
} else {
  port.on('message', obey)
  say({ kind: 'opened' })
}

function open(): NotOpened | undefined {
  try {
    if (settings.role === 'writer') {
      const fileSystem = networkFileSystem(settings.folder)
      if (fileSystem !== undefined) return { kind: 'network', fileSystem }
      lock = takeLock(settings.folder)
      if (!lock) return { kind: 'in-use' }
    }
    const opened = openConnection(settings, modules)
    if (opened.kind !== 'opened') return opened
    connection = opened.connection
    return undefined
  } catch (error) {
    const failure = asFailure(error)
    if (!failure) throw error
    return { kind: 'failed', failure: wordsOf(failure) }
  }
}

function obey(order: Order): void {
  switch (order.kind) {
    case 'batch':
      say(batch(order), connection?.takeGiven())
      break
    case 'probe': {
      const failure = probe(order)
      say({ kind: 'probe', failure: failure && wordsOf(failure) })
      break
    }
    case 'read':
      say({ kind: 'read', number: order.number, outcome: read(order.call) }, connection?.takeGiven())
      break
    case 'tidy':
      say({ kind: 'tidy', isMore: tidy() })
      break
    case 'close':
      close()
      break
  }
}

function batch({ undos, calls, payloads }: Extract<Order, { kind: 'batch' }>): Answer {
  if (!connection) return { kind: 'batch', results: [], failed: [], failure: wordsOf(notOpen()) }
  const answer = runBatch(connection, undos, unpackCalls(calls), payloads)
  if (answer.failure) isDoubtful = true
  return answer
}

function tidy(): boolean {
  try {
    return connection !== undefined && giveBack(connection)
  } catch {
    // Nobody waits for it; what fails for good fails for whoever writes, and is told then.
    return false
  }
}

function probe({ undos, octets }: Extract<Order, { kind: 'probe' }>): StoreFailure | undefined {
  if (isDoubtful) {
    const failure = reopen()
    if (failure) return failure
  }
  const failure = connection ? runProbe(connection, undos, octets) : notOpen()
  isDoubtful = failure !== undefined
  return failure
}

function reopen(): StoreFailure | undefined {
  try {
    connection?.close()
    connection = undefined
    const opened = openConnection(settings, modules)
    if (opened.kind !== 'opened') return new StoreFailure('corrupt', 'another program has changed the tables')
    connection = opened.connection
    return undefined
  } catch (error) {
    return asFailure(error) ?? new StoreFailure('io', String(error))
  }
}

/** In a transaction, so that all its statements see the same rows. */
function read(call: Call): Outcome {
  if (!connection) return { kind: 'failed', failure: wordsOf(notOpen()) }
  try {
    connection.sql('BEGIN').run()
    const result = connection.run(call)
    connection.sql('COMMIT').run()
    return { kind: 'done', result }
  } catch (error) {
    connection.memory.clear()
    connection.takeGiven()
    if (connection.handle.isTransaction) connection.sql('ROLLBACK').run()
    return outcomeOf(error, call)
  }
}

function close(): void {
  try {
    // The last one out moves the log into the database and removes it.
    connection?.close()
  } catch {
    // What was answered is in the log, synced: the next start reads it.
  }
  lock?.release()
  say({ kind: 'closed' })
  port?.close()
}

function notOpen(): StoreFailure {
  return new StoreFailure('io', 'the database could not be opened again after the disk had failed')
}

function say(answer: Answer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(answer, transfer)
}
