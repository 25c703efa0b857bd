/** A server over TCP whose every answer a test decides: for what no honest name server would send, or would not send in time. */
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { parseIp } from '../../src/base/ip.ts'
import type { NameServer } from '../../src/dns/servers.ts'
import { freeAddress } from './loopback.ts'

export interface TcpServer {
  readonly server: NameServer
  /** Each message that came, in order. */
  readonly asked: readonly Buffer[]
}

/** `say` frames a message; `socket` is there for everything else. */
export type Answering = (asked: Buffer, say: (message: Buffer) => void, socket: Socket) => void

export async function startTcpServer(t: TestContext, answer: Answering): Promise<TcpServer> {
  const sockets = new Set<Socket>()
  const asked: Buffer[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let held = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        const message = Buffer.from(held.subarray(2, end))
        held = held.subarray(end)
        asked.push(message)
        answer(message, (octets) => socket.write(framed(octets)), socket)
      }
    })
  })
  const address = parseIp(freeAddress())
  if (!address) throw new Error('no address')
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port: 0 }, () => resolve())
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const bound = server.address()
  if (!bound || typeof bound === 'string') throw new Error('a TCP server without a port')
  return { server: { address, port: bound.port }, asked }
}

/** With its length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
