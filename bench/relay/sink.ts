/** `smtp-sink`, which takes everything and counts; its counter is the proof that a message has arrived. */
import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/lab/loopback.ts'
import { type Daemon, startDaemon, untilGreets } from './daemon.ts'

export interface Sink {
  readonly address: string
  readonly port: number
  /** Messages that have arrived since it was started. */
  count(): number
  stop(): Promise<void>
}

export const startSink = async (address: string, folder: string): Promise<Sink> =>
  startSinkAt(address, await freePort(address), folder)

/** One that was there before counts anew. */
export async function startSinkAt(address: string, port: number, folder: string): Promise<Sink> {
  const output = join(folder, 'sink.out')
  rmSync(output, { force: true })
  // As root it insists on an account to change to.
  const user = process.getuid?.() === 0 ? ['-u', 'postfix'] : []
  const daemon: Daemon = startDaemon('smtp-sink', [...user, '-c', `${address}:${port}`, '1024'], output)
  await untilGreets(address, port)
  const file = openSync(output, 'r')
  return {
    address,
    port,
    count() {
      // It writes "sess=1 quit=1 mesg=1\r" again and again; the last whole one counts.
      const tail = Buffer.alloc(200)
      const size = fstatSync(file).size
      const read = readSync(file, tail, 0, tail.length, Math.max(0, size - tail.length))
      return Number([...tail.toString('latin1', 0, read).matchAll(/mesg=(\d+)\r/g)].at(-1)?.[1] ?? 0)
    },
    async stop() {
      closeSync(file)
      await daemon.stop()
    },
  }
}
