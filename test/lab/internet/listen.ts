/** DNS over UDP and TCP at one address, for a server of the small internet; ends with the test. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { isIpv6 } from '../../../src/base/ip.ts'
import { decodeMessage, type Message, type Question } from '../../../src/dns/message.ts'
import { labAddress } from '../names.ts'
import { framed } from '../tcp-server.ts'

/** Undefined: silence. */
export type Answerer = (query: Message, question: Question, over: 'udp' | 'tcp') => Buffer | undefined

export async function listen(t: TestContext, address: string, port: number, answer: Answerer): Promise<void> {
  const respond = (bytes: Buffer, over: 'udp' | 'tcp') => {
    const decoded = decodeMessage(bytes)
    const question = decoded.kind === 'message' ? decoded.message.questions[0] : undefined
    return decoded.kind === 'message' && question ? answer(decoded.message, question, over) : undefined
  }
  const udp: UdpSocket = createSocket(isIpv6(labAddress(address)) ? 'udp6' : 'udp4')
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    const reply = respond(bytes, 'udp')
    if (reply) udp.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(port, address, resolve))
  const sockets = new Set<Socket>()
  const tcp: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let input = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      if (input.length < 2 || input.length < 2 + input.readUInt16BE(0)) return
      const reply = respond(input.subarray(2), 'tcp')
      if (reply) socket.write(framed(reply))
    })
  })
  await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(port, address, resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await Promise.all([
      new Promise<void>((resolve) => udp.close(() => resolve())),
      new Promise<void>((resolve) => tcp.close(() => resolve())),
    ])
  })
}

/** A port that is free for both protocols at the first address; at the others, which are ours alone, it is as good as sure to be. */
export async function commonPort(addresses: readonly string[]): Promise<number> {
  const [first = '127.0.0.1'] = addresses
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, first, resolve))
  const bound = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (!bound || typeof bound === 'string') throw new Error('a TCP server without a port')
  return bound.port
}
