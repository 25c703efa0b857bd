/**
 * Places on loopback. Each server of a lab gets an address of its own in 127.0.0.0/8, so that the port which the system chose for
 * it is still free there after it was stopped and is started again.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket } from 'node:net'

/** First octet of the network in which labs have their places. A network namespace of its own may give loopback another one. */
const labNetwork = process.env.LAB_NETWORK ?? '127'

/** An IPv4 address of loopback that nothing else uses; never 127.0.0.0/16, where the machine's own services are. */
export function freeAddress(network = labNetwork): string {
  const [a = 0, b = 0, c = 0] = randomBytes(3)
  return `${network}.${1 + (a % 254)}.${b}.${1 + (c % 254)}`
}

/**
 * A port of `address` on which nothing listens now, by TCP or UDP, for servers that cannot say which port the system chose. Below those
 * that Linux hands out to clients (32768 to 60999), one of which would else take it before the server does, at 127.0.0.1 above all.
 */
export async function freePort(address: string): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(10_000, 32_768)
    if ((await listens(address, port)) && (await binds(address, port))) return port
  }
  throw new Error(`no free port at ${address}`)
}

function listens(host: string, port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ host, port }, () => server.close(() => resolve(true)))
  })
}

function binds(address: string, port: number): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    socket.once('error', () => socket.close(() => resolve(false)))
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
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
