/**
 * Places on loopback. Each server of a lab gets an address of its own in 127.0.0.0/8, so that the port which the system chose for
 * it is still free there after it was stopped and is started again.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'

/** First octet of the network in which labs have their places. A network namespace of its own may give loopback another one. */
const labNetwork = process.env.LAB_NETWORK ?? '127'

/** An IPv4 address of loopback that nothing else uses; never 127.0.0.0/16, where the machine's own services are. */
export function freeAddress(network = labNetwork): string {
  const [a = 0, b = 0, c = 0] = randomBytes(3)
  return `${network}.${1 + (a % 254)}.${b}.${1 + (c % 254)}`
}

/** A port of `address` on which nothing listens now. For servers that cannot say which port the system chose. */
export async function freePort(address: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port: 0 }, () => resolve())
  })
  const bound = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (!bound || typeof bound === 'string') throw new Error('a TCP server without a port')
  return bound.port
}

/**
 * RST where the socket can send one, else the plain end: a Unix socket has none, TLS hides it, and on a TCP socket whose FIN is just on
 * its way Node fails with EINVAL and never closes the handle, so that the process cannot exit.
 */
export function resetSocket(socket: Socket): void {
  const isPlainTcp = socket.remoteAddress !== undefined && !('encrypted' in socket)
  if (isPlainTcp && !socket.writableEnded && !socket.destroyed) socket.resetAndDestroy()
  else socket.destroy()
}
