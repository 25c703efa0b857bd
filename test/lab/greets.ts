/** Whether a mail server listens: what everything that starts one waits for. */
import { connect } from 'node:net'

/** Whether something at this place says 220 first; false too where it says nothing for 20 s. */
export function greetsAt(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const end = (greets: boolean) => {
      socket.destroy()
      resolve(greets)
    }
    socket.setTimeout(20_000, () => end(false))
    socket.once('data', (chunk: Buffer) => end(chunk.toString('latin1').startsWith('220')))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
  })
}
