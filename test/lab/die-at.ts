/**
 * Loaded in front of the gateway (`node --import`), in each of its threads: kills the process, as kill -9 does, right before or right behind one
 * step of keeping a message. `WAYPOST_DIE_AT` names it; the times before the Nth are let through with `WAYPOST_DIE_TIME`.
 */
import fsPromises, { type FileHandle, open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'

/** In the order in which a large message comes by them. */
export const steps = [
  'spool file',
  'file sync',
  'rename',
  'folder sync',
  'insert',
  'commit',
  'answer',
  'settle',
  'pass on',
] as const
export const passedOn = '2.0.0 taken by the lab'
export type Step = (typeof steps)[number]

const [when, ...words] = (process.env.WAYPOST_DIE_AT ?? '').split(' ')
const wanted = words.join(' ')
let left = Number(process.env.WAYPOST_DIE_TIME ?? 1)
let isHolding = false

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // It is delivered at once; nothing of this thread may run meanwhile.
  for (;;);
}

function around<T>(step: Step, run: () => T): T {
  if (step !== wanted || --left > 0) return run()
  if (when === 'before') die()
  const result = run()
  if (result instanceof Promise) return result.then(die, die) as T
  die()
}

async function patchFiles(): Promise<void> {
  const real = { open: fsPromises.open, rename: fsPromises.rename }
  const probe = await open(fileURLToPath(import.meta.url), 'r')
  const handle = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  const sync = handle.sync
  const stepOf = new WeakMap<FileHandle, Step>()
  handle.sync = function (this: FileHandle) {
    const step = stepOf.get(this)
    return step ? around(step, () => sync.call(this)) : sync.call(this)
  }
  fsPromises.open = async (path, flags, mode) => {
    const run = () => real.open(path, flags, mode)
    const isSpool = String(path).includes('/spool/')
    const file = await (isSpool ? around('spool file', run) : run())
    if (isSpool) stepOf.set(file, 'file sync')
    else if (String(path).includes('/hold')) stepOf.set(file, 'folder sync')
    return file
  }
  fsPromises.rename = (from, to) => {
    const run = () => real.rename(from, to)
    return String(to).includes('/hold/') ? around('rename', run) : run()
  }
  syncBuiltinESMExports()
}

function patchDatabase(): void {
  const prepare = DatabaseSync.prototype.prepare
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, text: string) {
    const statement = prepare.call(this, text)
    const step = text.startsWith('INSERT INTO message')
      ? 'insert'
      : text.startsWith('DELETE FROM message')
        ? 'settle'
        : text === 'COMMIT'
          ? 'commit'
          : undefined
    if (!step) return statement
    const run = statement.run.bind(statement)
    statement.run = ((...values: []) => {
      if (step === 'insert') isHolding = true
      // Only the COMMIT of a message counts.
      if (step === 'commit' && !isHolding) return run(...values)
      return around(step, () => run(...values))
    }) as typeof statement.run
    return statement
  }
}

function patchAnswers(): void {
  const write = Socket.prototype.write
  Socket.prototype.write = function (this: Socket, ...words: Parameters<Socket['write']>) {
    const run = () => write.apply(this, words)
    const text = String(words[0])
    // What the backend says to the dot is said on.
    if (text.startsWith(`250 ${passedOn}`)) return around('pass on', run)
    return text.includes('Kept safely') ? around('answer', run) : run()
  } as Socket['write']
}

if (when === 'before' || when === 'behind') {
  await patchFiles()
  patchDatabase()
  patchAnswers()
}
