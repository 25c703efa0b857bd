/**
 * What stands before a real name server and gives it a fault that none of the real programs has: questions are passed on as they are, to where
 * the test wants them, or nowhere. UDP and TCP. It ends with the lab.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { decodeMessage, type Message } from '../../../src/dns/message.ts'
import type { Home } from './name-server.ts'

export interface FrontPlace {
  readonly address: string
  readonly port: number
}

/** Where a question goes; undefined: it is dropped. */
export type Route = (query: Message, over: 'udp' | 'tcp') => FrontPlace | undefined

export async function startFront(home: Home, { address, port }: FrontPlace, route: Route): Promise<void> {
  const routed = (bytes: Buffer, over: 'udp' | 'tcp'): FrontPlace | undefined => {
    const decoded = decodeMessage(bytes)
    return decoded.kind === 'message' ? route(decoded.message, over) : undefined
  }
  const udp = createSocket('udp4')
  udp.on('message', (bytes, from) => {
    const to = routed(bytes, 'udp')
    if (!to) return
    const onward = createSocket('udp4')
    const timer = setTimeout(() => onward.close(), 5_000).unref()
    onward.once('message', (answer) => {
      clearTimeout(timer)
      onward.close()
      udp.send(answer, from.port, from.address)
    })
    onward.on('error', () => {})
    onward.send(bytes, to.port, to.address)
  })
  udp.bind(port, address)
  await once(udp, 'listening')
  const sockets = new Set<Socket>()
  const kept = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  }
  // By its first question each connection is passed on whole.
  const tcp = createServer((socket) => {
    kept(socket)
    let input = Buffer.alloc(0)
    const take = (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      if (input.length < 2 || input.length < 2 + input.readUInt16BE(0)) return
      socket.off('data', take)
      const to = routed(input.subarray(2, 2 + input.readUInt16BE(0)), 'tcp')
      if (!to) return void socket.destroy()
      const onward = kept(connect(to.port, to.address))
      onward.write(input)
      socket.pipe(onward).pipe(socket)
    }
    socket.on('data', take)
  })
  tcp.listen(port, address)
  await once(tcp, 'listening')
  home.atEnd(async () => {
    udp.close()
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => tcp.close(() => resolve()))
  })
}
