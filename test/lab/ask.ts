/** Questions to a DNS server in octets that a test chooses, over UDP and TCP, and their answers read. */
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { decodeMessage, type Edns, encodeMessage, type Message, query } from '../../src/dns/message.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { absolute } from './zone-lines.ts'

export interface Asked {
  readonly edns?: Partial<Edns> | undefined
  readonly change?: Partial<Message>
}

/** @param type  a known type's name, or any number */
export function question(name: string, type: keyof typeof typeCodes | number, { edns, change }: Asked = {}): Buffer {
  const opt = edns && { udpBytes: 4096, version: 0, dnssecOk: false, options: [], ...edns }
  const code = typeof type === 'number' ? type : typeCodes[type]
  const plain = { ...query(absolute(name, '.'), code, 4711, opt), recursionDesired: false, authenticData: false }
  return encodeMessage({ ...plain, ...change })
}

export function read(bytes: Buffer): Message {
  const decoded = decodeMessage(bytes)
  if (decoded.kind === 'malformed') throw new Error(decoded.why)
  return decoded.message
}

/** @returns undefined where nothing came within the time */
export function askUdp(
  server: { address: string; port: number },
  bytes: Buffer,
  waitMs = 30_000,
): Promise<Buffer | undefined> {
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    const end = (answer: Buffer | undefined) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => end(undefined), waitMs)
    socket.once('error', reject)
    socket.once('message', (answer) => end(answer))
    socket.send(bytes, server.port, server.address)
  })
}

export interface TcpAsker {
  readonly socket: Socket
  write(bytes: Buffer): void
  /** The next message; rejects when the connection ends first. */
  next(): Promise<Buffer>
  readonly closed: Promise<void>
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** @param localAddress  from where; else the system chooses */
export function askTcp(server: { address: string; port: number }, localAddress?: string): TcpAsker {
  const from = localAddress === undefined ? {} : { localAddress }
  const socket = connect({ host: server.address, port: server.port, noDelay: true, ...from })
  let received: Buffer = Buffer.alloc(0)
  const messages: Buffer[] = []
  const waiting: { resolve: (message: Buffer) => void; reject: (error: Error) => void }[] = []
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const message = Buffer.from(received.subarray(2, end))
      received = received.subarray(end)
      const first = waiting.shift()
      if (first) first.resolve(message)
      else messages.push(message)
    }
  })
  void closed.then(() => {
    for (const one of waiting.splice(0)) one.reject(new Error('the connection has ended'))
  })
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    next() {
      const message = messages.shift()
      if (message) return Promise.resolve(message)
      if (socket.destroyed) return Promise.reject(new Error('the connection has ended'))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    closed,
  }
}
