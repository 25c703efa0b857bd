/**
 * A port whose SYNs get no answer, without root: a listener in a thread that never accepts, its backlog filled by us. What connects
 * then waits as long as it likes, as at a host that a firewall hides. For `connect: 'silence'` of a fake backend.
 */
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

/** Listens, tells the port, and then sleeps for good: the kernel queues connections, and nobody takes them. */
const sleeper = `
const { createServer } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const server = createServer()
server.listen({ host: workerData.address, port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(workerData.flag, 0, 0))
})
`

const mostFillers = 20
/** Loopback connects in microseconds; what has not connected by then is not going to. */
const connectMs = 200

export async function openBlackHole(address: string): Promise<{ readonly port: number; close(): Promise<void> }> {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(sleeper, { eval: true, workerData: { address, flag } })
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const fillers: Socket[] = []
  for (;;) {
    const filler = connect({ host: address, port })
    filler.on('error', () => {})
    fillers.push(filler)
    if (!(await connects(filler))) break
    if (fillers.length > mostFillers) throw new Error('the backlog of a listener that accepts nothing does not fill up')
  }
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy()
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
      await worker.terminate()
    },
  }
}

async function connects(socket: Socket): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, connectMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  // Where it was this process that stood still, its time is over before it has looked at its sockets.
  for (let turn = 0; turn < 10 && socket.connecting; turn++) await nextTurn()
  return !socket.connecting
}
